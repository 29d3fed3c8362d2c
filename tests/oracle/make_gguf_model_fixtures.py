"""Writes tests/fixtures/gguf/converted.json: what llama.cpp's convert_hf_to_gguf.py makes of the tiny models of
tests/fixtures/families/ and llama/ (in F32): its metadata besides the tokenizer's, and each tensor's shape and the SHA-256 of its
values.

    PYTHONPATH=TRANSFORMERS_4 python make_gguf_model_fixtures.py LLAMA_CPP

LLAMA_CPP and TRANSFORMERS_4 as for make_gguf_adapter_fixtures.py. The models have no tokenizer, so the converter is asked for none.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
OUT = FIXTURES / "gguf" / "converted.json"
CASES = [
    "llama/gqa-tied", "llama/gqa-untied-odd", "llama/mha-untied", "llama/llama3-rope-bias",
    "families/mistral", "families/qwen2", "families/qwen3", "families/gemma2", "families/gemma3_text",
    "families/phi3", "families/phi3-longrope", "families/smollm3", "families/gpt2", "families/gpt_neox", "families/gpt_neox-serial",
]  # fmt: skip


def convert(folder: Path, out: Path) -> None:
    import gguf
    from conversion import ModelBase, ModelType, get_model_architecture, get_model_class

    hparams = ModelBase.load_hparams(folder, False)
    # The converter asks GPT-2's config for the older name of the field.
    if "n_positions" in hparams:
        hparams["n_ctx"] = hparams["n_positions"]
    kind = get_model_class(get_model_architecture(hparams, ModelType.TEXT))
    kind.set_vocab = lambda self: None
    kind(folder, gguf.LlamaFileType.ALL_F32, out, hparams=hparams).write()


def described(path: Path) -> dict:
    import gguf

    reader = gguf.GGUFReader(path)
    keys = {}
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name.startswith("tokenizer."):
            continue
        keys[name] = {"type": [kind.name for kind in field.types], "value": field.contents()}
    tensors = {}
    for tensor in reader.tensors:
        assert tensor.tensor_type == gguf.GGMLQuantizationType.F32
        values = np.ascontiguousarray(tensor.data, dtype=np.float32)
        shape = [int(n) for n in reversed(tensor.shape)]
        tensors[tensor.name] = {"shape": shape, "sha256": hashlib.sha256(values.tobytes()).hexdigest()}
        if tensor.name.startswith("rope_"):
            tensors[tensor.name]["values"] = values.reshape(-1).tolist()
    return {"keys": keys, "tensors": tensors}


def main(llama_cpp: Path) -> None:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    sys.path.insert(0, str(llama_cpp / "gguf-py"))
    sys.path.insert(1, str(llama_cpp))
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        for case in CASES:
            out = Path(scratch) / "model.gguf"
            folder = shutil.copytree(FIXTURES / case, Path(scratch) / case)
            # Gemma 3's rows are counted by it.
            size = json.loads((folder / "config.json").read_text())["vocab_size"]
            tokenizer = {"model": {"vocab": {str(i): i for i in range(size)}}, "added_tokens": []}
            (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
            convert(folder, out)
            found[case] = described(out)
            print(case, len(found[case]["tensors"]), flush=True)
    OUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
