"""Writes tests/fixtures/blocks/: quantised weights and their decoded values.

  gguf.safetensors   NAME.blocks (bytes) and NAME.values (float32) for each of GGUF's block formats, from the gguf package.
                     Formats that it can quantise to are made from random numbers; the K-quants are random bytes with scales
                     of every size
  nf4.safetensors    CASE.input, and bitsandbytes' result for it with double quantisation

Needs numpy, torch, safetensors, gguf, bitsandbytes.
"""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import numpy as np
import torch
from bitsandbytes import functional as bnb
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as Type
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file

OUT = FIXTURES / "blocks"
QUANTISED = [Type.Q8_0, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1]
RANDOM = [Type.Q4_K, Type.Q5_K, Type.Q6_K]


def weights(rng, rows, columns):
    """Like real weights: normal, with rows of other sizes, an outlier, a row of zeros and one of a single value."""
    x = rng.standard_normal((rows, columns)).astype(np.float32)
    x[1] *= 1e-4
    x[2] *= 300
    x[3, 5] = 40
    x[4] = 0
    x[5] = -0.25
    return x


def random_blocks(rng, kind, rows, blocks):
    """Any bytes form a block; the scales are finite halves of every size, including subnormal ones."""
    _, size = GGML_QUANT_SIZES[kind]
    data = rng.integers(0, 256, (rows * blocks, size), dtype=np.uint8)
    scales = (rng.standard_normal((rows * blocks, 2)) * 10.0 ** rng.integers(-7, 1, (rows * blocks, 2))).astype(np.float16)
    at = 208 if kind == Type.Q6_K else 0
    width = 2 if kind == Type.Q6_K else 4
    data[:, at : at + width] = scales.view(np.uint8)[:, :width]
    return data.reshape(rows, blocks * size)


def make_gguf():
    rng = np.random.default_rng(3)
    tensors = {}
    for kind in QUANTISED:
        tensors[kind.name.lower()] = (kind, quantize(weights(rng, 21, 96), kind))
    for kind in RANDOM:
        tensors[kind.name.lower()] = (kind, random_blocks(rng, kind, 11, 2))
    out = {}
    for name, (kind, data) in tensors.items():
        out[f"{name}.blocks"] = np.ascontiguousarray(data.view(np.uint8))
        out[f"{name}.values"] = dequantize(data, kind)
    # Tabtune itself quantises to Q8_0: the numbers that its blocks were made from.
    x = weights(np.random.default_rng(4), 16, 64)
    x[6, :3] = [0.5, 0.25 / 127, -0.75 / 127]  # halves between two codes
    out["quantise.input"] = x
    out["quantise.q8_0"] = quantize(x, Type.Q8_0)
    save_file(out, OUT / "gguf.safetensors")


def make_nf4():
    rng = np.random.default_rng(5)
    cases = {
        "rows": weights(rng, 24, 192),  # rows of whole blocks
        "odd": weights(rng, 13, 27),  # blocks across row ends, the last one partial, of an odd length
        "many": (rng.standard_normal((300, 64)) * np.exp(rng.standard_normal((300, 1)))).astype(np.float32),
        "half": weights(rng, 10, 68),  # stored as bf16
    }
    out = {}
    for name, x in cases.items():
        tensor = torch.from_numpy(x)
        if name == "half":
            tensor = tensor.bfloat16()
            x = tensor.float().numpy()
        codes, state = bnb.quantize_4bit(tensor, blocksize=64, compress_statistics=True, quant_type="nf4")
        _, absmax = torch.ops.bitsandbytes.quantize_4bit.default(tensor, 64, "nf4", torch.uint8)
        state.dtype = torch.float32
        out[f"{name}.input"] = x
        out[f"{name}.codes"] = codes.flatten().numpy()
        out[f"{name}.absmax"] = absmax.float().numpy()
        out[f"{name}.scales"] = state.absmax.numpy()
        out[f"{name}.offset"] = state.offset.reshape(1).float().numpy()
        out[f"{name}.outer"] = state.state2.absmax.numpy()
        out[f"{name}.values"] = bnb.dequantize_4bit(codes, state).numpy()
    out["levels"] = bnb.get_4bit_type("nf4", device="cpu").numpy()
    out["dynamic"] = bnb.create_dynamic_map().numpy()
    save_file({k: np.ascontiguousarray(v) for k, v in out.items()}, OUT / "nf4.safetensors")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    make_gguf()
    make_nf4()
    write_json(OUT / "meta.json", {"versions": versions("numpy", "torch", "gguf", "bitsandbytes")})
