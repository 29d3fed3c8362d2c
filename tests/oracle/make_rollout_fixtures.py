"""Ten steps of GRPO and RLOO on given answers, by TRL's own `_compute_loss`; and of PPO, by the helpers of TRL 1.12.0.

The base models are those of the other scripts. Answers and rewards are drawn here, so that nothing depends on how tokens are
sampled; prompts are padded on the left, as TRL pads them, with position ids from the mask. What TRL computes in the middle of
generating (advantages; PPO's returns) is written out from its source with its own helpers. Writes tests/fixtures/rollouts/.

PPO left TRL after 1.12.0. With that release unpacked elsewhere, `--ppo FOLDER` (the one that holds trl/) adds its runs.
"""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import shutil
import sys
from collections import defaultdict
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

PPO = sys.argv[sys.argv.index("--ppo") + 1] if "--ppo" in sys.argv else None
if PPO:
    sys.path.insert(0, PPO)

import torch
import trl
from peft import LoraConfig, TaskType, get_peft_model
from tiny import normal, save_adapter
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

OUT = FIXTURES / "rollouts"
BASES = {"llama": FIXTURES / "llama" / "gqa-untied-odd", "gpt2": FIXTURES / "families" / "gpt2"}
TARGETS = {"llama": ["q_proj", "v_proj", "down_proj"], "gpt2": ["c_attn", "c_proj"]}
PAD, EOS, FIRST = 0, 2, 6
STEPS, ROWS, LONGEST = 10, 8, 7
TRAINING = dict(learning_rate=3e-3, max_grad_norm=1.0, weight_decay=0.0, adam_epsilon=1e-4)


@dataclass
class Run:
    name: str
    objective: str
    family: str
    lora: bool
    section: dict = field(default_factory=dict)

    def __getitem__(self, key: str):
        return self.section[key]


GRPO = dict(
    num_generations=4, max_completion_length=LONGEST, temperature=1.0, beta=0.0, use_bias_correction_kl=True,
    loss_type="dapo", scale_rewards="group", importance_sampling_level="token", num_iterations=1, epsilon=0.2,
    epsilon_high=0.0, delta=0.0, mask_truncated_completions=False,
)  # fmt: skip
RLOO = dict(
    num_generations=4, max_completion_length=LONGEST, temperature=1.0, beta=0.05, normalize_advantages=False,
    num_iterations=1, epsilon=0.2, epsilon_high=0.0, mask_truncated_completions=False,
)  # fmt: skip
PPO_SECTION = dict(
    response_length=LONGEST, temperature=0.7, num_ppo_epochs=2, num_mini_batches=1, kl_coef=0.05, kl_estimator="k1",
    cliprange=0.2, vf_coef=0.1, cliprange_value=0.2, gamma=1.0, lam=0.95, whiten_rewards=False, missing_eos_penalty=1.0,
)  # fmt: skip

RUNS = [
    Run("grpo-llama-full", "grpo", "llama", False, GRPO | dict(num_iterations=2)),
    Run("grpo-llama-lora", "grpo", "llama", True, GRPO | dict(loss_type="grpo", beta=0.04, num_iterations=2)),
    Run("grpo-gpt2-full", "grpo", "gpt2", False, GRPO | dict(loss_type="dr_grpo", scale_rewards="none", beta=0.1)),
    Run("grpo-gpt2-lora", "grpo", "gpt2", True, GRPO | dict(loss_type="cispo", epsilon_high=1.2, num_iterations=2, temperature=0.8)),
    Run("grpo-llama-sequence", "grpo", "llama", True, GRPO | dict(
        loss_type="bnpo", importance_sampling_level="sequence", num_iterations=2, epsilon=0.05, epsilon_high=0.08,
        scale_rewards="batch", mask_truncated_completions=True)),
    Run("grpo-gpt2-sapo", "grpo", "gpt2", False, GRPO | dict(
        loss_type="sapo", num_iterations=2, beta=0.02, use_bias_correction_kl=False)),
    Run("rloo-llama-lora", "rloo", "llama", True, RLOO | dict(num_iterations=2)),
    Run("rloo-gpt2-full", "rloo", "gpt2", False, RLOO | dict(num_generations=2, normalize_advantages=True)),
]  # fmt: skip
PPO_RUNS = [
    Run("ppo-llama-full", "ppo", "llama", False, PPO_SECTION),
    Run("ppo-llama-lora", "ppo", "llama", True, PPO_SECTION | dict(kl_estimator="k3", whiten_rewards=True, num_ppo_epochs=5)),
    Run("ppo-gpt2-full", "ppo", "gpt2", False, PPO_SECTION | dict(temperature=1.0, vf_coef=0.5)),
    Run("ppo-gpt2-lora", "ppo", "gpt2", True, PPO_SECTION),
]  # fmt: skip


# Answers and rewards --------------------------------------------------------------------------------------------------


def turns_of(run: Run, vocab: int, count: int) -> list[dict]:
    """Prompts in groups, an answer to each row, with or without its end, and a reward from a few values."""
    rng = torch.Generator().manual_seed(31)

    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high, (1,), generator=rng))

    size = run.section.get("num_generations", 1)
    turns = []
    for _ in range(count):
        rows = []
        for _ in range(ROWS // size):
            prompt = [draw(FIRST, vocab) for _ in range(draw(2, 6))]
            for _ in range(size):
                ended = draw(0, 3) > 0
                answer = [draw(FIRST, vocab) for _ in range(draw(1, LONGEST) if ended else LONGEST)]
                rows.append({
                    "prompt": prompt,
                    "answer": [*answer, EOS] if ended else answer,
                    "finished": ended,
                    "reward": 0.25 * draw(-2, 5),
                })  # fmt: skip
        turns.append(rows)
    return turns


def padded(rows: list[dict]) -> dict[str, torch.Tensor]:
    width = max(len(r["prompt"]) for r in rows)
    longest = max(len(r["answer"]) for r in rows)
    left = [[PAD] * (width - len(r["prompt"])) + r["prompt"] for r in rows]
    right = [r["answer"] + [PAD] * (longest - len(r["answer"])) for r in rows]
    return {
        "prompt_ids": torch.tensor(left),
        "prompt_mask": torch.tensor([[0] * (width - len(r["prompt"])) + [1] * len(r["prompt"]) for r in rows]),
        "completion_ids": torch.tensor(right),
        "completion_mask": torch.tensor([[1] * len(r["answer"]) + [0] * (longest - len(r["answer"])) for r in rows]),
    }


# Models ---------------------------------------------------------------------------------------------------------------


def without_dropout(model: torch.nn.Module) -> torch.nn.Module:
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model.train()


def adapted(model: torch.nn.Module, run: Run, task: TaskType, seed: int) -> torch.nn.Module:
    lora = LoraConfig(
        r=4, lora_alpha=8, lora_dropout=0.0, target_modules=TARGETS[run.family], task_type=task,
        modules_to_save=["score"] if task == TaskType.SEQ_CLS else None,
    )  # fmt: skip
    torch.manual_seed(seed)
    wrapped = get_peft_model(model, lora)
    with torch.no_grad():
        for name, p in wrapped.named_parameters():
            if "lora_B" in name:
                p.copy_(normal(p.shape, 0.1, torch.Generator().manual_seed(seed * len(name))))
    return wrapped


def policy_of(run: Run) -> torch.nn.Module:
    model = AutoModelForCausalLM.from_pretrained(BASES[run.family], dtype=torch.float32, attn_implementation="eager")
    return without_dropout(adapted(model, run, TaskType.CAUSAL_LM, 5) if run.lora else model)


def value_of(run: Run) -> torch.nn.Module:
    model = AutoModelForSequenceClassification.from_pretrained(
        BASES[run.family], num_labels=1, dtype=torch.float32, attn_implementation="eager"
    )
    with torch.no_grad():
        model.score.weight.copy_(normal(model.score.weight.shape, 0.3, torch.Generator().manual_seed(17)))
    return without_dropout(adapted(model, run, TaskType.SEQ_CLS, 6) if run.lora else model)


def log_probs(model: torch.nn.Module, ids: torch.Tensor, mask: torch.Tensor, keep: int, temperature: float):
    """Log-probabilities and entropies of the last `keep` tokens."""
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    logits = model(input_ids=ids, attention_mask=mask, position_ids=positions).logits[:, -keep - 1 : -1] / temperature
    logps = logits.log_softmax(-1)
    return logps.gather(-1, ids[:, -keep:, None])[..., 0], -(logps.exp() * logps).sum(-1)


def side(run: Run, policy: torch.nn.Module, base: torch.nn.Module):
    """The reference: the adapter switched off, or the model as it was."""
    return (policy, policy.disable_adapter()) if run.lora else (base, nullcontext())


# GRPO and RLOO --------------------------------------------------------------------------------------------------------


def advantages_of(run: Run, rows: list[dict], old: torch.Tensor, ref: torch.Tensor | None, mask: torch.Tensor):
    from trl.trainer.utils import nanstd

    rewards = torch.tensor([r["reward"] for r in rows])
    size = run["num_generations"]
    metrics = {"reward": rewards.mean().item(), "reward_std": nanstd(rewards).item()}
    if run.objective == "rloo":
        kl = ((old - ref) * mask).sum(-1)
        metrics["kl"] = (kl.sum() / mask.sum()).item()
        rewards = rewards - run["beta"] * kl
    grouped = rewards.view(-1, size)
    std = nanstd(grouped, dim=1)
    if run.objective == "rloo":
        base = (grouped.sum(1, keepdim=True) - grouped) / (size - 1)
        advantages = (grouped - base).view(-1)
        if run["normalize_advantages"]:
            advantages = (advantages - advantages.mean()) / (nanstd(advantages) + 1e-4)
    else:
        std = nanstd(rewards).expand(len(rows) // size) if run["scale_rewards"] == "batch" else std
        advantages = rewards - grouped.mean(1).repeat_interleave(size)
        if run["scale_rewards"] != "none":
            advantages = advantages / (std.repeat_interleave(size) + 1e-4)
    metrics["frac_reward_zero_std"] = torch.isclose(std, torch.zeros_like(std)).float().mean().item()
    return advantages, metrics


def trainer_of(run: Run, model: torch.nn.Module) -> SimpleNamespace:
    temperature = run["temperature"]

    def both(model, input_ids, attention_mask, logits_to_keep, **_):
        return *log_probs(model, input_ids, attention_mask, logits_to_keep, temperature), None

    return SimpleNamespace(
        model=model, beta=run["beta"], epsilon_low=run["epsilon"], epsilon_high=run["epsilon_high"] or run["epsilon"],
        loss_type=run.section.get("loss_type"), importance_sampling_level=run.section.get("importance_sampling_level"),
        max_completion_length=LONGEST, top_entropy_quantile=1.0, off_policy_mask_threshold=None, use_vllm=False,
        aux_loss_enabled=False, _entropy_bonus_enabled=False, current_gradient_accumulation_steps=1,
        args=SimpleNamespace(
            delta=run.section.get("delta") or None, use_bias_correction_kl=run.section.get("use_bias_correction_kl"),
            steps_per_generation=1, sapo_temperature_pos=1.0, sapo_temperature_neg=1.05,
        ),
        accelerator=SimpleNamespace(reduce=lambda t, reduction: t, gather=lambda t: t, num_processes=1),
        _metrics={"train": defaultdict(list)}, _get_per_token_logps_and_entropies=both,
    )  # fmt: skip


def train(run: Run) -> dict:
    Trainer = trl.GRPOTrainer if run.objective == "grpo" else trl.RLOOTrainer
    policy = policy_of(run)
    base = AutoModelForCausalLM.from_pretrained(BASES[run.family], dtype=torch.float32, attn_implementation="eager").eval()
    if run.lora:
        save_adapter(policy, OUT / run.name, run.family)
    trained = [p for p in policy.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=TRAINING["learning_rate"], eps=TRAINING["adam_epsilon"], weight_decay=0.0)
    repeats = run["num_iterations"]
    turns = turns_of(run, policy.config.vocab_size, STEPS // repeats)
    steps = []
    for rows in turns:
        inputs = padded(rows)
        if run["mask_truncated_completions"]:
            inputs["completion_mask"] = inputs["completion_mask"] * torch.tensor([[int(r["finished"])] for r in rows])
        ids = torch.cat([inputs["prompt_ids"], inputs["completion_ids"]], 1)
        mask = torch.cat([inputs["prompt_mask"], inputs["completion_mask"]], 1)
        keep = inputs["completion_ids"].size(1)
        with torch.no_grad():
            old, _ = log_probs(policy, ids, mask, keep, run["temperature"])
            reference, off = side(run, policy, base)
            with off:
                ref, _ = log_probs(reference, ids, mask, keep, run["temperature"])
        advantages, metrics = advantages_of(run, rows, old, ref, inputs["completion_mask"])
        inputs |= {"advantages": advantages, "num_items_in_batch": inputs["completion_mask"].sum()}
        if run.objective == "rloo":
            inputs["old_logps"] = (old * inputs["completion_mask"]).sum(1)
        else:
            inputs["ref_per_token_logps"] = ref
            if repeats > 1:
                inputs["old_per_token_logps"] = old
        for i in range(repeats):
            trainer = trainer_of(run, policy)
            loss = Trainer._compute_loss(trainer, policy, inputs)
            optimizer.zero_grad()
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(trained, TRAINING["max_grad_norm"])
            optimizer.step()
            own = {name: values[0] for name, values in trainer._metrics["train"].items()}
            steps.append({"loss": loss.item(), "grad_norm": norm.item(), "metrics": (metrics if i == 0 else {}) | own})
    return {"turns": turns, "steps": steps}


# PPO ------------------------------------------------------------------------------------------------------------------


def values_at(model: torch.nn.Module, ids: torch.Tensor, mask: torch.Tensor, keep: int) -> torch.Tensor:
    inner = model.base_model.model if hasattr(model, "peft_config") else model
    backbone = getattr(inner, inner.base_model_prefix)
    positions = (mask.cumsum(1) - mask).clamp(min=0)
    hidden = backbone(input_ids=ids.masked_fill(mask == 0, 0), attention_mask=mask, position_ids=positions)
    return inner.score(hidden.last_hidden_state)[:, -keep - 1 : -1, 0]


def train_ppo(run: Run) -> dict:
    """PPOTrainer.train's arithmetic on given answers, step by step, with its own helpers."""
    from trl.experimental.ppo.ppo_trainer import INVALID_LOGPROB, masked_mean, masked_whiten

    policy, value = policy_of(run), value_of(run)
    base = AutoModelForCausalLM.from_pretrained(BASES[run.family], dtype=torch.float32, attn_implementation="eager").eval()
    if run.lora:
        save_adapter(policy, OUT / run.name, run.family)
        save_adapter(value, OUT / f"{run.name}-value", run.family)
        head = None
    else:
        head = value.score.weight.detach().flatten().tolist()
    trained = [p for model in (policy, value) for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=TRAINING["learning_rate"], eps=TRAINING["adam_epsilon"], weight_decay=0.0)
    turns = turns_of(run, policy.config.vocab_size, STEPS // run["num_ppo_epochs"])
    steps = []
    for rows in turns:
        inputs = padded(rows)
        ids = torch.cat([inputs["prompt_ids"], inputs["completion_ids"]], 1)
        # As in TRL, what is not the padding token is there to be read.
        mask = (ids != PAD).long()
        responses = inputs["completion_ids"]
        keep = responses.size(1)
        ends = inputs["completion_mask"].sum(1) - 1
        with torch.no_grad():
            logprobs, _ = log_probs(policy, ids, mask, keep, run["temperature"])
            reference, off = side(run, policy, base)
            with off:
                ref, _ = log_probs(reference, ids, mask, keep, run["temperature"])
            values = values_at(value, ids, mask, keep)
            scores = torch.tensor([r["reward"] for r in rows])
            scores[~torch.tensor([r["finished"] for r in rows])] -= run["missing_eos_penalty"]
            at = torch.arange(keep).repeat(len(rows), 1)
            padding = at > ends.unsqueeze(1)
            padding_p1 = at > ends.unsqueeze(1) + 1
            logprobs = logprobs.masked_fill(padding, INVALID_LOGPROB)
            ref = ref.masked_fill(padding, INVALID_LOGPROB)
            values = values.masked_fill(padding_p1, 0)
            logr = ref - logprobs
            kl = -logr if run["kl_estimator"] == "k1" else (logr.exp() - 1) - logr
            non_score = -run["kl_coef"] * kl
            rewards = non_score.clone()
            rewards[torch.arange(len(rows)), torch.where(ends + 1 < keep, ends + 1, ends)] += scores
            if run["whiten_rewards"]:
                rewards = masked_whiten(rewards, mask=~padding_p1, shift_mean=False).masked_fill(padding_p1, 0)
            last, reversed_ = 0, []
            for t in reversed(range(keep)):
                following = values[:, t + 1] if t < keep - 1 else 0.0
                last = rewards[:, t] + run["gamma"] * following - values[:, t] + run["gamma"] * run["lam"] * last
                reversed_.append(last)
            advantages = torch.stack(reversed_[::-1], dim=1)
            returns = advantages + values
            advantages = masked_whiten(advantages, ~padding).masked_fill(padding, 0)
        objective = {
            "objective/kl": kl.sum(1).mean().item(),
            "objective/entropy": (-logprobs * ~padding).sum(1).mean().item(),
            "objective/non_score_reward": non_score.sum(1).mean().item(),
            "objective/rlhf_reward": (non_score.sum(1).mean() + scores.mean()).item(),
            "objective/scores": scores.mean().item(),
            "val/num_eos_tokens": int((responses == EOS).sum()),
        }
        for epoch in range(run["num_ppo_epochs"]):
            new, _ = log_probs(policy, ids, mask, keep, run["temperature"])
            new = new.masked_fill(padding, INVALID_LOGPROB)
            vpred = values_at(value, ids, mask, keep).masked_fill(padding_p1, 0)
            near = torch.clamp(vpred, values - run["cliprange_value"], values + run["cliprange_value"])
            vf1, vf2 = (vpred - returns).square(), (near - returns).square()
            vf = 0.5 * masked_mean(torch.max(vf1, vf2), ~padding_p1)
            ratio = torch.exp(new - logprobs)
            pg1 = -advantages * ratio
            pg2 = -advantages * torch.clamp(ratio, 1 - run["cliprange"], 1 + run["cliprange"])
            pg = masked_mean(torch.max(pg1, pg2), ~padding)
            loss = pg + run["vf_coef"] * vf
            optimizer.zero_grad()
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(trained, TRAINING["max_grad_norm"])
            optimizer.step()
            own = {
                "policy/approxkl_avg": (0.5 * (new - logprobs).square().mean()).item(),
                "policy/clipfrac_avg": masked_mean((pg2 > pg1).float(), ~padding).item(),
                "loss/policy_avg": pg.item(),
                "loss/value_avg": vf.item(),
                "val/clipfrac_avg": masked_mean((vf2 > vf1).float(), ~padding_p1).item(),
                "val/ratio": ratio.mean().item(),
            }
            metrics = (objective if epoch == 0 else {}) | own
            steps.append({"loss": loss.item(), "grad_norm": norm.item(), "metrics": metrics})
    return {"head": head, "turns": turns, "steps": steps}


def written(runs: list[Run], how) -> list[dict]:
    return [
        {"name": run.name, "objective": run.objective, "family": run.family, "lora": run.lora, "section": run.section}
        | how(run)
        for run in runs
    ]


if PPO:
    assert trl.__version__ == "1.12.0", trl.__version__
    write_json(OUT / "ppo.json", written(PPO_RUNS, train_ppo))
else:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    write_json(OUT / "training.json", written(RUNS, train))
    write_json(OUT / "meta.json", {"rows": ROWS, "end": EOS, "pad": PAD, "training": TRAINING, **versions("torch", "transformers", "peft", "trl")})  # fmt: skip
