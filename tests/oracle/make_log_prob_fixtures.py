"""Log-probabilities of chosen tokens by TRL, entropies and other figures of their distributions, and gradients by torch, in float64. Writes tests/fixtures/losses/.

    hidden·Wᵀ + bias, Gemma 2's soft cap, then TRL's selective_log_softmax and entropy_from_logits at a temperature

Inputs are multiples of 1/64 below 4: float32 and bfloat16 hold them exactly.
"""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import torch
from trl.trainer.utils import entropy_from_logits, selective_log_softmax

SEED = 4107

# -1 pads, at either end and in between. Rows come in any order, and not all of them.
CASES = [
    {"name": "plain", "tokens": 6, "width": 5, "vocab": 11, "rows": [5, 4, 3, 2, 1, 0]},
    {"name": "padded", "tokens": 9, "width": 8, "vocab": 37, "rows": [-1, 7, 2, -1, 8, 0, 5, -1, -1]},
    {"name": "bias", "tokens": 4, "width": 3, "vocab": 20, "rows": [0, 1, 3, -1], "bias": True},
    {"name": "temperature", "tokens": 7, "width": 6, "vocab": 23, "rows": [6, 1, 3, 0], "temperature": 0.7},
    {"name": "soft-cap", "tokens": 5, "width": 12, "vocab": 32, "rows": [1, 4, 2], "softcap": 3.0, "bias": True},
    {
        "name": "everything",
        "tokens": 8,
        "width": 8,
        "vocab": 29,
        "rows": [-1, 3, 7, 1, 6, -1, 0, 5],
        "softcap": 4.0,
        "bias": True,
        "temperature": 1.3,
    },
]


def draw(*shape: int) -> torch.Tensor:
    return (torch.randn(*shape, dtype=torch.float64) * 64).round().clamp(-255, 255) / 64


def numbers(tensor: torch.Tensor) -> list[float]:
    """Ten digits: float32 has seven."""
    return [float(f"{x:.10g}") for x in tensor.flatten().tolist()]


def run(case: dict) -> dict:
    tokens, width, vocab = case["tokens"], case["width"], case["vocab"]
    softcap, temperature = case.get("softcap"), case.get("temperature", 1.0)
    rows = torch.tensor(case["rows"])
    mask = rows >= 0
    targets = torch.where(mask, torch.randint(vocab, rows.shape), -1)
    hidden = draw(tokens, width).requires_grad_()
    weight = draw(vocab, width).requires_grad_()
    bias = draw(vocab).requires_grad_() if case.get("bias") else None
    dy = draw(len(rows))

    logits = torch.nn.functional.linear(hidden[rows.clamp(min=0)], weight, bias)
    if softcap:
        logits = softcap * torch.tanh(logits / softcap)
    index = targets.clamp(min=0)
    log_probs = selective_log_softmax(logits, index, temperature=temperature, row_mask=mask)
    entropy = entropy_from_logits(logits.detach() / temperature).masked_fill(~mask, 0)

    by_hand = (logits / temperature).log_softmax(-1).gather(-1, index[:, None])[:, 0].masked_fill(~mask, 0)
    assert (log_probs - by_hand).abs().max() < 1e-12, case["name"]

    scaled = (logits / temperature).detach()
    target_logit = scaled.gather(-1, index[:, None])[:, 0]
    figures = {
        "mean_logit": scaled.mean(-1),
        "is_top": (target_logit >= scaled.amax(-1)).double(),
        "log_sum_sq_probs": (2 * scaled.log_softmax(-1)).logsumexp(-1),
    }

    inputs = [hidden, weight] + ([bias] if bias is not None else [])
    grads = torch.autograd.grad(log_probs, inputs, dy)
    return {
        "name": case["name"],
        "tokens": tokens,
        "width": width,
        "vocab": vocab,
        "softcap": softcap,
        "temperature": temperature,
        "hidden": numbers(hidden),
        "weight": numbers(weight),
        "bias": None if bias is None else numbers(bias),
        "rows": rows.tolist(),
        "targets": targets.tolist(),
        "dy": numbers(dy),
        "log_probs": numbers(log_probs),
        "entropy": numbers(entropy),
        **{name: numbers(values.masked_fill(~mask, 0)) for name, values in figures.items()},
        "grad": dict(zip(("hidden", "weight", "bias"), map(numbers, grads))),
    }


if __name__ == "__main__":
    torch.manual_seed(SEED)
    write_json(
        FIXTURES / "losses" / "log-probs.json",
        {
            "made_by": "tests/oracle/make_log_prob_fixtures.py",
            "versions": versions("torch", "trl"),
            "seed": SEED,
            "cases": [run(case) for case in CASES],
        },
    )
