"""Writes tests/fixtures/gguf/tokenizers.json: the tokenizer sections that llama.cpp's convert_hf_to_gguf.py makes of the tokenizers of
tests/fixtures/tokenizers/, with more rows in the embedding than tokens; long lists as the SHA-256 of their JSON. And a small
SentencePiece vocabulary, tests/fixtures/gguf/sentencepiece/, as a tokenizer.model and as what transformers makes of that.

    PYTHONPATH=TRANSFORMERS_4 python make_gguf_tokenizer_fixtures.py LLAMA_CPP

LLAMA_CPP and TRANSFORMERS_4 as for make_gguf_adapter_fixtures.py, here with protobuf too. These tokenizers are excerpts, so the converter, which knows whole
ones by their ids of one text, does not know their names.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
SPM = FIXTURES / "gguf" / "sentencepiece"
OUT = FIXTURES / "gguf" / "tokenizers.json"
#: Byte-level ones, and a model class that the converter reads them for.
CASES = {
    "gpt2": "GPT2LMHeadModel",
    "gpt_neox": "GPTNeoXForCausalLM",
    "llama3": "LlamaForCausalLM",
    "smollm2": "LlamaForCausalLM",
    "smollm3": "SmolLM3ForCausalLM",
    "mistral-tekken": "MistralForCausalLM",
    "qwen2": "Qwen2ForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
}
MODEL_TYPES = {"GPT2LMHeadModel": "gpt2", "GPTNeoXForCausalLM": "gpt_neox", "LlamaForCausalLM": "llama",
               "SmolLM3ForCausalLM": "smollm3", "MistralForCausalLM": "mistral", "Qwen2ForCausalLM": "qwen2",
               "Qwen3ForCausalLM": "qwen3"}  # fmt: skip
#: Rows without a token.
SPARE = 7


def make_sentencepiece() -> None:
    import sentencepiece
    from transformers import LlamaTokenizerFast

    SPM.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        text = Path(scratch) / "text.txt"
        text.write_text("\n".join(f"the {a} {b}   and  {c} — {a}{b}" for a in "abcdefg" for b in ("sea", "ship", "star") for c in range(40)))
        sentencepiece.SentencePieceTrainer.train(
            input=str(text), model_prefix=f"{scratch}/tokenizer", vocab_size=420, byte_fallback=True, model_type="bpe",
            minloglevel=2, hard_vocab_limit=False, remove_extra_whitespaces=False, allow_whitespace_only_pieces=True,
            normalization_rule_name="identity", user_defined_symbols=["<tool>", "<think>"],
        )  # fmt: skip
        fast = LlamaTokenizerFast(vocab_file=f"{scratch}/tokenizer.model", legacy=True, add_prefix_space=True)
        fast.add_special_tokens({"additional_special_tokens": ["<|turn|>"]})
        fast.save_pretrained(SPM)
        shutil.copy(f"{scratch}/tokenizer.model", SPM / "tokenizer.model")
    for name in ("special_tokens_map.json", "added_tokens.json"):
        (SPM / name).unlink(missing_ok=True)


def rows(folder: Path) -> int:
    files = json.loads((folder / "tokenizer.json").read_text())
    return 1 + max(*files["model"]["vocab"].values(), *(token["id"] for token in files["added_tokens"])) + SPARE


def section(folder: Path, architecture: str) -> dict:
    """What the converter writes under `tokenizer.`"""
    import gguf
    from conversion import ModelType, get_model_architecture, get_model_class

    size = {"vocab_size": rows(folder), "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    size |= {"intermediate_size": 8, "n_layer": 1, "max_position_embeddings": 8}
    hparams = {"architectures": [architecture], "model_type": MODEL_TYPES[architecture], **size}
    with tempfile.TemporaryDirectory() as scratch:
        copy = shutil.copytree(folder, Path(scratch) / "model")
        (copy / "config.json").write_text(json.dumps(hparams))
        kind = get_model_class(get_model_architecture(hparams, ModelType.TEXT))
        kind.get_vocab_base_pre = lambda self, tokenizer: "unknown"
        model = kind(copy, gguf.LlamaFileType.ALL_F32, Path(scratch) / "out.gguf", hparams=hparams)
        model.set_vocab()
        found = {k: v for part in model.gguf_writer.kv_data for k, v in part.items() if k.startswith("tokenizer.")}
    return {key: plain(value.value) for key, value in found.items()}


def plain(value: object) -> object:
    if not isinstance(value, (list, tuple)):
        return value
    # Scores are whole numbers too.
    items = [v.decode("utf-8") if isinstance(v, bytes) else v if isinstance(v, str) else int(v) for v in value]
    assert all(isinstance(v, (str, bytes)) or v == int(v) for v in value)
    text = json.dumps(items, ensure_ascii=False, separators=(",", ":"))
    return {"length": len(items), "sha256": hashlib.sha256(text.encode("utf-8")).hexdigest()}


def main(llama_cpp: Path) -> None:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    sys.path.insert(0, str(llama_cpp / "gguf-py"))
    sys.path.insert(1, str(llama_cpp))
    make_sentencepiece()
    found = {name: section(FIXTURES / "tokenizers" / name, kind) for name, kind in CASES.items()}
    found["sentencepiece"] = section(SPM, "LlamaForCausalLM")
    OUT.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
