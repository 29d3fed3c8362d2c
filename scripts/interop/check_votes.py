"""Whether datasets and TRL find the prompts and answers in the files that votes become.

    python check_votes.py CASES.json

CASES.json lists objects with `name`, `file`, `conversational` and `rows`: of each row `system` (or null), `user`, the answers in
`texts` by column, and `label` (or null). Appends one JSON object per case to the file that CHECKS names: `name`, `ok`, `detail`.
"""

import json
import os
import sys
from pathlib import Path

from datasets import load_dataset
from transformers import AutoTokenizer
from trl.data_utils import is_conversational, maybe_apply_chat_template, maybe_extract_prompt

SMOLLM2 = Path(__file__).resolve().parents[2] / "tests/fixtures/tokenizers/smollm2"
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def chatml(row: dict) -> dict:
    """What the template makes of a row, written out."""
    system = f"<|im_start|>system\n{row['system']}<|im_end|>\n" if row["system"] is not None else ""
    prompt = f"{system}<|im_start|>user\n{row['user']}<|im_end|>\n<|im_start|>assistant\n"
    return {"prompt": prompt, **{name: f"{text}<|im_end|>\n" for name, text in row["texts"].items()}}


def check(case: dict, tokenizer) -> str:
    """What is wrong, or nothing."""
    found = load_dataset("json", data_files=case["file"], split="train")
    if len(found) != len(case["rows"]):
        return f"{len(found)} rows and not {len(case['rows'])}"
    for read, wanted in zip(found, case["rows"], strict=True):
        if is_conversational(read) != case["conversational"]:
            return f"TRL takes it for {'plain text' if case['conversational'] else 'messages'}"
        if maybe_extract_prompt(read) != read:
            return "TRL looks for the prompt in the answers"
        texts = maybe_apply_chat_template(read, tokenizer)
        plain = "\n\n".join(part for part in (wanted["system"], wanted["user"]) if part)
        expected = chatml(wanted) if case["conversational"] else {"prompt": plain, **wanted["texts"]}
        if wanted["label"] is not None:
            expected["label"] = wanted["label"]
        got = {name: texts.get(name) for name in expected}
        if got != expected:
            return f"{got!r} and not {expected!r}"
    return ""


def main() -> None:
    tokenizer = AutoTokenizer.from_pretrained(SMOLLM2)
    tokenizer.chat_template = CHATML
    for case in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        try:
            wrong = check(case, tokenizer)
        except Exception as error:
            wrong = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        detail = wrong or f"{len(case['rows'])} rows"
        with open(os.environ["CHECKS"], "a", encoding="utf-8") as out:
            print(json.dumps({"name": case["name"], "ok": wrong == "", "detail": detail}), file=out)


if __name__ == "__main__":
    main()
