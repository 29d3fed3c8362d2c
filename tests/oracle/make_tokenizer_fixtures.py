"""Golden vectors for the tokenizers of real models. Writes tests/fixtures/tokenizers/.

The real files are too large to commit (real_tokenizers.py fetches them), so their vocabularies and merges are reduced to
what the hard strings need. Removing a merge that a text never uses does not change how that text is split, and ids are
renumbered without gaps; rules, added tokens and flags stay. This script checks that every string is still split in the
same places; `npm run test:interop` checks that the complete files give equal ids.
"""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import hashlib
import json
import re
import shutil
from pathlib import Path

from tokenizers import Tokenizer

from hard_strings import hard_strings, well_formed
from real_tokenizers import SOURCES, Files, Json, without_limits

OUT = FIXTURES / "tokenizers"
#: Models reserve hundreds of these for later; three show how they are read.
SPARE = re.compile(r"(?:unused|reserved_special_token_|SPECIAL_|control_|dummy_|placeholder)[_<>|\d]*?(\d+)")


def is_spare(content: str) -> bool:
    found = SPARE.search(content)
    return found is not None and int(found[1]) > 2


def merges_of(token: str, ranks: dict[tuple[str, str], int]) -> list[tuple[str, str]]:
    """The merges that build a token from its letters, which are the same wherever in a word it occurs."""
    parts = list(token)
    used = []
    while len(parts) > 1:
        rank, at = min((ranks.get(pair, len(ranks)), i) for i, pair in enumerate(zip(parts, parts[1:])))
        if rank == len(ranks):
            break
        used.append((parts[at], parts[at + 1]))
        parts[at : at + 2] = ["".join(parts[at : at + 2])]
    return used


def kept_of_bpe(model: Json, reached: set[str]) -> tuple[set[str], list[list[str]]]:
    pairs = [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in model["merges"]]
    ranks = {pair: i for i, pair in enumerate(pairs)}
    used = {pair for token in reached for pair in merges_of(token, ranks)}
    kept = {part for a, b in used for part in (a, b, a + b)} | reached
    merges = [list(pair) for pair in pairs if pair in used]
    return kept, merges


def prune(tokenizer: Json, texts: list[str]) -> Json:
    rust = Tokenizer.from_str(json.dumps(tokenizer))
    model = tokenizer["model"]
    vocab: dict[str, int] = model["vocab"]
    # By id, because the decoder has changed a token's name.
    names = {i: t for t, i in vocab.items()}
    used = {i for text in texts for i in rust.encode(text, add_special_tokens=False).ids}
    reached = {names[i] for i in used if i in names}
    added = [t for t in tokenizer["added_tokens"] if t["id"] in used or not is_spare(t["content"])]
    if model["type"] == "BPE":
        kept, merges = kept_of_bpe(model, reached)
        bytes_ = {f"<0x{b:02X}>" for b in range(256)} if model.get("byte_fallback") else set()
        letters = {letter for token in kept for letter in token}
        # A letter in the vocabulary that no token uses on its own would otherwise fall back to bytes.
        kept |= (bytes_ | letters) & vocab.keys()
        if "ByteLevel" in json.dumps(tokenizer["pre_tokenizer"]):
            kept |= {t for t in vocab if len(t) == 1}
        model = {**model, "merges": merges}
    else:
        kept = reached | {model["unk_token"]}
    kept |= {t["content"] for t in added} & vocab.keys()
    order = sorted({vocab[t] for t in kept} | {t["id"] for t in added})
    ids = {old: new for new, old in enumerate(order)}

    def renumber(part: object) -> object:
        """Renumbers ids in a post-processor: [token, id], or "ids": [id] in TemplateProcessing."""
        if isinstance(part, dict):
            return {k: [ids[i] for i in v] if k == "ids" else renumber(v) for k, v in part.items()}
        if isinstance(part, list):
            if len(part) == 2 and isinstance(part[0], str) and isinstance(part[1], int):
                return [part[0], ids[part[1]]]
            return [renumber(p) for p in part]
        return part

    return {
        **tokenizer,
        "added_tokens": [{**t, "id": ids[t["id"]]} for t in added],
        "post_processor": renumber(tokenizer["post_processor"]),
        "model": {**model, "vocab": {t: ids[vocab[t]] for t in sorted(kept, key=lambda t: vocab[t])}},
    }


def golden(tokenizer: Json, texts: list[str]) -> Json:
    rust = Tokenizer.from_str(json.dumps(tokenizer))
    rows = [rust.encode(text, add_special_tokens=False).ids for text in texts]
    before, behind = around(rust.encode("a").ids, rust.encode("a", add_special_tokens=False).ids)
    decoded = {}
    for i, (text, ids) in enumerate(zip(texts, rows, strict=True)):
        assert rust.encode(text).ids == before + ids + behind, text
        back = rust.decode(ids, skip_special_tokens=False)
        if back != text:
            decoded[str(i)] = back
    return {"ids": rows, "special_before": before, "special_behind": behind, "decoded": decoded}


def around(whole: list[int], inner: list[int]) -> tuple[list[int], list[int]]:
    at = next(i for i in range(len(whole)) if whole[i : i + len(inner)] == inner)
    return whole[:at], whole[at + len(inner) :]


def write_family(name: str, files: Files, texts: list[str]) -> str:
    whole, config = without_limits(files[0]), files[1]
    pruned = prune(whole, texts)
    full, small = Tokenizer.from_str(json.dumps(whole)), Tokenizer.from_str(json.dumps(pruned))
    for text in texts:
        a, b = full.encode(text), small.encode(text)
        assert a.tokens == b.tokens and a.offsets == b.offsets, (name, text, a.tokens, b.tokens)
    # The template has separate fixtures, and the table of added tokens is in tokenizer.json.
    left_out = ("chat_template", "added_tokens_decoder")
    folder = OUT / name
    folder.mkdir(parents=True)
    write_compact(folder / "tokenizer.json", pruned)
    write_compact(folder / "tokenizer_config.json", {k: v for k, v in config.items() if k not in left_out})
    write_compact(folder / "golden.json", golden(pruned, texts))
    sizes = {f.name: f.stat().st_size for f in folder.iterdir()}
    print(f"{name:15} {len(pruned['model']['vocab']):6} of {len(whole['model']['vocab']):6} entries, {sizes}")
    return hashlib.sha256((folder / "tokenizer.json").read_bytes()).hexdigest()


def write_compact(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n", encoding="ascii")


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    rows = hard_strings()
    references = [well_formed(row["text"]) for row in rows]
    digests = {name: write_family(name, source(), references) for name, source in SOURCES.items()}
    write_json(OUT / "strings.json", rows)
    write_json(
        OUT / "meta.json",
        {
            "made_by": "tests/oracle/make_tokenizer_fixtures.py",
            "versions": versions("tokenizers"),
            "tolerance": "none: ids and texts are equal or wrong",
            "tokenizer_json_sha256": digests,
        },
    )
