"""Writes a GGUF file again with every tensor as F32: the same model, for a reader that rounds activations where weights are quantised.

    python dequantize_gguf.py IN.gguf OUT.gguf
"""

import sys

import gguf
import numpy as np


def shape(tensor) -> list[int]:
    """As numpy lists it: the reverse of the header's."""
    return [int(n) for n in reversed(tensor.shape)]


def main(source: str, out: str) -> None:
    reader = gguf.GGUFReader(source)
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
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        writer.write_tensor_data(values.astype(np.float32, copy=False).reshape(shape(tensor)))
    writer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
