"""Writes a GGUF file again with every tensor as F32: the same model, for a reader that rounds activations where weights are quantised.

    python dequantize_gguf.py IN.gguf OUT.gguf [ADAPTER.gguf]

ADAPTER is a LoRA, which is merged in.
"""

import sys

import gguf
import numpy as np


def shape(tensor) -> list[int]:
    """As numpy lists it: the reverse of the header's."""
    return [int(n) for n in reversed(tensor.shape)]


def float32(tensor) -> np.ndarray:
    values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
    return values.astype(np.float32, copy=False).reshape(shape(tensor))


def changes(adapter: str) -> dict[str, np.ndarray]:
    """What a LoRA adds to each tensor, by its name."""
    reader = gguf.GGUFReader(adapter)
    alpha = reader.get_field("adapter.lora.alpha").contents()
    parts = {tensor.name: float32(tensor).astype(np.float64) for tensor in reader.tensors}
    names = [name.removesuffix(".lora_a") for name in parts if name.endswith(".lora_a")]
    if 2 * len(names) != len(parts):
        raise SystemExit(f"{adapter} has more in it than pairs of A and B.")
    # A is [r, in], B [out, r].
    pairs = {name: (parts[f"{name}.lora_a"], parts[f"{name}.lora_b"]) for name in names}
    return {name: (alpha / len(a)) * (b @ a) for name, (a, b) in pairs.items()}


def main(source: str, out: str, adapter: str | None = None) -> None:
    added = changes(adapter) if adapter else {}
    reader = gguf.GGUFReader(source)
    if unknown := added.keys() - {tensor.name for tensor in reader.tensors}:
        raise SystemExit(f"{source} has no {', '.join(sorted(unknown))}.")
    architecture = reader.get_field("general.architecture").contents()
    writer = gguf.GGUFWriter(out, architecture)
    for key, field in reader.fields.items():
        # The writer adds these itself.
        if key.startswith("GGUF.") or key in ("general.architecture", "general.file_type"):
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(key, field.contents(), kind, inner)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    tensors = reader.tensors
    for tensor in tensors:
        writer.add_tensor_info(tensor.name, shape(tensor), np.dtype(np.float32), 4 * int(tensor.n_elements))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for tensor in tensors:
        values = float32(tensor)
        if tensor.name in added:
            values = (values + added[tensor.name]).astype(np.float32)
        writer.write_tensor_data(values)
    writer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
