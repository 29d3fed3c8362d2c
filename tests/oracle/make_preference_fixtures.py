"""Preference data as TRL's trainers prepare them: ids, masks, truncation, batches. Writes tests/fixtures/preferences/.

With the real chat templates and reduced tokenizers of tests/fixtures/templates and tests/fixtures/tokenizers. `dpo`, `kto`,
`reward` and `grpo` (prompts) are TRL's stable trainers; `cpo` stands for CPO and ORPO, whose older code is the same (this script compares them).
"""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import copy
import json
import logging
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import jinja2
import torch
from datasets import Dataset, disable_progress_bars
from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer, KTOConfig, KTOTrainer, RewardConfig, RewardTrainer
from trl.experimental.cpo import CPOConfig, CPOTrainer
from trl.experimental.orpo import ORPOConfig, ORPOTrainer

from conversations import chat

logging.disable(logging.WARNING)
warnings.filterwarnings("ignore")
disable_progress_bars()
torch.set_num_threads(1)

OUT = FIXTURES / "preferences"
TEMPLATES = FIXTURES / "templates"
TOKENIZERS = FIXTURES / "tokenizers"
NAMES = ["smollm2", "llama3", "mistral", "qwen2.5", "qwen3", "gemma2", "gemma3", "phi3"]

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['role'] == 'assistant' %}{{ BEFORE_ANSWER }}{% endif %}{{ message['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' + BEFORE_PROMPTED }}{% endif %}"
)


def chatml(before_answer: str, before_prompted: str) -> str:
    return CHATML.replace("BEFORE_ANSWER", repr(before_answer)).replace("BEFORE_PROMPTED", repr(before_prompted))


#: Templates that write a prompt otherwise when an answer follows -> whose tokenizer. The first two lose the end of the prompt, as
#: Qwen3.5 (which opens its thoughts, in the middle of a token) and Gemma 4 12B (whose empty thoughts are dropped) do.
DIVERGING = {
    "opens-thoughts": ("qwen3", chatml("<think>\n\n</think>\n\n", "<think>\n")),
    "drops-thoughts": ("qwen3", chatml("", "<think>\n\n</think>\n\n")),
    "joins-letters": ("smollm2", chatml("Answers: ", "Answ")),
}

#: Tokens. Some answers are longer, and the last prompt is.
LIMIT = 64
#: Rows that KTO mixes the answers of.
ROWS = 3

#: name -> prompt, chosen, rejected
CHATS: dict[str, tuple[list, list, list]] = {
    "one turn": (chat("u:What is the capital of France?"), chat("a:Paris."), chat("a:I do not know.")),
    "system": (chat("s:You are a pirate.", "u:Hello!"), chat("a:Ahoy, matey!"), chat("a:Good day.")),
    "turns before": (chat("u:Hi", "a:Hello!", "u:A joke?"), chat("a:Why did the boat float?"), chat("a:No.")),
    "same beginning": (chat("u:2+2?"), chat("a:The answer is 4."), chat("a:The answer is 5.")),
    "long answers": (chat("u:Count."), chat("a:" + ", ".join(str(i) for i in range(1, 40))), chat("a:One. " * 30)),
    "one long answer": (chat("u:Again."), chat("a:No."), chat("a:" + "Again and again. " * 30)),
    "letters": (chat("u:你好 👋🏽"), chat("a:مرحبا e\u0301\u0302"), chat("a:สวัสดี 🇩🇪")),
    "spaces": (chat("u:Indent it. "), chat("a:  indented"), chat("a:\n\nbroken \n")),
    "thoughts": (chat("u:3+3?"), chat("a:<think>\nThree and three.\n</think>\n\n6"), chat("a:7")),
    "several turns": (chat("u:Go on"), chat("a:First.", "u:And?", "a:Second."), chat("a:First.", "u:And?", "a:Never.")),
    "long prompt": (chat("u:" + "Why, why, why? " * 30), chat("a:So."), chat("a:No.")),
}

PLAIN: dict[str, tuple[str, str, str]] = {
    "spaced": ("Translate: cat ->", " Katze", " Hund"),
    "inside a word": ("no space at the bor", "der of a word", "ing place"),
    "space at the end": ("ends with space ", "then text", " and more"),
    "only one is joined": ("Say a wor", "d", " of it"),
    "nothing before": ("", "chosen", "rejected"),
    "ends itself": ("Done", " already<EOS>", " not yet"),
    "empty answer": ("Question: who?\nAnswer:", "", " Nobody."),
    "long answers": ("Count:", "".join(f" {i}" for i in range(40)), " one" * 70),
    "long prompt": ("why " * 70, "so", "no"),
}


def load(name: str, template: str | None) -> PreTrainedTokenizerFast:
    case = json.loads((TEMPLATES / f"{name}.json").read_bytes())
    folder = TOKENIZERS / case["tokenizer"]
    config = json.loads((folder / "tokenizer_config.json").read_bytes())
    content = lambda token: token["content"] if isinstance(token, dict) else token
    special = {k: content(config[k]) for k in ("bos_token", "eos_token", "pad_token", "unk_token") if config.get(k)}
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), **{**special, **case["special"]})
    tokenizer.chat_template = (TEMPLATES / f"{name}.jinja").read_text() if template is None else template
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def accepted(tokenizer: PreTrainedTokenizerFast, row: dict[str, Any]) -> bool:
    try:
        tokenizer.apply_chat_template(row["prompt"], tokenize=False, add_generation_prompt=True)
        for key in ("chosen", "rejected"):
            tokenizer.apply_chat_template(row["prompt"] + row[key], tokenize=False)
    except jinja2.exceptions.TemplateError:
        return False
    return True


def trainer_of(kind: str, tokenizer: PreTrainedTokenizerFast, rows: list[dict], max_length: int | None, **settings) -> Any:
    make, Config = {
        "dpo": (DPOTrainer, DPOConfig),
        "kto": (KTOTrainer, KTOConfig),
        "reward": (RewardTrainer, RewardConfig),
        "cpo": (CPOTrainer, CPOConfig),
        "orpo": (ORPOTrainer, ORPOConfig),
        "grpo": (GRPOTrainer, GRPOConfig),
    }[kind]
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=4, intermediate_size=4, num_hidden_layers=1, num_attention_heads=1,
        pad_token_id=tokenizer.pad_token_id, num_labels=1,
    )
    model = LlamaForSequenceClassification(config) if kind == "reward" else LlamaForCausalLM(config)
    # Otherwise TRL looks for the model's files to make the reference from.
    reference = {"ref_model": copy.deepcopy(model)} if kind in ("dpo", "kto") else {}
    with tempfile.TemporaryDirectory() as scratch:
        if kind == "grpo":
            reference["reward_funcs"] = lambda completions, **_: [0.0] * len(completions)
        else:
            settings["max_length"] = max_length
        args = Config(output_dir=scratch, use_cpu=True, bf16=False, report_to=[], disable_tqdm=True, **settings)
        return make(model=model, **reference, args=args, train_dataset=Dataset.from_list(rows), processing_class=tokenizer)


def batches(trainer: Any, size: int) -> list[dict[str, Any]]:
    """What TRL's collator makes of the rows in order, `size` at a time."""
    rows = [dict(row) for row in trainer.train_dataset]
    keys = trainer._signature_columns or []
    trainer._set_signature_columns_if_needed()
    wanted = set(trainer._signature_columns) if trainer._signature_columns else set(keys)
    out = []
    for start in range(0, len(rows), size):
        part = [{k: v for k, v in row.items() if k in wanted} for row in rows[start : start + size]]
        batch = trainer.data_collator(part)
        out.append({k: v.int().tolist() for k, v in batch.items() if isinstance(v, torch.Tensor)})
    return out


def packed(batch: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Padded rows as their ids and the number of tokens before the answer."""
    rows = zip(batch[f"{prefix}input_ids"], batch[f"{prefix}attention_mask"], batch[f"{prefix}completion_mask"], strict=True)
    out = []
    for ids, attention, completion in rows:
        length = sum(attention)
        # Right-padded, one run of an answer up to the end of the row.
        assert attention == [1] * length + [0] * (len(ids) - length)
        before = length - sum(completion)
        assert completion == [0] * before + [1] * (length - before) + [0] * (len(ids) - length)
        out.append({"ids": ids[:length], "prompt": before})
    return {"padded": len(batch[f"{prefix}input_ids"][0]), "rows": out}


def dpo(tokenizer: PreTrainedTokenizerFast, rows: list[dict]) -> dict[str, Any]:
    whole = trainer_of("dpo", tokenizer, rows, None).train_dataset
    tokens = [
        {"chosen": r["prompt_ids"] + r["chosen_ids"], "rejected": r["prompt_ids"] + r["rejected_ids"], "prompt": len(r["prompt_ids"])}
        for r in whole
    ]
    limited = trainer_of("dpo", tokenizer, rows, LIMIT)
    kept = [r["name"] for r in limited.train_dataset]
    return {"tokens": tokens, "kept": kept, "batches": [packed(b) for b in batches(limited, ROWS)]}


def kto(tokenizer: PreTrainedTokenizerFast, rows: list[dict]) -> dict[str, Any]:
    """Pairs, which TRL takes apart. Rows that share an answer's mismatched prompt are rotated by ROWS."""
    limited = trainer_of("kto", tokenizer, rows, LIMIT, per_device_train_batch_size=ROWS)
    kept = [[r["name"], r["label"]] for r in limited.train_dataset]
    out = [{**packed(b), "mismatched": packed(b, "KL_"), "good": b["label"]} for b in batches(limited, ROWS)]
    return {"kept": kept, "batches": out}


def reward(tokenizer: PreTrainedTokenizerFast, rows: list[dict]) -> dict[str, Any]:
    limited = trainer_of("reward", tokenizer, rows, LIMIT)
    kept = [r["name"] for r in limited.train_dataset]
    tokens = [{"chosen": r["chosen_ids"], "rejected": r["rejected_ids"]} for r in limited.train_dataset]
    return {"kept": kept, "tokens": tokens}


def cpo(tokenizer: PreTrainedTokenizerFast, rows: list[dict]) -> list[dict[str, Any]]:
    """One row each, because the old code takes some of them for errors. None where it does, or where it leaves no answer."""
    out = []
    for row in rows:
        try:
            made = [list(trainer_of(kind, tokenizer, [row], LIMIT).train_dataset)[0] for kind in ("cpo", "orpo")]
        except ValueError as error:
            assert "differ" in str(error) or "same length" in str(error), error
            out.append({"name": row["name"], "refused": True})
            continue
        keys = [f"{side}_{what}" for side in ("chosen", "rejected") for what in ("input_ids", "labels")]
        assert all(made[0][k] == made[1][k] for k in keys)
        sides = {}
        for side in ("chosen", "rejected"):
            ids, labels = made[0][f"{side}_input_ids"], made[0][f"{side}_labels"]
            before = sum(label == -100 for label in labels)
            assert labels == [-100] * before + ids[before:]
            sides[side] = {"ids": ids, "prompt": before}
        out.append({"name": row["name"], **sides})
    return out


def prompts(tokenizer: PreTrainedTokenizerFast, rows: list[dict]) -> list[list[int]]:
    trainer = trainer_of("grpo", tokenizer, [{"prompt": row["prompt"]} for row in rows], None)
    return trainer._tokenize_prompts([row["prompt"] for row in rows])[0]


def all_of(tokenizer: PreTrainedTokenizerFast, rows: list[dict]) -> dict[str, Any]:
    return {
        "rows": [r["name"] for r in rows],
        "dpo": dpo(tokenizer, rows),
        "kto": kto(tokenizer, rows),
        "reward": reward(tokenizer, rows),
        "cpo": cpo(tokenizer, rows),
        "prompts": prompts(tokenizer, rows),
    }


def write_case(name: str, model: str, template: str | None = None) -> None:
    tokenizer = load(model, template)
    rows = [dict(zip(("name", "prompt", "chosen", "rejected"), (n, *parts))) for n, parts in CHATS.items()]
    chats = [row for row in rows if accepted(tokenizer, row)]
    eos = tokenizer.eos_token
    plain = [{"name": n, "prompt": p, "chosen": c.replace("<EOS>", eos), "rejected": r} for n, (p, c, r) in PLAIN.items()]
    value = {"model": model, "template": template, "chats": all_of(tokenizer, chats)}
    # Plain text has no template.
    if template is None:
        value["plain"] = all_of(tokenizer, plain)
    text = json.dumps(value, separators=(",", ":"))
    for key in ('"chats"', '"plain"', '"dpo"', '"kto"', '"reward"', '"cpo"', '"prompts"'):
        text = text.replace(key, "\n" + key)
    (OUT / f"{name}.json").write_text(text + "\n")
    print(f"{name:10} {len(chats)} chats, DPO keeps {len(value['chats']['dpo']['kept'])}, {len(text) // 1024} kB")


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    pairs = [dict(zip(("name", "prompt", "chosen", "rejected"), (n, *parts))) for n, parts in CHATS.items()]
    texts = [dict(zip(("name", "prompt", "chosen", "rejected"), (n, *parts))) for n, parts in PLAIN.items()]
    write_json(OUT / "pairs.json", {"chats": pairs, "plain": texts})
    for name in NAMES:
        write_case(name, name)
    for name, (model, template) in DIVERGING.items():
        write_case(name, model, template)
    meta = {"made_by": "tests/oracle/make_preference_fixtures.py", "limit": LIMIT, "rows": ROWS}
    write_json(OUT / "meta.json", {**meta, "versions": versions("tokenizers", "transformers", "trl", "datasets"), "tolerance": "none"})
