"""Schedules, optimisers, clipping, moving averages and penalties towards the base. Writes tests/fixtures/optim/.

From transformers (get_scheduler, and get_parameter_names as the Trainer calls it), torch (AdamW, clipping, autograd), PEFT
(names), and the sources of optim_runs.py.
"""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import math
import tempfile

import peft
import torch
from optim_runs import optimisers
from safetensors.torch import save_file
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    Trainer,
    TrainingArguments,
    get_scheduler,
)

torch.set_num_threads(1)
OUT = FIXTURES / "optim"
SEED = 2001


def slanted_triangular(steps: int, peak: float, cut_frac: float, ratio: float) -> list[float]:
    """Equation 3 of Howard & Ruder (2018), term by term; p is kept from falling below 0, where floor() would let it."""
    cut = math.floor(steps * cut_frac)
    rates = []
    for t in range(steps):
        p = t / cut if t < cut else 1 - (t - cut) / (cut * (1 / cut_frac - 1))
        rates.append(peak * (1 + max(p, 0.0) * (ratio - 1)) / ratio)
    return rates


def schedules() -> dict:
    """`rates[i]` is the rate of optimiser step i (0-based), which the Trainer logs for step i + 1."""
    steps, peak = 50, 2e-4
    runs = []
    plain = [(name, {}, {}) for name in ("constant", "constant_with_warmup", "linear", "cosine", "inverse_sqrt")]
    waves = [("cosine_with_restarts", {"lr_num_cycles": n}, {"num_cycles": n}) for n in (1, 3)]
    powers = [
        ("polynomial", {"lr_power": p, "lr_end_ratio": end}, {"power": p, "lr_end": end * peak})
        for p, end in ((1.0, 0.1), (2.0, 0.0), (0.5, 0.25))
    ]
    stable = [
        ("warmup_stable_decay", {"lr_decay_ratio": r}, {"num_decay_steps": math.ceil(steps * r)}) for r in (0.1, 0.33)
    ]
    for name, own, theirs in [*plain, *waves, *powers, *stable]:
        for ratio in (0.0, 0.1, 0.25):
            with tempfile.TemporaryDirectory() as scratch:
                args = TrainingArguments(output_dir=scratch, use_cpu=True, warmup_steps=ratio)
            warmup = args.get_warmup_steps(steps)
            optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=peak)
            scheduler = get_scheduler(
                name,
                optimizer,
                num_warmup_steps=warmup,
                num_training_steps=steps,
                scheduler_specific_kwargs=theirs,
            )
            rates = []
            for _ in range(steps):
                rates.append(scheduler.get_last_lr()[0])
                optimizer.step()
                scheduler.step()
            runs.append(
                {"lr_scheduler_type": name, **own, "warmup_ratio": ratio, "warmup_steps": warmup, "rates": rates}
            )
    for cut_frac, ratio in ((0.1, 32.0), (0.3, 10.0), (0.25, 32.0)):
        runs.append(
            {
                "lr_scheduler_type": "slanted_triangular",
                "lr_cut_frac": cut_frac,
                "lr_ratio": ratio,
                "warmup_ratio": 0.0,
                "warmup_steps": 0,
                "rates": slanted_triangular(steps, peak, cut_frac, ratio),
            }
        )
    # ceil() in double arithmetic: 100 * 0.07 is 7.000000000000001, hence 8 steps.
    counts = [
        {"total_steps": total, "warmup_ratio": ratio, "warmup_steps": math.ceil(total * ratio)}
        for total in (1, 2, 3, 7, 10, 33, 50, 100, 999)
        for ratio in (0.0, 0.03, 0.07, 0.1, 0.2, 0.5)
    ]
    for row in counts:
        with tempfile.TemporaryDirectory() as scratch:
            args = TrainingArguments(output_dir=scratch, use_cpu=True, warmup_steps=row["warmup_ratio"])
        assert args.get_warmup_steps(row["total_steps"]) == row["warmup_steps"]
    return {"total_steps": steps, "learning_rate": peak, "schedules": runs, "warmup_counts": counts}


def adamw() -> dict:
    """Two tensors, twenty steps with given gradients; the rate changes from step to step and is zero in one of them."""
    rng = torch.Generator().manual_seed(SEED)
    shapes = {"a": (4, 3), "b": (7,)}
    settings = {"adam_beta1": 0.9, "adam_beta2": 0.999, "adam_epsilon": 1e-8, "weight_decay": 0.1}
    params = {k: torch.nn.Parameter(torch.randn(s, generator=rng)) for k, s in shapes.items()}
    initial = {k: p.detach().flatten().tolist() for k, p in params.items()}
    optimizer = torch.optim.AdamW(
        params.values(), lr=0.0, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1, foreach=False, fused=False
    )
    steps = []
    for step in range(20):
        rate = 1e-2 * step / 5 if step < 5 else 1e-2 * 0.5 * (1 + math.cos(math.pi * (step - 5) / 15))
        optimizer.param_groups[0]["lr"] = rate
        grads = {}
        for k, p in params.items():
            # Six orders of magnitude over the run, and exact zeros, so that epsilon and the bias corrections matter.
            p.grad = torch.randn(p.shape, generator=rng) * 10.0 ** (-(step % 7))
            p.grad.flatten()[step % p.numel()] = 0.0
            grads[k] = p.grad.flatten().tolist()
        optimizer.step()
        steps.append(
            {
                "learning_rate": rate,
                "grads": grads,
                "params": {k: p.detach().flatten().tolist() for k, p in params.items()},
            }
        )
    state = {
        k: {name: optimizer.state[p][name].flatten().tolist() for name in ("exp_avg", "exp_avg_sq")}
        for k, p in params.items()
    }
    sizes = {k: list(s) for k, s in shapes.items()}
    return {**settings, "shapes": sizes, "initial": initial, "steps": steps, "final_state": state}


def clipping() -> list[dict]:
    rng = torch.Generator().manual_seed(SEED + 1)
    cases = []
    for scale, limit in ((1.0, 1.0), (0.01, 1.0), (100.0, 0.5), (0.0, 1.0), (1e-4, 1e-3), (1e-4, 1e-7), (1e12, 1.0)):
        params = [torch.nn.Parameter(torch.zeros(s)) for s in ((3, 4), (5,), (1,))]
        for p in params:
            p.grad = torch.randn(p.shape, generator=rng) * scale
        before = [p.grad.flatten().tolist() for p in params]
        norm = torch.nn.utils.clip_grad_norm_(params, limit, foreach=False)
        cases.append(
            {
                "max_grad_norm": limit,
                "grads": before,
                "total_norm": norm.item(),
                "clipped": [p.grad.flatten().tolist() for p in params],
            }
        )
    return cases


def decaying_names() -> dict[str, dict[str, bool]]:
    """Which parameters the Trainer applies weight decay to, for each family and for PEFT's methods on one."""
    small = {
        "vocab_size": 32,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "pad_token_id": 0,
    }
    own = {
        "gpt2": {"n_embd": 16, "n_layer": 1, "n_head": 2},
        "distilbert": {"dim": 16, "hidden_dim": 16, "n_layers": 1, "n_heads": 2},
    }
    decoders = "llama mistral qwen2 qwen3 gemma2 gemma3_text phi3 smollm3 gpt2 gpt_neox".split()
    names = {}

    def record(key, model):
        yes = set(Trainer.get_decay_parameter_names(None, model))
        names[key] = {n: n in yes for n, _ in model.named_parameters()}

    for family in [*decoders, "bert", "roberta", "distilbert"]:
        config = AutoConfig.for_model(family, **{**small, **own.get(family, {})})
        auto = AutoModelForCausalLM if family in decoders else AutoModelForSequenceClassification
        record(family, auto.from_config(config))
    methods = {
        "dora": peft.LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear", use_dora=True),
        "ia3": peft.IA3Config(task_type="CAUSAL_LM"),
        "prompt": peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2),
        "prefix": peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2),
        "p_tuning": peft.PromptEncoderConfig(task_type="CAUSAL_LM", num_virtual_tokens=2),
    }
    for key, config in methods.items():
        base = AutoModelForCausalLM.from_config(AutoConfig.for_model("llama", **small))
        model = peft.get_peft_model(base, config)
        yes = set(Trainer.get_decay_parameter_names(None, model))
        names[key] = {n: n in yes for n, p in model.named_parameters() if p.requires_grad}
    return names


def pulls() -> dict:
    """A network with two layers, penalised for leaving its start by L2-SP, EWC and both; autograd does all of it."""
    rng = torch.Generator().manual_seed(SEED + 2)
    shapes = {"0.weight": (5, 4), "0.bias": (5,), "2.weight": (3, 5), "2.bias": (3,)}
    start = {n: torch.randn(s, generator=rng) * 0.5 for n, s in shapes.items()}
    old_x, old_y = torch.randn(6, 4, generator=rng), torch.randint(3, (6,), generator=rng)
    new_x, new_y = torch.randn(8, 4, generator=rng), torch.randint(3, (8,), generator=rng)

    def network():
        net = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))
        net.load_state_dict(start)
        return net

    net = network()
    fisher = {n: torch.zeros(s) for n, s in shapes.items()}
    for x, y in zip(old_x, old_y):
        net.zero_grad()
        torch.log_softmax(net(x[None]), -1)[0, y].backward()
        for n, p in net.named_parameters():
            fisher[n] += p.grad**2 / len(old_x)
    runs = []
    for alpha, lam in ((0.5, 0.0), (0.0, 20.0), (0.3, 10.0)):
        net = network()
        optimizer = torch.optim.AdamW(net.parameters(), lr=3e-2, weight_decay=0.0, foreach=False)
        losses, norms = [], []
        for _ in range(20):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(net(new_x), new_y)
            for n, p in net.named_parameters():
                away = (p - start[n]) ** 2
                loss = loss + alpha / 2 * away.sum() + lam / 2 * (fisher[n] * away).sum()
            loss.backward()
            norms.append(torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5, foreach=False).item())
            optimizer.step()
            losses.append(loss.item())
        final = {n: p.detach().flatten().tolist() for n, p in net.named_parameters()}
        runs.append({"l2_sp_alpha": alpha, "ewc_lambda": lam, "losses": losses, "grad_norms": norms, "final": final})
    flat = lambda named: {n: t.flatten().tolist() for n, t in named.items()}
    return {
        "shapes": {n: list(s) for n, s in shapes.items()},
        "start": flat(start),
        "old": {"x": old_x.flatten().tolist(), "y": old_y.tolist()},
        "new": {"x": new_x.flatten().tolist(), "y": new_y.tolist()},
        "fisher": flat(fisher),
        "learning_rate": 3e-2,
        "max_grad_norm": 0.5,
        "runs": runs,
    }


if __name__ == "__main__":
    write_json(OUT / "schedules.json", schedules())
    write_json(OUT / "adamw.json", adamw())
    write_json(OUT / "clipping.json", {"cases": clipping()})
    runs, tensors = optimisers()
    write_json(OUT / "optimisers.json", runs)
    save_file(tensors, OUT / "optimisers.safetensors")
    write_json(OUT / "pulls.json", pulls())
    write_json(OUT / "decay.json", decaying_names())
    write_json(
        OUT / "meta.json",
        {
            "made_by": "tests/oracle/make_optim_fixtures.py",
            "seed": SEED,
            "versions": versions("torch", "transformers", "bitsandbytes", "peft"),
            "tolerances": {"schedules": 1e-12, "adamw": 1e-5, "clipping": 1e-5, "optimisers": 1e-4, "pulls": 1e-4, "meaning": "max|a-b| / max|b|"},
        },
    )
