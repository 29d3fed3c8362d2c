"""What mlx-lm makes of Tabtune's exports, beside PEFT and transformers, and what Tabtune makes of mlx-lm's adapters.

    python check_mlx.py train BASE CONFIG OUT   trains an adapter with mlx-lm's own program, for Tabtune to open
    python check_mlx.py check CASES.json

CASES.json lists objects with `name`, `kind`, `base` (a model's folder), `config` (the config.json of an export of that model, as
base folders saved by transformers 5 lack the older names of fields), `ids`, and by kind:

- adapter: `adapter` (PEFT's folder) and `mlx` must give the same logits.
- merged: `adapter` and `merged` (a model's folder) must.
- opened: `mlx`, an adapter of mlx-lm's, must give `logits`, which are Tabtune's.
- differs: as adapter, but the logits must be apart.
- refused: mlx-lm must not load `mlx`.
- shown: the commands and the Python in the README.md of the folder `mlx`, or of `merged`, must print something.

Appends one JSON object per case to the file that CHECKS names: `name`, `ok`, `detail`.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

LIMIT = 1e-5
warnings.simplefilter("ignore")


def mlx_logits(base: Path, config: Path, adapter: Path | None, ids: list[list[int]]) -> list[np.ndarray]:
    import mlx.core as mx
    from mlx_lm.utils import load_adapters, load_model

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shutil.copy(base / "model.safetensors", folder)
        shutil.copy(config, folder / "config.json")
        model, _ = load_model(folder, lazy=False, strict=True)
        if adapter:
            model = load_adapters(model, str(adapter))
        model.eval()
        return [np.array(model(mx.array([row]))[0].astype(mx.float32), dtype=np.float64) for row in ids]


def peft_logits(base: Path, adapter: Path, ids: list[list[int]]) -> list[np.ndarray]:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation="eager")
    model = PeftModel.from_pretrained(model, adapter).eval()
    with torch.no_grad():
        return [model(input_ids=torch.tensor([row])).logits[0].double().numpy() for row in ids]


def off(ours: list[np.ndarray], theirs: list[np.ndarray]) -> float:
    if [a.size for a in ours] != [b.size for b in theirs]:
        return float("inf")
    return max(float(np.abs(a.reshape(b.shape) - b).max() / np.abs(b).max()) for a, b in zip(ours, theirs, strict=True))


def shown(folder: Path) -> tuple[bool, str]:
    """As it stands, but for the names of mlx-lm's programs, which are not on the path here."""
    text = (folder / "README.md").read_text()
    lines = [part for block in re.findall(r"```sh\n(.*?)```", text, re.S) for part in block.splitlines()]
    lines += re.findall(r"`(mlx_lm\.generate [^`]*--model \.)`", text)
    tries = [[sys.executable, "-c", code] for code in re.findall(r"```python\n(.*?mlx_lm.*?)```", text, re.S)]
    for line in lines:
        program, *words = shlex.split(line)
        tries.append([sys.executable, "-m", "mlx_lm", program.removeprefix("mlx_lm."), *words, "--max-tokens", "4"])
    for words in tries:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=600)
        if done.returncode != 0 or not done.stdout.strip():
            return False, f"{' '.join(words)[:80]}: {done.stderr.strip().splitlines()[-1:]}"
    return len(tries) > 0, f"{len(tries)} run"


def check(case: dict) -> tuple[bool, str]:
    if case["kind"] == "shown":
        return shown(Path(case.get("mlx") or case["merged"]))
    base, config, ids = Path(case["base"]), Path(case["config"]), case["ids"]
    if case["kind"] == "refused":
        try:
            mlx_logits(base, config, Path(case["mlx"]), ids)
        except Exception as error:
            return True, f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"
        return False, "mlx-lm loads it"
    if case["kind"] == "merged":
        folder = Path(case["merged"])
        found = mlx_logits(folder, folder / "config.json", None, ids)
    else:
        found = mlx_logits(base, config, Path(case["mlx"]), ids)
    if case["kind"] == "opened":
        wanted = [np.array(row) for row in case["logits"]]
        apart = off(wanted, found)
    else:
        wanted = peft_logits(base, Path(case["adapter"]), ids)
        apart = off(found, wanted)
    if case["kind"] == "differs":
        return apart > 1e-3, f"logits {apart:.1e} apart"
    moved = off(mlx_logits(base, config, None, ids), found)
    return apart <= LIMIT and moved > 1e-2, f"logits {apart:.1e} (limit {LIMIT:.0e}); the base's are {moved:.1e} away"


def train(base: Path, config: Path, out: Path) -> None:
    """As people do, with a small file of texts."""
    import runpy

    data = out.with_suffix(".data")
    model = out.with_suffix(".base")
    data.mkdir(parents=True)
    shutil.copytree(base, model)
    shutil.copy(config, model / "config.json")
    lines = "".join(json.dumps({"text": f"The ship {i} sails to the isle of gold."}) + "\n" for i in range(8))
    for name in ("train", "valid"):
        (data / f"{name}.jsonl").write_text(lines)
    options = ["--model", str(model), "--train", "--data", str(data), "--adapter-path", str(out)]
    options += ["--iters", "3", "--batch-size", "2", "--num-layers", "1", "--learning-rate", "0.01", "--val-batches", "1"]
    sys.argv = ["mlx_lm.lora", *options]
    runpy.run_module("mlx_lm.lora", run_name="__main__")


def main() -> None:
    if sys.argv[1] == "train":
        return train(*map(Path, sys.argv[2:]))
    for case in json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")):
        try:
            ok, detail = check(case)
        except Exception as error:
            ok, detail = False, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        with open(os.environ["CHECKS"], "a", encoding="utf-8") as out:
            print(json.dumps({"name": case["name"], "ok": ok, "detail": detail}), file=out)


if __name__ == "__main__":
    main()
