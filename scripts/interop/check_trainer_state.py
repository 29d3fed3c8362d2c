"""Whether transformers reads a run's trainer_state.json.

    python check_trainer_state.py CASES.json

CASES.json lists objects with `name` and `file`. Appends one JSON object per case to the file that CHECKS names: `name`, `ok`,
`detail`.
"""

import dataclasses
import json
import os
import sys
import tempfile
from pathlib import Path

from transformers.trainer_callback import TrainerState

LOGGED = {"step": int, "epoch": (int, float)}


def check(file: str) -> str:
    """What is wrong, or nothing."""
    written = json.loads(Path(file).read_text(encoding="utf-8"))
    fields = sorted(field.name for field in dataclasses.fields(TrainerState))
    if list(written) != fields:
        return f"fields {sorted(set(written) ^ set(fields))} differ, or their order"
    state = TrainerState.load_from_json(file)
    for log in state.log_history:
        for name, kind in LOGGED.items():
            if not isinstance(log.get(name), kind):
                return f"{name} of {log}"
    for field, value in dataclasses.asdict(TrainerState()).items():
        own = getattr(state, field)
        numbers = isinstance(own, (int, float)) and isinstance(value, (int, float))
        if value is not None and not numbers and type(own) is not type(value):
            return f"{field} is {type(own).__name__} and not {type(value).__name__}"
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder) / "trainer_state.json"
        state.save_to_json(str(again))
        if json.loads(again.read_text(encoding="utf-8")) != written:
            return "transformers writes something else than it has read"
    return ""


def main() -> None:
    for case in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        try:
            wrong = check(case["file"])
        except Exception as error:
            wrong = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        with open(os.environ["CHECKS"], "a", encoding="utf-8") as checks:
            checks.write(json.dumps({"name": case["name"], "ok": wrong == "", "detail": wrong}) + "\n")


if __name__ == "__main__":
    main()
