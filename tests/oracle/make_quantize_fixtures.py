"""Writes tests/fixtures/quantize/blocks.safetensors: rows of float32, and the bytes that ggml's own quantisers make of them.

  CASE.values   [rows, 256 or 512] float32
  CASE.TYPE     the bytes, from ggml_quantize_chunk without an importance matrix

ggml is libggml-base of node-llama-cpp, which `npm run test:interop -- models` downloads (or pass its path). Where the gguf package has a
quantiser of its own, its bytes must be the same. Needs numpy, safetensors, gguf; the bytes are those of x86-64, where the library has no fused
multiply-add.
"""

import ctypes
import sys

import numpy as np
from common import FIXTURES, ROOT, versions, write_json
from gguf import GGML_QUANT_SIZES
from gguf import GGMLQuantizationType as Type
from gguf.quants import quantize
from safetensors.numpy import save_file

OUT = FIXTURES / "quantize"
NAMES = ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"]
IN_PACKAGE = ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"]

#: The signs of zeros and the division by a denormal scale differ there.
SAME_IN_PACKAGE = ["normal", "heavy-tailed", "scales", "outlier", "constants", "one-sign", "whole-numbers"]


def load_ggml(path=None):
    found = [path] if path else sorted(ROOT.glob(".cache/interop/node-llama-cpp-*/node_modules/@node-llama-cpp/*/bins/*/libggml-base.*"))
    if not found:
        sys.exit("libggml-base was not found; run `npm run test:interop -- models` once, or pass its path.")
    ggml = ctypes.CDLL(str(found[-1]))
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    ggml.ggml_quantize_chunk.argtypes = [
        *(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p),
        *(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p),
    ]
    return ggml


def quantized(ggml, values, kind):
    """The bytes of all rows, and their number as ggml counts it."""
    rows, columns = values.shape
    block, size = GGML_QUANT_SIZES[kind]
    out = np.zeros(rows * columns // block * size, np.uint8)
    values = np.ascontiguousarray(values, np.float32)
    written = ggml.ggml_quantize_chunk(int(kind), values.ctypes.data, out.ctypes.data, 0, rows, columns, None)
    assert written == out.size, (kind, written, out.size)
    return out


def cases():
    """Ordinary weights, and rows on which a search may stumble: its bounds, its divisions, its early ends."""
    rng = np.random.default_rng(7)
    normal = lambda *shape: rng.standard_normal(shape).astype(np.float32)
    yield "normal", normal(6, 512) * np.float32(0.02)
    yield "heavy-tailed", (rng.standard_t(3, (4, 256)) * 0.02).astype(np.float32)
    yield "scales", normal(8, 256) * np.float32(10) ** np.arange(-8, 5, 13 / 8, dtype=np.float32)[:, None]

    outlier = normal(3, 256) * np.float32(0.02)
    outlier[0, 17] = 60
    outlier[1, 200] = -60
    outlier[2, [3, 90]] = [900, -900]
    yield "outlier", outlier

    zeros = normal(4, 256)
    zeros[0] = 0
    zeros[1] = -0.0
    zeros[2, 32:160] = 0
    zeros[3, ::2] = -0.0
    yield "zeros", zeros

    constants = np.zeros((6, 256), np.float32)
    constants[0] = 0.25
    constants[1] = -0.25
    constants[2] = np.repeat(np.arange(-4, 4, dtype=np.float32), 32)
    constants[3, ::3] = 1
    constants[4] = np.where(np.arange(256) % 2, 0.5, -0.5)
    constants[5] = 1e-3
    yield "constants", constants

    one_sign = np.abs(normal(4, 256)) * np.float32(0.05)
    one_sign[1] *= -1
    one_sign[2] += 3
    one_sign[3] = -7 - one_sign[3] * np.float32(1e-3)
    yield "one-sign", one_sign

    whole = rng.integers(-8, 8, (3, 256)).astype(np.float32)
    whole[1] = np.round(normal(256) * 3) / np.float32(4)
    whole[2] = np.arange(256, dtype=np.float32) - 128
    yield "whole-numbers", whole

    tiny = normal(8, 256)
    tiny[0] *= np.float32(1e-40)
    tiny[1] *= np.float32(1e-38)
    tiny[2] = rng.integers(-3, 4, 256).astype(np.float32) * np.float32(1.4e-45)
    tiny[3] *= np.float32(1e-20)
    tiny[4] *= np.float32(1e-15)
    tiny[5] *= np.float32(2e-7)
    tiny[6, :128] *= np.float32(1e-30)
    tiny[7] = np.float32(1) + tiny[7] * np.float32(1e-7)
    yield "denormal", tiny


def main():
    ggml = load_ggml(*sys.argv[1:2])
    OUT.mkdir(exist_ok=True)
    tensors = {}
    for case, values in cases():
        values = np.ascontiguousarray(values, np.float32)
        tensors[f"{case}.values"] = values
        for name in NAMES:
            tensors[f"{case}.{name}"] = quantized(ggml, values, Type[name])
            if name in IN_PACKAGE and case in SAME_IN_PACKAGE:
                package = quantize(values, Type[name]).reshape(-1)
                assert (package == tensors[f"{case}.{name}"]).all(), (case, name)
    save_file(tensors, OUT / "blocks.safetensors")
    write_json(OUT / "meta.json", {"versions": versions("numpy", "gguf"), "ggml": "node-llama-cpp 3.22.1, x86-64"})
    print(", ".join(f"{case} {values.shape}" for case, values in cases()))


if __name__ == "__main__":
    main()
