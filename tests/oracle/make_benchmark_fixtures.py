"""Writes src/engine/benchmark/fingerprint.json: the losses of three LoRA steps on the benchmark's smallest model, by transformers, PEFT
and torch's AdamW. Its random weights are drawn as in src/engine/benchmark/random-weights.ts, A as in src/engine/methods/lora.ts.

    python make_benchmark_fixtures.py
"""

from common import ROOT, make_reproducible, philox, versions, write_json

make_reproducible()

import json  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from peft import LoraConfig, get_peft_model  # noqa: E402
from transformers import LlamaConfig, LlamaForCausalLM  # noqa: E402

FOLDER = ROOT / "src" / "engine" / "benchmark"
POOL_VALUES = (1 << 20) // 4
INIT = 4  # Stream.init of src/base/random.ts
BATCH, LENGTH, RANK, SEED, RATE = 2, 48, 16, 42, 0.01


def pool() -> torch.Tensor:
    """U(-0.04, 0.04) by the linear congruential generator of Numerical Recipes."""
    seed, values = 1, np.empty(POOL_VALUES)
    for i in range(POOL_VALUES):
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        values[i] = 0.08 * (seed / 2**32 - 0.5)
    return torch.tensor(values, dtype=torch.float64).float()


def initial_a(width: int, index: int) -> torch.Tensor:
    """U(-1/sqrt(width), 1/sqrt(width)): PEFT's kaiming_uniform_ with a = sqrt(5)."""
    words = [philox((at, 0, index, INIT), SEED)[0] for at in range(RANK * width)]
    drawn = torch.tensor([(2 * ((w >> 8) / 2**24) - 1) / width**0.5 for w in words], dtype=torch.float64)
    return drawn.float().reshape(RANK, width)


def main() -> None:
    config = json.loads((FOLDER / "models.json").read_text())["fingerprint"]["config"]
    model = LlamaForCausalLM(LlamaConfig(**config, attn_implementation="eager")).float()
    values = pool()
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            drawn = values[: tensor.numel()].reshape(tensor.shape)
            # The embedding is stored in bfloat16.
            tensor.copy_(torch.ones_like(tensor) if "norm" in name else drawn.bfloat16().float() if "embed" in name else drawn)
    model = get_peft_model(model, LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules="all-linear"))
    pairs = [module for module in model.modules() if hasattr(module, "lora_A")]
    with torch.no_grad():
        for index, module in enumerate(pairs):
            a = module.lora_A["default"].weight
            a.copy_(initial_a(a.shape[1], index))
    trained = [tensor for tensor in model.parameters() if tensor.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=0)
    ids = torch.tensor([(i * 7919 + (i >> 5) * 13 + 3) % config["vocab_size"] for i in range(BATCH * LENGTH)])
    ids = ids.reshape(BATCH, LENGTH)
    losses = []
    for _ in range(3):
        loss = model(input_ids=ids, labels=ids).loss
        losses.append(loss.item())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
    print(losses)
    write_json(
        FOLDER / "fingerprint.json",
        {"made_by": "tests/oracle/make_benchmark_fixtures.py", "versions": versions("torch", "transformers", "peft"), "losses": losses},
    )


main()
