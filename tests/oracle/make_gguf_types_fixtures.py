"""Writes tests/fixtures/quantize/types.json: the type of every tensor as llama.cpp's own quantiser chooses it.

Tiny models of every architecture, with numbers of layers and widths that its rules tell apart, go through llama_model_quantize of
node-llama-cpp's libllama, which `npm run test:interop -- models` downloads (or pass the folder with its libraries). Each case lists
its tensors, and for every file type the type of each, in the same order; null where llama.cpp refuses the shapes.
Needs numpy, gguf.
"""

import ctypes
import sys
import tempfile
from pathlib import Path

import numpy as np
from common import FIXTURES, ROOT, write_json
from gguf import GGUFReader, GGUFWriter

OUT = FIXTURES / "quantize" / "types.json"
FILE_TYPES = {"f16": 1, "bf16": 32, "q8_0": 7, "q4_0": 2, "q4_k_m": 15}


class Params(ctypes.Structure):
    """The head of llama_model_quantize_params; the rest keeps its defaults."""

    _fields_ = [
        *(("nthread", ctypes.c_int32), ("ftype", ctypes.c_int32)),
        *(("output_tensor_type", ctypes.c_int32), ("token_embedding_type", ctypes.c_int32)),
        ("rest", ctypes.c_byte * 512),
    ]


def load_llama(folder=None):
    found = [Path(folder)] if folder else sorted(ROOT.glob(".cache/interop/node-llama-cpp-*/node_modules/@node-llama-cpp/*/bins/*"))
    if not found:
        sys.exit("libllama was not found; run `npm run test:interop -- models` once, or pass its folder.")
    named = lambda pattern: str(next(iter(sorted(found[-1].glob(pattern)))))
    for name in ("libggml-base.*", "libggml.*"):
        ctypes.CDLL(named(name), mode=ctypes.RTLD_GLOBAL)
    llama = ctypes.CDLL(named("libllama.*"))
    llama.llama_model_quantize_default_params.restype = Params
    llama.llama_model_quantize.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(Params)]
    llama.llama_model_quantize.restype = ctypes.c_uint32
    quiet = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda *_: None)
    llama.llama_log_set(quiet, None)
    llama.quiet = quiet
    return llama


def case(architecture, layers, width, ffn, tied, *, norms=(), biases=(), fused=False, gated=True, positions=False):
    """Names and shapes (outermost dimension first) of a model's tensors."""
    kv = width // 2
    inner = {"attn_output": (width, width)}
    inner |= {"attn_qkv": (2 * width, width)} if fused else {"attn_q": (width, width), "attn_k": (kv, width), "attn_v": (kv, width)}
    inner |= {"ffn_up": (ffn * (2 if gated == "fused" else 1), width), "ffn_down": (width, ffn)}
    if gated is True:
        inner["ffn_gate"] = (ffn, width)
    tensors = [("token_embd.weight", (64, width))]
    if positions:
        tensors.append(("position_embd.weight", (32, width)))
    for layer in range(layers):
        for norm in ("attn_norm", "ffn_norm", *norms):
            tensors.append((f"blk.{layer}.{norm}.weight", (width,)))
        for name, shape in inner.items():
            tensors.append((f"blk.{layer}.{name}.weight", shape))
            if name in biases:
                tensors.append((f"blk.{layer}.{name}.bias", shape[:1]))
    tensors.append(("output_norm.weight", (width,)))
    if not tied:
        tensors.append(("output.weight", (64, width)))
    return {"architecture": architecture, "layers": layers, "width": width, "ffn": ffn, "tied": tied, "tensors": tensors}


CASES = [
    case("llama", 28, 256, 512, False),
    case("llama", 5, 96, 224, True),
    case("qwen2", 7, 224, 512, True, biases=("attn_q", "attn_k", "attn_v")),
    case("qwen3", 9, 256, 768, True, norms=("attn_q_norm", "attn_k_norm")),
    case("gemma2", 10, 256, 288, True, norms=("post_attention_norm", "post_ffw_norm")),
    case("gemma3", 18, 320, 256, True, norms=("attn_q_norm", "attn_k_norm", "post_attention_norm", "post_ffw_norm")),
    case("phi3", 8, 256, 512, False, fused=True, gated="fused"),
    case("gpt2", 12, 256, 512, True, fused=True, gated=False, biases=("attn_qkv", "attn_output", "ffn_up", "ffn_down"), positions=True),
    case("gptneox", 6, 288, 256, False, fused=True, gated=False, biases=("attn_qkv", "attn_output", "ffn_up", "ffn_down")),
    case("smollm3", 4, 40, 96, True),
]  # fmt: skip


def write(path, model):
    rng = np.random.default_rng(5)
    writer = GGUFWriter(path, model["architecture"])
    writer.add_block_count(model["layers"])
    writer.add_context_length(32)
    writer.add_embedding_length(model["width"])
    writer.add_feed_forward_length(model["ffn"])
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_layer_norm_eps(1e-5)
    writer.add_sliding_window(16)
    writer.add_rope_dimension_count(model["width"] // 4)
    writer.add_parallel_residual(True)
    for name, shape in model["tensors"]:
        writer.add_tensor(name, rng.standard_normal(shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def chosen(llama, source, target, file_type):
    params = llama.llama_model_quantize_default_params()
    params.nthread, params.ftype = 1, file_type
    if llama.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(params)) != 0:
        return None
    return {tensor.name: tensor.tensor_type.name for tensor in GGUFReader(target).tensors}


def main():
    llama = load_llama(*sys.argv[1:2])
    results = []
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "plain.gguf", Path(folder) / "quantised.gguf"
        for model in CASES:
            write(source, model)
            types = {}
            for name, number in FILE_TYPES.items():
                by_name = chosen(llama, source, target, number)
                types[name] = by_name and [by_name[tensor] for tensor, _ in model["tensors"]]
            tensors = {name: list(shape) for name, shape in model["tensors"]}
            results.append({**model, "tensors": tensors, "types": types})
    for result in results:
        for name, types in result["types"].items():
            counts = types and {kind: types.count(kind) for kind in sorted(set(types))}
            print(result["architecture"], result["width"], name, counts)
    write_json(OUT, results)


if __name__ == "__main__":
    main()
