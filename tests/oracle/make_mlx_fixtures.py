"""Adapters that mlx-lm trains and saves, on tests/fixtures/llama/gqa-tied, with the logits of its model. Writes
tests/fixtures/mlx/{lora,dora}: adapter_config.json and adapters.safetensors as mlx_lm.lora leaves them, and expected.json.

    pip install 'mlx[cpu]==0.32.4' mlx-lm==0.32.2
    python make_mlx_fixtures.py
"""

from pathlib import Path

from common import FIXTURES, versions, write_json

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
from mlx.utils import tree_flatten
from mlx_lm.tuner.utils import linear_to_lora_layers, load_adapters
from mlx_lm.utils import load_model, save_config

OUT = FIXTURES / "mlx"
BASE = FIXTURES / "llama" / "gqa-tied"
IDS = mx.array([[3, 9, 4, 17, 2, 30], [11, 5, 8, 2, 7, 6]])

#: Of the last of two blocks, and of both.
CASES = {
    "lora": {"num_layers": 1, "lora_parameters": {"rank": 3, "scale": 20.0, "dropout": 0.0, "keys": ["self_attn.q_proj", "mlp.down_proj"]}},
    "dora": {"num_layers": 2, "lora_parameters": {"rank": 2, "scale": 1.7, "dropout": 0.1, "keys": ["self_attn.v_proj", "self_attn.o_proj"]}},
}


def loss(model: nn.Module) -> mx.array:
    return nn.losses.cross_entropy(model(IDS[:, :-1]), IDS[:, 1:]).mean()


def main() -> None:
    mx.random.seed(0)
    for kind, settings in CASES.items():
        folder = OUT / kind
        folder.mkdir(parents=True, exist_ok=True)
        model, _ = load_model(BASE, lazy=False, strict=True)
        model.freeze()
        linear_to_lora_layers(model, settings["num_layers"], settings["lora_parameters"], use_dora=kind == "dora")
        optimizer = optim.Adam(learning_rate=0.02)
        for _ in range(4):
            value, gradients = nn.value_and_grad(model, loss)(model)
            optimizer.update(model, gradients)
            mx.eval(model.parameters(), optimizer.state)
        # As mlx_lm/lora.py and tuner/trainer.py save.
        mx.save_safetensors(str(folder / "adapters.safetensors"), dict(tree_flatten(model.trainable_parameters())))
        save_config({"fine_tune_type": kind, "model": "tiny-random-gqa-tied", **settings}, folder / "adapter_config.json")
        base, _ = load_model(BASE, lazy=False, strict=True)
        opened = load_adapters(base, folder)
        opened.eval()
        plain, _ = load_model(BASE, lazy=False, strict=True)
        logits, before = opened(IDS), plain(IDS)
        assert float(mx.abs(logits - before).max()) > 0.01 * float(mx.abs(before).max()), "the adapter changes nothing"
        write_json(folder / "expected.json", {"ids": IDS.tolist(), "logits": [row.flatten().tolist() for row in logits]})
    write_json(OUT / "meta.json", {"versions": versions("mlx", "mlx-lm")})


if __name__ == "__main__":
    main()
