"""Schedules, optimisers, clipping, moving averages and pulls towards the base. Writes tests/fixtures/optim/.

From transformers (get_scheduler, Adafactor, get_parameter_names as the Trainer calls it), torch (AdamW, Adam, SGD, clipping,
swa_utils, autograd) and bitsandbytes (Lion, AdamW8bit). bitsandbytes' CPU code rounds 8-bit moments by a table of 65536 steps,
in which every second moment below 2e-5 of its block's largest becomes one; here AdamW8bit rounds by the function that
bitsandbytes has for devices without code of their own, which takes the nearest code, as its code for GPUs does.

Gradients and first parameters of the optimisers' runs are a function of integers (`values`), which the tests compute too.
"""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import math
import tempfile

import bitsandbytes as bnb
import numpy as np
import torch
from bitsandbytes.backends.cpu import ops as bnb_cpu
from bitsandbytes.functional import create_dynamic_map
from safetensors.torch import save_file
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import Adafactor, Trainer, TrainingArguments, get_scheduler

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
    """`rates[i]` is the rate optimiser step i (0-based) is taken with, as the Trainer logs it for step i + 1."""
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


STEPS = 100
TENSORS = {
    "up.weight": (5, 7),
    "up.bias": (5,),
    "norm.weight": (12,),
    "down.weight": (3, 4),
    "ia3_in": (1, 6),
    "ia3_out": (6, 1),
    "conv.weight": (2, 3, 4),
}
LARGE = {"up.weight": (65, 70), "norm.weight": (4400,), "down.weight": (64, 64), "up.bias": (33,), "ia3_in": (8, 9)}
INITIAL = 1000
RATES = {"with": 1.0, "without": 2.0}


def values(step: int, tensor: int, size: int) -> np.ndarray:
    """Multiples of 1/1000 with a trend, over eleven binary orders of magnitude; every eleventh is zero."""
    index = np.arange(size, dtype=np.uint32)
    with np.errstate(over="ignore"):
        h = index * np.uint32(0x9E3779B1) + np.uint32(step * 0x85EBCA77 & 0xFFFFFFFF)
        h += np.uint32(tensor * 0xC2B2AE3D & 0xFFFFFFFF)
        h ^= h >> np.uint32(15)
        h *= np.uint32(0x2C1B3C6D)
        h ^= h >> np.uint32(12)
        h *= np.uint32(0x297A2D39)
        h ^= h >> np.uint32(15)
    whole = (h % 2001).astype(np.int64) - 1000 + 300 * (index.astype(np.int64) % 3 - 1)
    scale = 0.5 ** (index % 7).astype(np.float64)
    if step != INITIAL:
        scale = scale * 0.5 ** (step % 5)
    return np.where(index % 11 == 10, 0.0, whole / 1000 * scale).astype(np.float32)


class Holder(torch.nn.Module):
    """Parameters under the names of TENSORS, for the Trainer's rule of which decay."""

    def __init__(self, shapes: dict):
        super().__init__()
        for i, (name, shape) in enumerate(shapes.items()):
            module = self
            *path, last = name.split(".")
            for part in path:
                if not hasattr(module, part):
                    module.add_module(part, torch.nn.Module())
                module = getattr(module, part)
            size = math.prod(shape)
            module.register_parameter(last, torch.nn.Parameter(torch.tensor(values(INITIAL, i, size)).reshape(shape)))


def nearest_code(tensor, code, absmax, out, blocksize):
    """In place of bitsandbytes' CPU lookup: its own quantiser for devices without one."""
    keys = torch._C.DispatchKeySet(torch._C.DispatchKey.CompositeExplicitAutograd)
    codes, scales = torch.ops.bitsandbytes.quantize_blockwise.default.redispatch(keys, tensor, code, blocksize)
    out.copy_(codes)
    absmax.copy_(scales)


def optimiser_run(make, shapes: dict, *, decay: float, clip: float, peak: float, window: tuple[int, int], ema: float):
    """100 steps in two groups, as the Trainer forms them; "down.weight" has gradients in the steps of `window` only."""
    model = Holder(shapes)
    named = dict(model.named_parameters())
    decaying = set(Trainer.get_decay_parameter_names(None, model))
    groups = [
        {"params": [p for n, p in named.items() if n in decaying], "weight_decay": decay},
        {"params": [p for n, p in named.items() if n not in decaying], "weight_decay": 0.0},
    ]
    optimizer = make(groups, peak)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(ema))
    average.update_parameters(model)  # the first call copies
    norms, snapshots = [], []
    for step in range(STEPS):
        rate = peak * (1 - step / 128)  # exact fractions
        for group, factor in zip(optimizer.param_groups, RATES.values()):
            group["lr"] = rate * factor
        for i, (name, p) in enumerate(named.items()):
            on = name != "down.weight" or window[0] <= step < window[1]
            p.grad = torch.tensor(values(step, list(shapes).index(name), p.numel())).reshape(p.shape) if on else None
        limit = clip if clip > 0 else math.inf
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), limit, foreach=False).item())
        optimizer.step()
        average.update_parameters(model)
        if (step + 1) % 10 == 0:
            snapshots.append({n: p.detach().clone() for n, p in named.items()})
    averaged = {n.removeprefix("module."): p.detach() for n, p in average.named_parameters()}
    return optimizer, named, norms, snapshots, averaged, sorted(decaying)


def optimisers() -> tuple[dict, dict]:
    betas, eps = (0.9, 0.99), 1e-8

    def adafactor(groups, lr):
        return Adafactor(groups, lr=lr, scale_parameter=False, relative_step=False)

    makers = {
        "adamw": (lambda g, lr: torch.optim.AdamW(g, lr=lr, betas=betas, eps=eps, foreach=False), 1e-2),
        "adam": (lambda g, lr: torch.optim.Adam(g, lr=lr, betas=betas, eps=eps, foreach=False), 1e-2),
        "sgd": (lambda g, lr: torch.optim.SGD(g, lr=lr, momentum=0.9, foreach=False), 2e-2),
        "sgd_plain": (lambda g, lr: torch.optim.SGD(g, lr=lr, foreach=False), 2e-2),
        "lion": (lambda g, lr: bnb.optim.Lion(g, lr=lr, betas=betas), 1e-3),
        "adafactor": (adafactor, 1e-2),
        "adamw_8bit": (lambda g, lr: bnb.optim.AdamW8bit(g, lr=lr, betas=betas, eps=eps), 1e-2),
    }
    bnb_cpu._quant_blockwise_fp32_direct = nearest_code
    cases, tensors = [], {}
    for name, (make, peak) in makers.items():
        large = name == "adamw_8bit"
        shapes = LARGE if large else TENSORS
        # Of the large ones every 13th value is kept.
        keep = (lambda p: p.flatten()[::13].clone()) if large else (lambda p: p.flatten().clone())
        for case, decay, clip, window in (("on", 0.1, 1.0, (30, 70)), ("off", 0.0, 0.0, (0, STEPS))):
            key, ema = f"{name}.{case}", 0.9
            optimizer, named, norms, snapshots, averaged, decaying = optimiser_run(
                make, shapes, decay=decay, clip=clip, peak=peak, window=window, ema=ema
            )
            for i, snapshot in enumerate(snapshots):
                tensors |= {f"{key}.{10 * (i + 1)}.{n}": keep(p) for n, p in snapshot.items()}
            if name == "adamw":
                tensors |= {f"{key}.average.{n}": keep(p) for n, p in averaged.items()}
            if name == "adafactor":
                for n, p in named.items():
                    for part in ("exp_avg_sq_row", "exp_avg_sq_col", "exp_avg_sq"):
                        if part in optimizer.state[p]:
                            tensors[f"{key}.{part}.{n}"] = optimizer.state[p][part].flatten().clone()
            if large and case == "on":
                state = optimizer.state[named["up.weight"]]
                tensors |= {f"{key}.{part}": state[part].flatten().clone() for part in ("state1", "state2")}
                tensors |= {f"{key}.{part}": state[part].clone() for part in ("absmax1", "absmax2")}
                assert optimizer.state[named["up.bias"]]["state1"].dtype == torch.float32
            cases.append(
                {
                    "name": key,
                    "optim": name.removesuffix("_plain"),
                    "sgd_momentum": 0.9 if name == "sgd" else 0.0,
                    "weight_decay": decay,
                    "max_grad_norm": clip,
                    "learning_rate": peak,
                    "window": list(window),
                    "ema_decay": ema,
                    "norms": norms[9::10],
                    "decaying": decaying,
                    "shapes": {n: list(s) for n, s in shapes.items()},
                    "stride": 13 if large else 1,
                }
            )
    tensors |= {"codes.signed": create_dynamic_map(True), "codes.unsigned": create_dynamic_map(False)}
    json = {"adam_beta1": betas[0], "adam_beta2": betas[1], "adam_epsilon": eps, "rates": list(RATES.values())}
    return {**json, "steps": STEPS, "initial_step": INITIAL, "cases": cases}, tensors


def pulls() -> dict:
    """A network of two layers, pulled towards its start by L2-SP, EWC and both; autograd does all of it."""
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
    write_json(
        OUT / "meta.json",
        {
            "made_by": "tests/oracle/make_optim_fixtures.py",
            "seed": SEED,
            "versions": versions("torch", "transformers", "bitsandbytes"),
            "tolerances": {"schedules": 1e-12, "adamw": 1e-5, "clipping": 1e-5, "optimisers": 1e-4, "pulls": 1e-4, "meaning": "max|a-b| / max|b|"},
        },
    )
