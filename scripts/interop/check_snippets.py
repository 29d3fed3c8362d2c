"""Runs the Python that Tabtune shows, as it stands, and compares the model that it leaves behind with Tabtune's logits.

    python check_snippets.py CASES.json

CASES.json lists objects with `name`, `code`, `ids` (rows of token ids) and `logits` (one flat list for each row). Appends one JSON
object per case to the file that CHECKS names: `name`, `ok`, `detail`.
"""

import contextlib
import io
import json
import os
import sys
import warnings
from pathlib import Path

import torch

torch.set_num_threads(1)
warnings.simplefilter("ignore")


@torch.no_grad()
def off(model: torch.nn.Module, ids: list[int], wanted: list[float]) -> float:
    row = torch.tensor([ids])
    values = model.eval()(input_ids=row, attention_mask=torch.ones_like(row)).logits
    # Virtual tokens of a prompt have logits too.
    values = (values[:, -len(ids) :] if values.ndim == 3 else values).double().flatten()
    theirs = torch.tensor(wanted, dtype=torch.float64)
    if values.numel() != theirs.numel():
        return float("inf")
    return ((values - theirs).abs().max() / theirs.abs().max()).item()


def check(case: dict, tolerance: float) -> tuple[bool, str]:
    names: dict = {"__name__": "__main__"}
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(case["code"], case["name"], "exec"), names)
    if not said.getvalue().strip():
        return False, "it prints nothing"
    worst = max(off(names["model"], *row) for row in zip(case["ids"], case["logits"], strict=True))
    return worst <= tolerance, f"logits {worst:.1e} (limit {tolerance:.0e})"


def main() -> None:
    for case in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        try:
            ok, detail = check(case, 1e-4)
        except Exception as error:  # whatever the libraries refuse
            ok, detail = False, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        with open(os.environ["CHECKS"], "a", encoding="utf-8") as out:
            print(json.dumps({"name": case["name"], "ok": ok, "detail": detail}), file=out)


if __name__ == "__main__":
    main()
