"""Tokens of texts that are already split into words, by the Rust library, and rows packed by TRL. Writes
tests/fixtures/tasks/.

The tokenizers are those of make_tokenizer_fixtures.py, reduced to what its hard strings need; the words are from those too.
"""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import json
import random

import datasets
from datasets import Dataset
from tokenizers import Tokenizer
from trl.data_utils import pack_dataset

OUT = FIXTURES / "tasks"
TOKENIZERS = FIXTURES / "tokenizers"
SEED = 2101


def word_lists() -> list[list[str]]:
    """Words of the hard strings, split at spaces as in users' files."""
    rows = json.loads((TOKENIZERS / "strings.json").read_text())
    lists = [row["text"].encode("utf-8", "replace").decode().split() for row in rows]
    special = ("<", "[")
    return [words for words in lists if words and not any(w.startswith(special) for w in words)]


def split_into_words(name: str, lists: list[list[str]]) -> dict:
    """As transformers does with is_split_into_words. `before` is what must be put before a word."""
    spec = json.loads((TOKENIZERS / name / "tokenizer.json").read_text())
    part = spec["pre_tokenizer"] or {}
    before = ""
    if part.get("type") == "ByteLevel":
        part["add_prefix_space"] = True  # What RobertaTokenizerFast(add_prefix_space=True) and GPT-2's set.
    rust = Tokenizer.from_str(json.dumps(spec))
    if rust.encode("a", add_special_tokens=False).tokens[0][0] not in "▁Ġ" and name not in ("bert-cased", "minilm"):
        before = " "  # No setting of these adds the space, so it must be part of the words.
    rows = []
    for words in lists:
        encoded = rust.encode([before + w for w in words], is_pretokenized=True)
        rows.append({"ids": encoded.ids, "word_ids": [-1 if w is None else w for w in encoded.word_ids]})
    return {"space_in_words": before == " ", "rows": rows}


def packed() -> list[dict]:
    """Lengths of examples, and which of them TRL packs into each row, in order (best fit decreasing)."""
    draw = random.Random(SEED)
    cases = [
        (16, [16, 16, 1, 15, 2, 14, 8, 8, 8, 7, 1]),
        (32, [draw.randint(1, 32) for _ in range(200)]),
        (100, [draw.choice((3, 5, 50, 51, 49, 100, 99, 33, 34)) for _ in range(150)]),
        (64, [1] * 70),
        (10, [10]),
    ]
    out = []
    for length, lengths in cases:
        # Each token is the index of its example, so a packed row shows what it was made of.
        rows = Dataset.from_list([{"input_ids": [i] * n} for i, n in enumerate(lengths)])
        rows = pack_dataset(rows, seq_length=length, strategy="bfd", map_kwargs={"batch_size": len(lengths)})
        bins = []
        for ids, parts in zip(rows["input_ids"], rows["seq_lengths"], strict=True):
            at, members = 0, []
            for n in parts:
                assert len(set(ids[at : at + n])) == 1
                members.append(ids[at])
                at += n
            bins.append(members)
        out.append({"max_length": length, "lengths": lengths, "rows": bins})
    return out


if __name__ == "__main__":
    datasets.disable_progress_bars()
    lists = word_lists()
    # The lists with the most different letters; the rest would only make the file longer.
    lists = sorted(lists, key=lambda words: -len(set("".join(words))))[:30]
    names = ("bert-cased", "minilm", "roberta", "gpt2", "llama2", "llama2-new", "mistral", "llama3", "gemma3", "qwen3")
    write_json(
        OUT / "words.json",
        {
            "made_by": "tests/oracle/make_label_fixtures.py",
            "versions": versions("tokenizers", "trl"),
            "tolerance": "none: ids and words are equal or wrong",
            "words": lists,
            "tokenizers": {name: split_into_words(name, lists) for name in names},
        },
    )
    write_json(OUT / "packing.json", {"made_by": "tests/oracle/make_label_fixtures.py", "cases": packed()})
