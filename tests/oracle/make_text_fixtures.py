"""Token ids, chat templates and loss masks, from tokenizers, transformers and TRL. Writes tests/fixtures/text/.

For the tokenizer of the built-in model (public/models/stories), and for three tiny ones made here that work like those on
the Hub: byte-level BPE with Llama 3's splitting and with SmolLM's single digits, and SentencePiece-like BPE with byte
fallback.
"""

from common import FIXTURES, ROOT, make_reproducible, versions, write_json

make_reproducible()

import hashlib
import json
import logging
import shutil
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from datasets import Dataset
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import SFTConfig, SFTTrainer

from conversations import CONVERSATIONS, PAIRS, TEXTS
from hard_strings import STRINGS

logging.disable(logging.WARNING)
warnings.filterwarnings("ignore", category=FutureWarning)
torch.set_num_threads(1)

OUT = FIXTURES / "text"
BUILTIN = ROOT / "public" / "models" / "stories"

# Tokenizers ---------------------------------------------------------------------------------------------------------

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
LLAMA3 = (
    "{{- bos_token }}{%- for message in messages %}"
    "{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' }}"
    "{%- if message['role'] == 'assistant' %}"
    "{% generation %}{{- message['content'] | trim + '<|eot_id|>' }}{% endgeneration %}"
    "{%- else %}{{- message['content'] | trim + '<|eot_id|>' }}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif %}"
)
ZEPHYR = (
    "{% for message in messages %}\n{% if message['role'] == 'assistant' %}"
    "{{ '<|assistant|>\n' }}{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}"
    "{% else %}{{ '<|' + message['role'] + '|>\n' + message['content'] + eos_token }}{% endif %}\n"
    "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
)
LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@dataclass
class Case:
    name: str
    folder: Path
    #: The chat template with {% generation %} around what is trained on: the answer and its end token.
    marked: str


def corpus() -> list[str]:
    return [s for group in STRINGS.values() for s in group] + [
        turn["content"] for conversation in CONVERSATIONS.values() for turn in conversation
    ] * 3


def unmarked(template: str) -> str:
    return template.replace("{% generation %}", "").replace("{% endgeneration %}", "")


def save_tokenizer(name: str, tokenizer: Tokenizer, template: str, **special: str) -> Case:
    folder = OUT / "tokenizers" / name
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=512, **special)
    fast.chat_template = unmarked(template)
    fast.save_pretrained(folder)
    return Case(name, folder, template)


def add_bos(token: str, token_id: int) -> processors.TemplateProcessing:
    return processors.TemplateProcessing(
        single=f"{token} $A", pair=f"{token} $A {token} $B", special_tokens=[(token, token_id)]
    )


def make_llama3_like() -> Case:
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    split = pre_tokenizers.Split(Regex(LLAMA3_SPLIT), behavior="isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>", "<|pad|>"]
    train(tokenizer, special, pre_tokenizers.ByteLevel.alphabet())
    tokenizer.post_processor = processors.Sequence(
        [processors.ByteLevel(trim_offsets=False), add_bos(special[0], tokenizer.token_to_id(special[0]))]
    )
    return save_tokenizer(
        "llama3-like", tokenizer, LLAMA3, bos_token=special[0], eos_token=special[1], pad_token=special[4]
    )


def make_digits_like() -> Case:
    """Like SmolLM: every digit is a separate token, then GPT-2's splitting."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    train(tokenizer, special, pre_tokenizers.ByteLevel.alphabet())
    return save_tokenizer(
        "smollm-like", tokenizer, CHATML, bos_token=special[1], eos_token=special[2], pad_token=special[2]
    )


def make_sentencepiece_like() -> Case:
    """Like Llama 2 and TinyLlama: spaces become U+2581, one is added in front, unknown characters fall back to bytes."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    special = ["<unk>", "<s>", "</s>"]
    latin = [s for s in corpus() if s.isascii() and "<|" not in s and len(s) < 90]
    pieces = [piece for s in latin for piece in s.replace(" ", " ▁").split(" ")]
    normalizer, tokenizer.normalizer = tokenizer.normalizer, None  # the pieces are normalised already
    train(tokenizer, [*special, *(f"<0x{b:02X}>" for b in range(256))], [], pieces)
    tokenizer.normalizer = normalizer
    # Byte tokens are ordinary pieces, not special tokens to be matched in the text.
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [token for token in state["added_tokens"] if token["content"] in special]
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.post_processor = add_bos("<s>", tokenizer.token_to_id("<s>"))
    return save_tokenizer(
        "llama2-like", tokenizer, ZEPHYR, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="</s>"
    )


def train(tokenizer: Tokenizer, special: list[str], alphabet: list[str], texts: list[str] | None = None) -> None:
    trainer = trainers.BpeTrainer(
        vocab_size=640, special_tokens=special, initial_alphabet=alphabet, show_progress=False, min_frequency=2
    )
    tokenizer.train_from_iterator(texts or corpus(), trainer)


# What is written ----------------------------------------------------------------------------------------------------


def strings(tokenizer: PreTrainedTokenizerFast) -> list[dict]:
    """From the Rust library itself: ids with its special tokens added (a BOS if it has one) and without, and back."""
    rust = tokenizer.backend_tokenizer
    rows = []
    for group, texts in STRINGS.items():
        for text in texts:
            ids = rust.encode(text, add_special_tokens=False).ids
            row = {"group": group, "text": text, "ids": ids}
            with_special = rust.encode(text).ids
            if with_special != ids:
                row["ids_with_special"] = with_special
            rust.encode_special_tokens = True  # text that looks like a special token is read as ordinary text
            as_text = rust.encode(text, add_special_tokens=False).ids
            rust.encode_special_tokens = False
            if as_text != ids:
                row["ids_special_as_text"] = as_text
            for key, skip in (("decoded", False), ("decoded_without_special", True)):
                decoded = rust.decode(ids, skip_special_tokens=skip)
                if decoded != text:
                    row[key] = decoded
            rows.append(row)
    return rows


def partial_decodes(tokenizer: PreTrainedTokenizerFast) -> list[dict]:
    """What a stream sees: the decoded text of the first 1, 2, … tokens, with characters cut in the middle."""
    rows = []
    for text in ("Hi 👨‍👩‍👧‍👦!", "e\u0301 你好 привет", "🇩🇪 ok"):
        ids = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
        texts = [tokenizer.backend_tokenizer.decode(ids[: i + 1], skip_special_tokens=True) for i in range(len(ids))]
        rows.append({"text": text, "ids": ids, "decoded": texts})
    return rows


def conversations(case: Case, tokenizer: PreTrainedTokenizerFast) -> list[dict]:
    rows = []
    for name, messages in CONVERSATIONS.items():
        text = tokenizer.apply_chat_template(messages, tokenize=False)
        assert text == tokenizer.apply_chat_template(messages, tokenize=False, chat_template=case.marked)
        prompt = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        encoded = tokenizer.apply_chat_template(
            messages, chat_template=case.marked, return_dict=True, return_assistant_tokens_mask=True
        )
        ids = encoded["input_ids"]
        assert ids == tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
        row = {
            "name": name,
            "messages": messages,
            "text": text,
            "ids": ids,
            "text_with_generation_prompt": prompt,
            "ids_with_generation_prompt": tokenizer.apply_chat_template(
                messages, add_generation_prompt=True, return_dict=True
            )["input_ids"],
            "assistant_mask": encoded["assistant_masks"],
        }
        # If only the last answer is trained on: TRL's prompt-completion rule, by TRL's own code.
        if messages[-1]["role"] == "assistant" and len(messages) > 1:
            trained = sft(tokenizer, [{"prompt": messages[:-1], "completion": messages[-1:]}])[0]
            assert trained["ids"] == ids
            row["completion_mask"] = [int(label != -100) for label in trained["labels"]]
        row["straddles"] = straddles(tokenizer, messages, ids)
        rows.append(row)
    return rows


def straddles(tokenizer: PreTrainedTokenizerFast, messages: list[dict], ids: list[int]) -> bool:
    """True if a token covers the end of a prompt and the start of its answer: the prompt's ids are not a prefix."""
    for i, message in enumerate(messages):
        if message["role"] == "assistant" and i > 0:
            prompt = tokenizer.apply_chat_template(messages[:i], add_generation_prompt=True, return_dict=True)[
                "input_ids"
            ]
            if ids[: len(prompt)] != prompt:
                return True
    return False


def sft(tokenizer: PreTrainedTokenizerFast, rows: list[dict], template: str | None = None, **settings) -> list[dict]:
    """ids and labels as TRL's SFTTrainer prepares them."""
    original = tokenizer.chat_template
    tokenizer.chat_template = template or original
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=4, intermediate_size=4, num_hidden_layers=1, num_attention_heads=1
        )
    )
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    with tempfile.TemporaryDirectory() as scratch:
        trainer = SFTTrainer(
            model=model,
            args=SFTConfig(
                output_dir=scratch, use_cpu=True, max_length=None, report_to=[], disable_tqdm=True, **settings
            ),
            train_dataset=Dataset.from_list(rows),
            processing_class=tokenizer,
        )
        prepared = [{"ids": row["input_ids"], "labels": row["labels"]} for row in trainer.train_dataset]
    tokenizer.chat_template = original
    return prepared


def prepared(case: Case, tokenizer: PreTrainedTokenizerFast) -> dict:
    eos = tokenizer.eos_token
    texts = [{"text": t.replace("<EOS>", eos)} for t in TEXTS]
    pairs = [{"prompt": p, "completion": c.replace("<EOS>", eos)} for p, c in PAIRS]
    trained = [m for m in CONVERSATIONS.values() if any(t["role"] == "assistant" for t in m)]
    return {
        "text": [{**row, **out} for row, out in zip(texts, sft(tokenizer, texts), strict=True)],
        "prompt_completion": [{**row, **out} for row, out in zip(pairs, sft(tokenizer, pairs), strict=True)],
        "prompt_completion_all_tokens": [
            {**row, **out} for row, out in zip(pairs, sft(tokenizer, pairs, completion_only_loss=False), strict=True)
        ],
        "messages_assistant_only_loss": [
            {"messages": m, **out}
            for m, out in zip(
                trained,
                sft(tokenizer, [{"messages": m} for m in trained], template=case.marked, assistant_only_loss=True),
                strict=True,
            )
        ],
        "messages_all_tokens": [
            {"messages": m, **out}
            for m, out in zip(trained[:4], sft(tokenizer, [{"messages": m} for m in trained[:4]]), strict=True)
        ],
    }


def write_case(case: Case) -> dict:
    tokenizer = AutoTokenizer.from_pretrained(case.folder)
    folder = OUT / case.name
    write_json(folder / "strings.json", {"strings": strings(tokenizer), "partial": partial_decodes(tokenizer)})
    rows = conversations(case, tokenizer)
    write_json(folder / "conversations.json", {"conversations": rows})
    write_json(folder / "sft.json", prepared(case, tokenizer))
    digest = hashlib.sha256((case.folder / "tokenizer.json").read_bytes()).hexdigest()
    print(f"{case.name:12} {len(tokenizer)} tokens, straddling: {[r['name'] for r in rows if r['straddles']]}")
    return {
        "tokenizer": str(case.folder.relative_to(ROOT)),
        "tokenizer_json_sha256": digest,
        "chat_template": case.marked,
    }


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    cases = [Case("stories", BUILTIN, CHATML), make_llama3_like(), make_digits_like(), make_sentencepiece_like()]
    write_json(
        OUT / "meta.json",
        {
            "made_by": "tests/oracle/make_text_fixtures.py",
            "versions": versions("tokenizers", "transformers", "trl", "datasets"),
            "tolerance": "none: ids, texts and masks are equal or wrong",
            "cases": {case.name: write_case(case) for case in cases},
        },
    )
