"""Quantises a GGUF file with llama.cpp's own quantiser, from the libraries that node-llama-cpp ships.

    python llama_quantize.py LIBRARIES IN.gguf OUT.gguf TYPE

TYPE is Q8_0, Q4_0 or Q4_K_M; LIBRARIES the folder of libllama.
"""

import ctypes
import sys
from pathlib import Path

#: enum llama_ftype
TYPES = {"Q4_0": 2, "Q8_0": 7, "Q4_K_M": 15}


class Parameters(ctypes.Structure):
    """llama_model_quantize_params; what follows these two fields keeps its defaults, and has room to spare."""

    _fields_ = [("nthread", ctypes.c_int32), ("ftype", ctypes.c_int), ("rest", ctypes.c_byte * 248)]


def library(folder: Path, name: str) -> ctypes.CDLL:
    # libllama.so on macOS is a .dylib; versions are part of some names.
    found = sorted(path for path in folder.iterdir() if path.name.startswith(name) and path.suffix in (".so", ".dylib"))
    if not found:
        raise SystemExit(f"{folder} has no {name}.")
    return ctypes.CDLL(str(found[0]), mode=ctypes.RTLD_GLOBAL)


def main(folder: Path, source: str, out: str, kind: str) -> None:
    library(folder, "libggml-base")
    ggml = library(folder, "libggml.")
    ggml.ggml_backend_load_all_from_path(str(folder).encode())
    llama = library(folder, "libllama.")
    # A line for each tensor otherwise.
    quiet = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda *_: None)
    llama.llama_log_set(quiet, None)
    llama.llama_model_quantize_default_params.restype = Parameters
    llama.llama_model_quantize.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(Parameters)]
    parameters = llama.llama_model_quantize_default_params()
    parameters.nthread, parameters.ftype = 1, TYPES[kind]
    if llama.llama_model_quantize(source.encode(), out.encode(), ctypes.byref(parameters)) != 0:
        raise SystemExit(f"llama.cpp did not quantise {source}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
