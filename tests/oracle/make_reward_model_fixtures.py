"""Reward models: TRL's loss on given scores, the token that transformers reads a score at, and ten steps of TRL's RewardTrainer.

The base models are those of the other scripts. A run starts from a random head (and adapter), which is saved, trains on pairs of
progressions with and without margins and centring, and ends with an evaluation on pairs that were held out. In one run the padding
token is the end token, as in GPT-2's tokeniser: transformers then reads the token before it. Writes tests/fixtures/reward-models/.
"""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import torch
import transformers
from datasets import Dataset
from peft import LoraConfig, TaskType, get_peft_model
from safetensors.torch import load_file, save_file
from tiny import normal, relative, save_adapter
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast
from trl import RewardConfig, RewardTrainer

OUT = FIXTURES / "reward-models"
BASES = {
    "llama": FIXTURES / "llama" / "gqa-untied-odd",
    "gpt2": FIXTURES / "families" / "gpt2",
    "bert": FIXTURES / "families" / "bert",
}
TARGETS = {"llama": ["q_proj", "v_proj", "down_proj"], "gpt2": ["c_attn", "c_proj"], "bert": ["query", "value"]}
PAD, EOS, FIRST = 0, 2, 6
STEPS, BATCH = 10, 4
METRICS = ("loss", "accuracy", "margin", "min_reward", "mean_reward", "max_reward")
TRAINING = dict(
    learning_rate=3e-3, lr_scheduler_type="linear", max_grad_norm=1.0, weight_decay=0.1, adam_beta1=0.9, adam_beta2=0.999,
    # Gradients that are zero except for rounding must not become steps.
    adam_epsilon=1e-4,
)  # fmt: skip


# The loss on given scores --------------------------------------------------------------------------------------------


def given_scores() -> list[dict]:
    """TRL's own compute_loss on a model that returns these scores, the better answers' first."""
    cases = [
        {"chosen": [1.2, 0.1], "rejected": [0.4, 0.6]},
        {"chosen": [1.2, 0.1], "rejected": [0.4, 0.6], "centring": 0.01},
        {"chosen": [1.2, 0.1], "rejected": [0.4, 0.6], "margins": [0.5, 0.0]},
        {"chosen": [30.0, -25.0, 0.0], "rejected": [-30.0, 25.0, 0.0], "margins": [0.0, 3.0, -1.0], "centring": 0.1},
        {"chosen": [0.3, 7.5, -2.0, 1.0, 4.0], "rejected": [0.3, -1.5, -2.5, 1.5, -9.0], "margins": [0.1, 0.2, 1.5, 0.0, 2.0]},
    ]
    for case in cases:
        scores = torch.tensor([*case["chosen"], *case["rejected"]], requires_grad=True)
        metrics = {"train": {name: [] for name in METRICS[1:]}}
        trainer = SimpleNamespace(
            model=SimpleNamespace(training=True),
            args=SimpleNamespace(center_rewards_coefficient=case.get("centring")),
            accelerator=SimpleNamespace(gather=lambda t: t, gather_for_metrics=lambda t: t),
            _metrics=metrics, _total_train_tokens=0, _tp_size=1,
        )  # fmt: skip
        inputs = {"attention_mask": torch.ones(len(scores), 1)}
        if "margins" in case:
            inputs["margin"] = torch.tensor(case["margins"])
        loss = RewardTrainer.compute_loss(trainer, lambda **_: SimpleNamespace(logits=scores.unsqueeze(-1)), inputs)
        loss.backward()
        case |= {"loss": loss.item(), "gradient": scores.grad.tolist()}
        case["metrics"] = {name: metrics["train"][name][0] for name in METRICS[1:]}
    # Worked out by hand, without TRL.
    assert abs(cases[0]["loss"] - 0.672589) < 1e-6 and abs(cases[1]["loss"] - 0.687839) < 1e-6
    assert abs(cases[2]["loss"] - 0.764216) < 1e-6
    return cases


# Training ------------------------------------------------------------------------------------------------------------


@dataclass
class Run:
    name: str
    family: str
    lora: bool
    accumulate: int = 1
    margins: bool = True
    centring: float | None = None
    #: The tokeniser has no padding token, so that the end token pads.
    pads_with_end: bool = False


RUNS = [
    Run("llama-full", "llama", lora=False, centring=0.05),
    Run("llama-lora", "llama", lora=True, centring=0.01, accumulate=2),
    Run("gpt2-full", "gpt2", lora=False, margins=False),
    Run("gpt2-lora", "gpt2", lora=True, centring=0.1, pads_with_end=True),
    Run("bert-full", "bert", lora=False, centring=0.05, accumulate=2),
    Run("bert-lora", "bert", lora=True),
]


def tokenizer_of(run: Run, vocab: int) -> PreTrainedTokenizerFast:
    """One word per id: the trainer wants a tokeniser, although the pairs are tokenised already."""
    words = Tokenizer(models.WordLevel({f"t{i}": i for i in range(vocab)}, unk_token="t1"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    pad = {} if run.pads_with_end else {"pad_token": f"t{PAD}"}
    return PreTrainedTokenizerFast(tokenizer_object=words, eos_token=f"t{EOS}", unk_token="t1", **pad)


def pairs_of(run: Run, vocab: int, count: int, seed: int) -> list[dict]:
    """The better answer goes on counting as the prompt does, the other one does not. Both end with the end token."""
    rng = torch.Generator().manual_seed(seed)

    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high, (1,), generator=rng))

    def walk(start: int, stride: int, length: int) -> list[int]:
        return [FIRST + (start + stride * i) % (vocab - FIRST) for i in range(length)]

    pairs = []
    for _ in range(count):
        start, prompt, good, bad = draw(0, 40), draw(2, 6), draw(2, 8), draw(2, 8)
        asked = walk(start, 1, prompt)
        pair: dict = {
            "chosen_ids": [*asked, *walk(start + prompt, 1, good), EOS],
            "rejected_ids": [*asked, *walk(start + prompt, draw(2, 5), bad), EOS],
        }
        if run.margins:
            pair["margin"] = round(0.25 * draw(0, 5), 2)
        pairs.append(pair)
    return pairs


def new_model(run: Run, attention: str) -> torch.nn.Module:
    """The base with a random head, large enough to show in the gradients."""
    config = transformers.AutoConfig.from_pretrained(BASES[run.family], num_labels=1)
    model = AutoModelForSequenceClassification.from_pretrained(
        BASES[run.family], config=config, dtype=torch.float32, attn_implementation=attention
    )
    stored = load_file(BASES[run.family] / "model.safetensors").keys()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name not in stored:
                p.copy_(normal(p.shape, 0.3 if p.ndim == 2 else 0.1, torch.Generator().manual_seed(len(name))))
    if not run.lora:
        return model
    lora = LoraConfig(
        r=4, lora_alpha=8, lora_dropout=0.0, target_modules=TARGETS[run.family], task_type=TaskType.SEQ_CLS,
        modules_to_save=["pooler"] if run.family == "bert" else ["score"],
    )  # fmt: skip
    torch.manual_seed(5)
    wrapped = get_peft_model(model, lora)
    with torch.no_grad():
        for name, p in wrapped.named_parameters():
            if "lora_B" in name:
                p.copy_(normal(p.shape, 0.1, torch.Generator().manual_seed(len(name))))
    return wrapped


def trainable(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """By the names of the files: PEFT's with its prefix and without the adapter's name."""
    clean = lambda n: n.removeprefix("base_model.model.").replace(".default", "").replace(".modules_to_save", "")  # noqa: E731
    return {clean(n): p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}


def train(run: Run, attention: str = "eager", folder: Path | None = None):
    model = new_model(run, attention)
    vocab = model.config.vocab_size
    if folder and run.lora:
        save_adapter(model, folder, run.family)
    start = trainable(model)
    train_pairs, held = pairs_of(run, vocab, 16, 21), pairs_of(run, vocab, 8, 22)
    with tempfile.TemporaryDirectory() as output:
        trainer = RewardTrainer(
            model=model,
            args=RewardConfig(
                output_dir=output, max_steps=STEPS, per_device_train_batch_size=BATCH, per_device_eval_batch_size=BATCH,
                gradient_accumulation_steps=run.accumulate, center_rewards_coefficient=run.centring, warmup_steps=0,
                train_sampling_strategy="sequential", logging_steps=1, save_strategy="no", report_to=[], disable_tqdm=True,
                use_cpu=True, bf16=False, gradient_checkpointing=False, pad_to_multiple_of=None, dataloader_num_workers=0,
                **TRAINING,
            ),
            train_dataset=Dataset.from_list(train_pairs),
            eval_dataset=Dataset.from_list(held),
            processing_class=tokenizer_of(run, vocab),
        )  # fmt: skip
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
        steps = [
            {k: row[k] for k in (*METRICS, "grad_norm", "learning_rate")}
            for row in trainer.state.log_history
            if "loss" in row
        ]
        evaluated = trainer.evaluate()
    assert len(steps) == STEPS
    ended = {n: t - start[n] for n, t in trainable(model).items()}
    evaluation = {k: evaluated[f"eval_{k}"] for k in METRICS}
    return {"pairs": train_pairs, "held": held, "pad": trainer.processing_class.pad_token_id}, steps, evaluation, start, ended


def shown(name: str, run: Run) -> bool:
    """Moves to compare: the head, and what is trained in the first block. Gradients that are zero but for rounding have none."""
    if name.endswith("key.bias") or (name == "classifier.bias" and not run.centring):
        return False
    return name.startswith(("score", "classifier", "bert.pooler")) or (
        ("layers.0." in name or "h.0." in name or "layer.0." in name) and "norm" not in name.lower() and "ln_" not in name
    )


def write_run(run: Run, tensors: dict) -> dict:
    folder = OUT / run.name
    data, steps, evaluation, start, moves = train(run, folder=folder)
    _, other_steps, other_evaluation, _, other_moves = train(run, "sdpa")
    kept = {n: m for n, m in moves.items() if shown(n, run)}
    if not run.lora:
        stored = load_file(BASES[run.family] / "model.safetensors").keys()
        tensors |= {f"{run.name}.head.{n}": t for n, t in start.items() if n not in stored}
    tensors |= {f"{run.name}.move.{n}": m for n, m in kept.items()}
    # An epoch has four batches: step 8 sees what step 0 saw.
    assert steps[8]["loss"] < steps[0]["loss"], (run.name, steps[0]["loss"], steps[8]["loss"])

    def apart(a: dict, b: dict) -> float:
        return max(abs(a[k] - b[k]) for k in METRICS)

    return {
        "name": run.name, "family": run.family, "lora": run.lora, "accumulate": run.accumulate, "batch_size": BATCH,
        "centring": run.centring or 0, "training": TRAINING, **data, "steps": steps, "evaluation": evaluation,
        "noise": {
            "metrics": max([apart(a, b) for a, b in zip(steps, other_steps, strict=True)] + [apart(evaluation, other_evaluation)]),
            "move": max(relative(other_moves[n], m) for n, m in kept.items()),
        },
    }  # fmt: skip


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    tensors: dict = {}
    records = [write_run(run, tensors) for run in RUNS]
    for record in records:
        print(record["name"], record["noise"], record["steps"][0]["loss"], record["steps"][8]["loss"])
    write_json(OUT / "loss.json", given_scores())
    write_json(OUT / "training.json", records)
    save_file({n: t.contiguous() for n, t in tensors.items()}, OUT / "training.safetensors")
    write_json(
        OUT / "meta.json",
        {
            "made_by": "tests/oracle/make_reward_model_fixtures.py",
            "versions": versions("torch", "transformers", "peft", "trl", "safetensors"),
            "computed_in": "float32, one thread, eager attention",
            "tolerances": {"loss": 1e-5, "metrics of every step": 1e-3, "move": 2e-3},
        },
    )
