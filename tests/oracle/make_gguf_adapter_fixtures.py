"""Writes tests/fixtures/gguf/adapters/: the PEFT adapters of tests/fixtures/families/ and llama/, converted by llama.cpp's own
convert_lora_to_gguf.py.

    PYTHONPATH=TRANSFORMERS_4 python make_gguf_adapter_fixtures.py LLAMA_CPP

LLAMA_CPP is its source (vendor/llama.cpp in the source package of llama-cpp-python 0.3.36), TRANSFORMERS_4 a folder with the
transformers that it pins (4.57.6). GPT-2's is written with the gguf package instead: the converter turns its matrices the wrong way
round, and llama.cpp takes them as PEFT has them.
"""

import json
import os
import runpy
import sys
from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
OUT = FIXTURES / "gguf" / "adapters"

#: The model's folder -> the adapter in it.
ADAPTERS = {
    "llama/llama3-rope-bias": "adapter_init",
    "families/mistral": "adapter",
    "families/qwen2": "adapter",
    "families/qwen3": "adapter",
    "families/gemma2": "adapter",
    "families/gemma3_text": "adapter",
    "families/phi3": "adapter",
    "families/smollm3": "adapter",
    "families/gpt_neox": "adapter",
}


def convert(llama_cpp: Path, base: Path, adapter: Path, out: Path) -> None:
    sys.argv = ["convert_lora_to_gguf.py", str(adapter), "--base", str(base), "--outfile", str(out), "--outtype", "f32"]
    runpy.run_path(str(llama_cpp / sys.argv[0]), run_name="__main__")


def gpt2(folder: Path, out: Path) -> None:
    import gguf
    from safetensors.numpy import load_file

    config = json.loads((folder / "adapter" / "adapter_config.json").read_text())
    layers = json.loads((folder / "config.json").read_text())["n_layer"]
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GPT2, layers)
    writer = gguf.GGUFWriter(out, "gpt2")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(config["lora_alpha"]))
    for key, values in load_file(folder / "adapter" / "adapter_model.safetensors").items():
        module, part = key.removeprefix("base_model.model.").removesuffix(".weight").rsplit(".", 1)
        name = names.get_name(module)
        assert name is not None, key
        writer.add_tensor(f"{name}.weight.{part.lower()}", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main(llama_cpp: Path) -> None:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    sys.path.insert(0, str(llama_cpp / "gguf-py"))
    sys.path.insert(1, str(llama_cpp))
    OUT.mkdir(exist_ok=True)
    for folder, adapter in ADAPTERS.items():
        base = FIXTURES / folder
        convert(llama_cpp, base, base / adapter, OUT / f"{base.name}.gguf")
    gpt2(FIXTURES / "families" / "gpt2", OUT / "gpt2.gguf")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
