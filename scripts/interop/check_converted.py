"""What llama.cpp's converters make of Tabtune's exports.

    python check_converted.py LLAMA_CPP CASES.json WORK

CASES.json lists objects with `name`, `base`, and `adapter` or `merged` (folders). Runs llama.cpp's scripts as people do, and
compares what is in the GGUF files with real PEFT: an adapter's alpha / rank · B·A, as llama.cpp's loader scales it, with the
change that merging the adapter in PEFT makes to the converted model; a merged model's tensors with those of PEFT's merge. Appends
one JSON object per case to the file that CHECKS names: `name`, `ok`, `detail`. `config` is the config.json of an export of the same
base: the base's own may lack names of fields that llama.cpp asks for. Run it with the transformers 4 that llama.cpp pins
(requirements/requirements-convert_legacy_llama.txt).
"""

import json
import os
import shutil
import sys
import traceback
from pathlib import Path

import numpy as np
import torch

torch.set_num_threads(1)
LLAMA_CPP = Path(sys.argv[1])
sys.path.insert(0, str(LLAMA_CPP / "gguf-py"))
sys.path.insert(1, str(LLAMA_CPP))

import gguf
from llama_cpp_scripts import script
from peft import PeftModel
from transformers import AutoModelForCausalLM

LIMIT = 1e-5


def tensors(path: Path) -> dict[str, np.ndarray]:
    """Matrices and vectors by GGUF's names, in the order of their rows."""
    reader = gguf.GGUFReader(path)
    return {t.name: np.array(t.data, dtype=np.float64).reshape([int(n) for n in reversed(t.shape)]) for t in reader.tensors}


def field(path: Path, name: str) -> float:
    return float(gguf.GGUFReader(path).fields[name].parts[-1][0])


def off(ours: np.ndarray, theirs: np.ndarray) -> float:
    if ours.shape != theirs.shape:
        return float("inf")
    return float(np.abs(ours - theirs).max() / max(np.abs(theirs).max(), 1e-30))


class Oracle:
    """The base and PEFT's merge of an adapter, as llama.cpp converts them."""

    def __init__(self, work: Path):
        self.work = work
        self.bases: dict[str, dict[str, np.ndarray]] = {}

    def convert(self, folder: Path, name: str) -> dict[str, np.ndarray]:
        out = self.work / f"{name}.gguf"
        problem = script(LLAMA_CPP, "convert_hf_to_gguf.py", folder, "--outfile", out, "--outtype", "f32")
        if problem:
            raise RuntimeError(f"convert_hf_to_gguf.py: {problem}")
        found = tensors(out)
        out.unlink()
        return found

    def saved(self, base: Path, config: Path, adapter: Path | None) -> dict[str, np.ndarray]:
        """The base, with the adapter as PEFT merges it, in a folder with the base's own files."""
        folder = self.work / "peft"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(base, folder)
        if adapter:
            model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
            PeftModel.from_pretrained(model, adapter).merge_and_unload().save_pretrained(folder)
        shutil.copy(config, folder / "config.json")
        return self.convert(folder, "peft")

    def base(self, folder: Path, config: Path) -> dict[str, np.ndarray]:
        key = str(folder)
        if key not in self.bases:
            self.bases = {key: self.saved(folder, config, None)}
        return self.bases[key]

    def merged(self, base: Path, config: Path, adapter: Path) -> dict[str, np.ndarray]:
        return self.saved(base, config, adapter)


def adapter_case(oracle: Oracle, base: Path, config: Path, adapter: Path) -> tuple[bool, str]:
    out = oracle.work / "adapter.gguf"
    problem = script(LLAMA_CPP, "convert_lora_to_gguf.py", adapter, "--base", base, "--outfile", out, "--outtype", "f32")
    if problem:
        return False, f"convert_lora_to_gguf.py: {problem}"
    found, alpha = tensors(out), field(out, "adapter.lora.alpha")
    plain, merged = oracle.base(base, config), oracle.merged(base, config, adapter)
    names = {name.removesuffix(".lora_a") for name in found if name.endswith(".lora_a")}
    changed = {name for name in plain if name in merged and off(merged[name], plain[name]) > 0}
    if names != changed:
        return False, f"in the file {sorted(names - changed)[:3]}, changed by PEFT {sorted(changed - names)[:3]}"
    worst, limit = 0.0, LIMIT
    for name in names:
        a, b = found[f"{name}.lora_a"], found[f"{name}.lora_b"]
        if b.shape[-1] != a.shape[0]:
            return False, f"{name}: A {a.shape}, B {b.shape}"
        # llama-adapter.h, get_scale: alpha / rank, or 1 where alpha is 0.
        delta = (alpha / b.shape[-1] if alpha else 1.0) * (b @ a)
        # In float32 the merged weight has lost what the change is smaller by.
        change = merged[name] - plain[name]
        noise = np.abs(merged[name]).max() * 2**-23 / max(np.abs(change).max(), 1e-30)
        apart = off(delta, change)
        worst, limit = max((worst, limit), (apart, LIMIT + noise), key=lambda pair: pair[0] / pair[1])
    return worst <= limit, f"ΔW of {len(names)} tensors {worst:.1e} (limit {limit:.1e})"


def merged_case(oracle: Oracle, base: Path, config: Path, folder: Path, adapter: Path) -> tuple[bool, str]:
    ours, theirs = oracle.convert(folder, "ours"), oracle.merged(base, config, adapter)
    if ours.keys() != theirs.keys():
        return False, f"tensors differ: {sorted(ours.keys() ^ theirs.keys())[:3]}"
    worst = max(off(ours[name], theirs[name]) for name in theirs)
    return worst <= LIMIT, f"{len(theirs)} tensors {worst:.1e} (limit {LIMIT:.0e})"


def main() -> None:
    work = Path(sys.argv[3])
    work.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    oracle = Oracle(work)
    for case in json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")):
        base, adapter, config = Path(case["base"]), Path(case["adapter"]), Path(case["config"])
        try:
            merged = case.get("merged")
            if merged:
                ok, detail = merged_case(oracle, base, config, Path(merged), adapter)
            else:
                ok, detail = adapter_case(oracle, base, config, adapter)
        except Exception as error:
            ok, detail = False, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            if os.environ.get("VERBOSE"):
                traceback.print_exc()
        with open(os.environ["CHECKS"], "a", encoding="utf-8") as out:
            print(json.dumps({"name": case["name"], "ok": bool(ok), "detail": detail}), file=out)


if __name__ == "__main__":
    main()
