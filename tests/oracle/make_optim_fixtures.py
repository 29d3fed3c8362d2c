"""Learning-rate schedules, AdamW and gradient clipping, from transformers and torch. Writes tests/fixtures/optim/."""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import math
import tempfile

import torch
from transformers import TrainingArguments, get_scheduler

torch.set_num_threads(1)
OUT = FIXTURES / "optim"
SEED = 2001


def schedules() -> dict:
    """`rates[i]` is the rate optimiser step i (0-based) is taken with, as the Trainer logs it for step i + 1."""
    steps, peak = 50, 2e-4
    runs = []
    for name in ("constant", "constant_with_warmup", "linear", "cosine"):
        for ratio in (0.0, 0.1, 0.25):
            with tempfile.TemporaryDirectory() as scratch:
                args = TrainingArguments(output_dir=scratch, use_cpu=True, warmup_steps=ratio)
            warmup = args.get_warmup_steps(steps)
            optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=peak)
            scheduler = get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=steps)
            rates = []
            for _ in range(steps):
                rates.append(scheduler.get_last_lr()[0])
                optimizer.step()
                scheduler.step()
            runs.append({"lr_scheduler_type": name, "warmup_ratio": ratio, "warmup_steps": warmup, "rates": rates})
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
    """Two tensors, twenty steps with given gradients; the rate changes from step to step, one step has it at zero."""
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
            # Six orders of magnitude over the run, and exact zeros: where epsilon and the bias corrections show.
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


if __name__ == "__main__":
    write_json(OUT / "schedules.json", schedules())
    write_json(OUT / "adamw.json", adamw())
    write_json(OUT / "clipping.json", {"cases": clipping()})
    write_json(
        OUT / "meta.json",
        {
            "made_by": "tests/oracle/make_optim_fixtures.py",
            "seed": SEED,
            "versions": versions("torch", "transformers"),
            "tolerances": {"schedules": 1e-12, "adamw": 1e-5, "clipping": 1e-5, "meaning": "max|a-b| / max|b|"},
        },
    )
