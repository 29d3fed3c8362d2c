"""Writes tests/fixtures/gguf/: files from the `gguf` package, and its dequantisation.

  sample.gguf           a value of every metadata type, tensors in several formats
  written.gguf          a value of every type that Tabtune writes, and tensors that need padding: its writer must give these bytes
  blocks.safetensors    three blocks of every quantised format (NAME.bytes, NAME.values: the package's dequantisation)
  CASE.gguf             the tiny models of tests/fixtures/families/ and llama/, converted as by llama.cpp's convert_hf_to_gguf
                        (conversion/*.py there), with the package's own table of names

With a folder as its argument it writes the models there instead, in F32, for comparison with llama.cpp.
Needs gguf, numpy, safetensors, torch.
"""

from common import FIXTURES, make_reproducible

make_reproducible()

import json
import math
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from gguf import GGUFValueType, GGUFWriter
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file
from safetensors.torch import load_file

OUT = FIXTURES / "gguf"
#: Offsets of a block's float16 scales.
SCALES = {
    "Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2],
    "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}  # fmt: skip
#: An ordinary value, a negative one, and the smallest there is.
DELTAS = [np.float16(0.0371), np.float16(-1.25), np.float16(6e-8)]


def make_blocks() -> None:
    rng = np.random.default_rng(41)
    tensors = {}
    for name, places in SCALES.items():
        values, size = GGML_QUANT_SIZES[Type[name]]
        blocks = rng.integers(0, 256, (len(DELTAS), size), dtype=np.uint8)
        for block, delta in zip(blocks, DELTAS):
            for i, place in enumerate(places):
                block[place : place + 2] = np.frombuffer((delta * np.float16(1 - 0.3 * i)).tobytes(), np.uint8)
        tensors[f"{name}.bytes"] = blocks
        tensors[f"{name}.values"] = dequantize(blocks, Type[name]).reshape(len(DELTAS), values)
    save_file(tensors, OUT / "blocks.safetensors")


def make_sample() -> None:
    writer = GGUFWriter(OUT / "sample.gguf", "llama")
    writer.add_custom_alignment(64)
    writer.add_key_value("test.u8", 255, GGUFValueType.UINT8)
    writer.add_key_value("test.i8", -128, GGUFValueType.INT8)
    writer.add_key_value("test.u16", 65535, GGUFValueType.UINT16)
    writer.add_key_value("test.i16", -32768, GGUFValueType.INT16)
    writer.add_key_value("test.u32", 2**32 - 1, GGUFValueType.UINT32)
    writer.add_key_value("test.i32", -(2**31), GGUFValueType.INT32)
    writer.add_key_value("test.u64", 2**64 - 1, GGUFValueType.UINT64)
    writer.add_key_value("test.i64", -(2**40), GGUFValueType.INT64)
    writer.add_key_value("test.f32", 0.1, GGUFValueType.FLOAT32)
    writer.add_key_value("test.f64", 0.1, GGUFValueType.FLOAT64)
    writer.add_key_value("test.bool", True, GGUFValueType.BOOL)
    writer.add_key_value("test.string", "naïve \ufeff🦙", GGUFValueType.STRING)
    writer.add_array("test.strings", ["", "▁a", "\ufeff", "b"])
    writer.add_array("test.ints", [1, -2, 3])
    writer.add_array("test.floats", [0.5, -1.5])
    writer.add_array("test.bools", [True, False])
    values = (np.arange(192, dtype=np.float32) - 90) / 8
    writer.add_tensor("plain", values[:6].reshape(2, 3))
    writer.add_tensor("half", values[:6].reshape(3, 2).astype(np.float16))
    for name in ("Q8_0", "BF16"):
        writer.add_tensor(name, quantize(values.reshape(3, 64), Type[name]), raw_dtype=Type[name])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make_written() -> None:
    writer = GGUFWriter(OUT / "written.gguf", "llama")
    writer.add_uint32("a.uint32", 2**32 - 1)
    writer.add_int32("a.int32", -(2**31))
    writer.add_float32("a.float32", 1e-6)
    writer.add_bool("a.bool", True)
    writer.add_string("a.string", "naïve \ufeff🦙")
    writer.add_array("a.strings", ["", "▁a", "\ufeff", "b" * 9000])
    writer.add_array("a.int32s", [1, -2, 3])
    writer.add_key_value("a.uint32s", [1, 2**32 - 1], GGUFValueType.ARRAY, GGUFValueType.UINT32)
    writer.add_array("a.float32s", [0.5, -1.5])
    writer.add_array("a.bools", [True, False, True])
    writer.add_uint64("a.copied", 2**40 + 1)
    values = (np.arange(192, dtype=np.float32) - 90) / 8
    writer.add_tensor("bias", values[:5])
    writer.add_tensor("half.weight", values[:6].reshape(3, 2).astype(np.float16))
    writer.add_tensor("cube", values[:12].reshape(2, 3, 2))
    for name in ("Q8_0", "Q4_0", "BF16"):
        writer.add_tensor(f"{name}.weight", quantize(values.reshape(3, 64), Type[name]), raw_dtype=Type[name])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


#: Fixture -> general.architecture.
MODELS = {
    "llama/gqa-tied": "llama",
    "llama/llama3-rope-bias": "llama",
    "families/mistral": "llama",
    "families/qwen2": "qwen2",
    "families/qwen3": "qwen3",
    "families/gemma2": "gemma2",
    "families/gemma3_text": "gemma3",
    "families/phi3-longrope": "phi3",
    "families/smollm3": "smollm3",
    "families/gpt2": "gpt2",
    "families/gpt_neox": "gptneox",
}
#: These rotate pairs of adjacent dimensions, so the converter reorders the rows of queries and keys.
PERMUTED = ("llama", "smollm3")


def permute(w: torch.Tensor, heads: int) -> torch.Tensor:
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def parts_together(w: torch.Tensor, heads: int) -> torch.Tensor:
    """GPT-NeoX: query, key and value of each head -> all queries, all keys, all values."""
    return w.reshape(heads, 3, w.shape[0] // heads // 3, *w.shape[1:]).swapaxes(0, 1).reshape(w.shape)


def rope_fields(config: dict) -> dict:
    """The fields for layers with full attention, however the config spells them."""
    fields = dict(config.get("rope_parameters") or {})
    fields = dict(fields.get("full_attention", fields))
    fields.update({k: v for k, v in (config.get("rope_scaling") or {}).items()})
    fields.setdefault("rope_theta", config.get("rope_theta") or config.get("rotary_emb_base") or 10000.0)
    return fields


def llama3_factors(fields: dict, head_dim: int) -> np.ndarray:
    factors = []
    for i in range(0, head_dim, 2):
        wavelength = 2 * math.pi * fields["rope_theta"] ** (i / head_dim)
        context, low, high = (fields[k] for k in ("original_max_position_embeddings", "low_freq_factor", "high_freq_factor"))
        if wavelength < context / high:
            factors.append(1.0)
        elif wavelength > context / low:
            factors.append(fields["factor"])
        else:
            smooth = (context / wavelength - low) / (high - low)
            factors.append(1 / ((1 - smooth) / fields["factor"] + smooth))
    return np.array(factors, dtype=np.float32)


def write_keys(writer: GGUFWriter, arch: str, c: dict) -> None:
    heads = c.get("num_attention_heads") or c["n_head"]
    hidden = c.get("hidden_size") or c["n_embd"]
    writer.add_name("Tiny")
    writer.add_license("apache-2.0")
    writer.add_block_count(c.get("num_hidden_layers") or c["n_layer"])
    writer.add_context_length(c.get("max_position_embeddings") or c["n_positions"])
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(c.get("intermediate_size") or c.get("n_inner") or 4 * hidden)
    writer.add_head_count(heads)
    if arch in ("gpt2", "gptneox"):
        writer.add_layer_norm_eps(c.get("layer_norm_eps") or c["layer_norm_epsilon"])
        if arch == "gptneox":
            fields = rope_fields(c)
            part = fields.get("partial_rotary_factor") or c["rotary_pct"]
            writer.add_rope_dimension_count(int(part * (hidden // heads)))
            writer.add_rope_freq_base(fields["rope_theta"])
            writer.add_parallel_residual(c.get("use_parallel_residual", True))
        return
    head_dim = c.get("head_dim") or hidden // heads
    fields = rope_fields(c)
    writer.add_head_count_kv(c["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(c["rms_norm_eps"])
    if c.get("head_dim"):
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    writer.add_rope_freq_base(fields["rope_theta"])
    if fields.get("rope_type") == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(fields["factor"])
    if fields.get("rope_type") == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(fields["factor"])
        writer.add_rope_scaling_orig_ctx_len(fields["original_max_position_embeddings"])
    if arch in ("llama", "smollm3"):
        writer.add_vocab_size(c["vocab_size"])
        writer.add_rope_dimension_count(head_dim)
    if arch == "phi3":
        original = c["original_max_position_embeddings"]
        writer.add_rope_dimension_count(head_dim)
        writer.add_rope_scaling_orig_ctx_len(original)
        writer.add_rope_scaling_attn_factors(
            math.sqrt(1 + math.log(c["max_position_embeddings"] / original) / math.log(original))
        )
    # Llama's converter drops Mistral's window; a file that has it is read with it.
    windowed = c["model_type"] in ("mistral", "gemma2", "gemma3_text", "phi3")
    if windowed:
        writer.add_sliding_window(c.get("sliding_window") or 0)
    if arch == "gemma2":
        writer.add_attn_logit_softcapping(c["attn_logit_softcapping"])
        writer.add_final_logit_softcapping(c["final_logit_softcapping"])
    if arch == "gemma3":
        writer.add_sliding_window_pattern(c["sliding_window_pattern"])
        writer.add_float32(f"{arch}.rope.freq_base_swa", c["rope_local_base_freq"])


def write_tokens(writer: GGUFWriter, c: dict) -> None:
    """Three special tokens, then bytes from "!" on in the spelling of a byte-level vocabulary; one merge."""
    count = c["vocab_size"]
    tokens = ["<pad>", "<s>", "</s>", *(chr(33 + i) for i in range(count - 4)), "ab"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3, 3] + [1] * (count - 3))
    writer.add_token_merges(["a b"])
    writer.add_pad_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template("{% for m in messages %}{{ m.content }}</s>{% endfor %}")


def convert(case: str, arch: str, out: Path, plain: bool) -> None:
    folder = FIXTURES / case
    c = json.loads((folder / "config.json").read_text())
    heads = c.get("num_attention_heads") or c["n_head"]
    kv_heads = c.get("num_key_value_heads") or heads
    writer = GGUFWriter(out, arch)
    write_keys(writer, arch, c)
    write_tokens(writer, c)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32 if plain else gguf.LlamaFileType.MOSTLY_BF16)
    layers = c.get("num_hidden_layers") or c["n_layer"]
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[arch.upper()], layers)
    tensors: dict[str, tuple[torch.Tensor, bool]] = {}
    for name, w in load_file(folder / "model.safetensors").items():
        half = w.dtype == torch.bfloat16
        w = w.float()
        if name == "lm_head.weight" and c.get("tie_word_embeddings", arch == "gpt2"):
            continue
        if arch in PERMUTED and name.endswith(("q_proj.weight", "q_proj.bias")):
            w = permute(w, heads)
        if arch in PERMUTED and name.endswith(("k_proj.weight", "k_proj.bias")):
            w = permute(w, kv_heads)
        if arch == "gptneox" and "query_key_value" in name:
            w = parts_together(w, heads)
        if arch == "gpt2" and name.endswith((".c_attn.weight", ".c_proj.weight", ".c_fc.weight")):
            w = w.T
        if arch.startswith("gemma") and name.endswith("norm.weight"):
            w = w + 1
        new = names.get_name(name, try_suffixes=(".weight", ".bias"))
        assert new is not None, name
        tensors[new] = (w.contiguous(), half and w.ndim > 1)
    fields = rope_fields(c)
    if fields.get("rope_type") == "llama3":
        head_dim = c.get("head_dim") or c["hidden_size"] // heads
        tensors = {"rope_freqs.weight": (torch.from_numpy(llama3_factors(fields, head_dim)), False), **tensors}
    if arch == "phi3":
        for kind in ("long", "short"):
            tensors[f"rope_factors_{kind}.weight"] = (torch.tensor(fields[f"{kind}_factor"]), False)
    for name, (w, half) in tensors.items():
        if half and not plain:
            writer.add_tensor(name, quantize(w.numpy(), Type.BF16), raw_dtype=Type.BF16)
        else:
            writer.add_tensor(name, w.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    plain = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    OUT.mkdir(exist_ok=True)
    for case, arch in MODELS.items():
        convert(case, arch, (plain or OUT) / f"{case.split('/')[1]}.gguf", plain is not None)
    if plain is None:
        make_blocks()
        make_sample()
        make_written()
