"""Compares logits that llama.cpp computed from GGUF files with those of transformers and PEFT.

    python check_gguf.py CASES.json

CASES.json lists objects with `name`, `base` (a folder), `adapter` (a PEFT folder, or null), `ids`, `of` (the tokens whose logits are
compared), `logits` (llama.cpp's, a row for each of ids) and `limit`, as a share of the largest logit. Appends one JSON object per case to
the file that CHECKS names: `name`, `ok`, `detail`.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

torch.set_num_threads(1)


def off(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def reference(base: str, adapter: str | None, ids: list[int], of: list[int]) -> np.ndarray:
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation="eager")
    if adapter:
        model = PeftModel.from_pretrained(model, adapter)
    with torch.no_grad():
        return model.eval()(torch.tensor([ids])).logits[0][:, of].double().numpy()


def judge(case: dict, untrained: dict[str, np.ndarray]) -> tuple[bool, str]:
    theirs = reference(case["base"], case["adapter"], case["ids"], case["of"])
    ours = np.array(case["logits"], dtype=np.float64)
    if ours.shape != theirs.shape:
        return False, f"{ours.shape} logits, {theirs.shape} expected"
    apart, limit = off(ours, theirs), case["limit"]
    if not case["adapter"]:
        return apart <= limit, f"{apart:.1e} (limit {limit:.0e})"
    # An adapter that did nothing would prove nothing.
    if case["base"] not in untrained:
        untrained.clear()
        untrained[case["base"]] = reference(case["base"], None, case["ids"], case["of"])
    effect = off(untrained[case["base"]], theirs)
    return apart <= limit and effect >= 100 * limit, f"{apart:.1e} (limit {limit:.0e}); the adapter changes them by {effect:.1e}"


def main() -> None:
    untrained: dict[str, np.ndarray] = {}
    for case in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        try:
            ok, detail = judge(case, untrained)
        except Exception as error:
            ok, detail = False, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        with open(os.environ["CHECKS"], "a", encoding="utf-8") as out:
            print(json.dumps({"name": case["name"], "ok": bool(ok), "detail": detail}), file=out)


if __name__ == "__main__":
    main()
