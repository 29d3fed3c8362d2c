"""Loads a merged model that Tabtune exported into real transformers and compares logits.

    python check_merged.py MODEL_DIR LOGITS.json [--tolerance 1e-4]

LOGITS.json has the format that check_adapter.py reads: `logits` are those of the base with the adapter, before merging.
Prints one line, PASS or FAIL with the errors; the exit code is 0 or 1.
"""

from common import make_reproducible

make_reproducible()

import argparse
import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

torch.set_num_threads(1)


@torch.no_grad()
def check(folder: Path, cases: list[dict], tolerance: float) -> tuple[bool, str]:
    model, info = AutoModelForCausalLM.from_pretrained(
        folder, dtype="auto", attn_implementation="eager", output_loading_info=True
    )
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if info[kind]:
            return False, f"{kind}: {sorted(info[kind])[:3]}"
    AutoTokenizer.from_pretrained(folder)
    stored = model.dtype
    worst = 0.0
    for case in cases:
        ids = torch.tensor(case["input_ids"], dtype=torch.long).reshape(1, -1)
        theirs = model.float().eval()(input_ids=ids).logits.double().flatten()
        ours = torch.tensor(case["logits"], dtype=torch.float64).flatten()
        worst = max(worst, ((ours - theirs).abs().max() / theirs.abs().max()).item())
    return worst <= tolerance, f"{stored}, logits {worst:.1e} (limit {tolerance:.0e})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("logits", type=Path)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    args = parser.parse_args()
    cases = json.loads(args.logits.read_text(encoding="utf-8"))
    try:
        ok, line = check(args.model, cases if isinstance(cases, list) else [cases], args.tolerance)
    except Exception as error:  # whatever transformers refuses to load
        ok, line = False, f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"
    print(f"{'PASS' if ok else 'FAIL'} {line}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
