"""Runs of a hundred steps with every optimiser, for make_optim_fixtures.py: torch (AdamW, Adam, SGD, clipping, swa_utils),
transformers (Adafactor, the Trainer's groups) and bitsandbytes (Lion, AdamW8bit).

bitsandbytes' CPU code rounds 8-bit moments with a table of 65536 steps, in which every second moment below 2e-5 of its
block's largest becomes one. Here AdamW8bit rounds with the function that bitsandbytes has for devices without their own code,
which takes the nearest code, as its GPU code does.

Gradients and initial parameters are a function of integers (`values`), which the tests compute too.
"""

import math

import bitsandbytes as bnb
import numpy as np
import torch
from bitsandbytes.backends.cpu import ops as bnb_cpu
from bitsandbytes.functional import create_dynamic_map
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import Adafactor, Trainer

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
    """Parameters under the names of TENSORS, for the Trainer's rule on weight decay."""

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
    """Replaces bitsandbytes' CPU lookup with its own quantiser for devices without one."""
    keys = torch._C.DispatchKeySet(torch._C.DispatchKey.CompositeExplicitAutograd)
    codes, scales = torch.ops.bitsandbytes.quantize_blockwise.default.redispatch(keys, tensor, code, blocksize)
    out.copy_(codes)
    absmax.copy_(scales)


def optimiser_run(make, shapes: dict, *, decay: float, clip: float, peak: float, window: tuple[int, int], ema: float):
    """100 steps in two groups, formed as in the Trainer; "down.weight" has gradients only in the steps of `window`."""
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
        # Of the large tensors, every 13th value is kept.
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
