"""Writes base models as GGUF files with llama.cpp's converter, as people get them.

    python convert_bases.py LLAMA_CPP BASES.json

BASES.json lists objects with `folder`, `config` (a config.json in the spellings that the converter reads) and `out`. Run it with the
transformers 4 that llama.cpp pins.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

LLAMA_CPP = Path(sys.argv[1])
sys.path.insert(0, str(LLAMA_CPP / "gguf-py"))
sys.path.insert(1, str(LLAMA_CPP))

from llama_cpp_scripts import script


def main() -> None:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    for base in json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")):
        with tempfile.TemporaryDirectory() as work:
            folder = Path(work) / Path(base["folder"]).name
            shutil.copytree(base["folder"], folder)
            shutil.copy(base["config"], folder / "config.json")
            problem = script(LLAMA_CPP, "convert_hf_to_gguf.py", folder, "--outfile", base["out"], "--outtype", "f32")
        print(f"{base['folder']}: {problem}" if problem else Path(base["out"]).name, flush=True)


if __name__ == "__main__":
    main()
