"""Chat templates of real models by transformers, and what TRL trains on with them. Writes tests/fixtures/templates/.

Ids are those of the reduced tokenizers in tests/fixtures/tokenizers (run make_tokenizer_fixtures.py first). The clock is
stopped at NOW, because some templates write the date.
"""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import datetime
import json
import logging
import shutil
import warnings
from pathlib import Path
from typing import Any

import jinja2
from transformers import PreTrainedTokenizerFast
from transformers.utils import chat_template_utils
from trl.chat_template_utils import get_training_chat_template

from conversations import CONVERSATIONS, HARDER_CONVERSATIONS, PAIRS, TEXTS
from make_text_fixtures import sft
from real_templates import TEMPLATES, Template

logging.disable(logging.WARNING)
warnings.filterwarnings("ignore")

OUT = FIXTURES / "templates"
TOKENIZERS = FIXTURES / "tokenizers"
NOW = datetime.datetime(2026, 3, 5, 14, 7, 9)
Messages = list[dict[str, str]]


class StoppedClock(datetime.datetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> "StoppedClock":
        return cls(*NOW.timetuple()[:6])


chat_template_utils.datetime = StoppedClock


def load(case: Template, source: str) -> PreTrainedTokenizerFast:
    folder = TOKENIZERS / case.tokenizer
    config = json.loads((folder / "tokenizer_config.json").read_bytes())
    special = {k: content(config[k]) for k in ("bos_token", "eos_token", "pad_token", "unk_token") if config.get(k)}
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), **{**special, **case.special})
    tokenizer.chat_template = source
    return tokenizer


def content(token: Any) -> str:
    return token["content"] if isinstance(token, dict) else token


def rendered(tokenizer: PreTrainedTokenizerFast, messages: Messages, prompt: bool) -> str | None:
    """None if the template refuses."""
    try:
        return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt)
    except jinja2.exceptions.TemplateError:
        return None


def ranges(labels: list[int]) -> list[list[int]]:
    """[start, end) of every run of tokens that is trained on."""
    edges = [i for i in range(len(labels) + 1) if (i < len(labels) and labels[i] != -100) != (i > 0 and labels[i - 1] != -100)]
    return [edges[i : i + 2] for i in range(0, len(edges), 2)]


def training_template(tokenizer: PreTrainedTokenizerFast) -> str | None:
    """The template that TRL uses for assistant_only_loss; None if it refuses the model."""
    try:
        return get_training_chat_template(tokenizer) or tokenizer.chat_template
    except ValueError:
        return None


def conversations(tokenizer: PreTrainedTokenizerFast) -> list[dict[str, Any]]:
    rows = []
    for name, messages in {**CONVERSATIONS, **HARDER_CONVERSATIONS}.items():
        row: dict[str, Any] = {"name": name, "text": rendered(tokenizer, messages, False)}
        row["prompt"] = rendered(tokenizer, messages, True)
        if row["text"] is not None:
            row["ids"] = tokenizer.apply_chat_template(messages, return_dict=True)["input_ids"]
            if row["prompt"] is not None and row["prompt"].startswith(row["text"]):
                row["prompt_adds"] = row.pop("prompt")[len(row["text"]) :]
        rows.append(row)

    all_messages = {**CONVERSATIONS, **HARDER_CONVERSATIONS}
    answered = [r for r in rows if r["text"] is not None and any(m["role"] == "assistant" for m in all_messages[r["name"]])]
    training = training_template(tokenizer)
    if training is not None:
        trained = sft(
            tokenizer, [{"messages": all_messages[r["name"]]} for r in answered], template=None, assistant_only_loss=True
        )
        for row, out in zip(answered, trained, strict=True):
            text = tokenizer.apply_chat_template(all_messages[row["name"]], tokenize=False, chat_template=training)
            # If TRL's template writes the conversation differently, only its text can be recorded.
            if text == row["text"]:
                assert out["ids"] == row["ids"]
                row["assistant_only"] = ranges(out["labels"])
            else:
                row["trained_text"] = text

    last = [
        r
        for r in answered
        if all_messages[r["name"]][-1]["role"] == "assistant"
        and len(all_messages[r["name"]]) > 1
        and rendered(tokenizer, all_messages[r["name"]][:-1], True) is not None
    ]
    pairs = [{"prompt": all_messages[r["name"]][:-1], "completion": all_messages[r["name"]][-1:]} for r in last]
    for row, out in zip(last, sft(tokenizer, pairs), strict=True):
        assert out["ids"] == row["ids"]
        row["completion"] = ranges(out["labels"])
    return rows


def plain(tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    """Texts, and prompts with completions, as strings: what a model without a template is trained on."""
    eos = tokenizer.eos_token
    texts = [{"text": t.replace("<EOS>", eos)} for t in TEXTS]
    pairs = [{"prompt": p, "completion": c.replace("<EOS>", eos)} for p, c in PAIRS]
    return {
        "texts": [{**row, "ids": out["ids"], "trained": ranges(out["labels"])} for row, out in zip(texts, sft(tokenizer, texts), strict=True)],
        "pairs": [{**row, "ids": out["ids"], "trained": ranges(out["labels"])} for row, out in zip(pairs, sft(tokenizer, pairs), strict=True)],
    }


def write_case(name: str, case: Template) -> None:
    source = case.source()
    tokenizer = load(case, source)
    rows = conversations(tokenizer)
    (OUT / f"{name}.jinja").write_text(source)
    value = {"tokenizer": case.tokenizer, "special": case.special, "conversations": rows, **plain(load(case, source))}
    (OUT / f"{name}.json").write_text(json.dumps(value, separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")
    refused = sum(row["text"] is None for row in rows)
    masked = [sum(key in row for row in rows) for key in ("assistant_only", "trained_text", "completion")]
    print(f"{name:13} refuses {refused:2}, assistant only {masked[0]}, written otherwise by TRL {masked[1]}, completion {masked[2]}")


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    write_json(OUT / "conversations.json", [{"name": n, "messages": m} for n, m in {**CONVERSATIONS, **HARDER_CONVERSATIONS}.items()])
    for name, case in TEMPLATES.items():
        write_case(name, case)
    meta = {"made_by": "tests/oracle/make_template_fixtures.py", "now": NOW.isoformat()}
    write_json(OUT / "meta.json", {**meta, "versions": versions("tokenizers", "transformers", "trl", "Jinja2"), "tolerance": "none"})
