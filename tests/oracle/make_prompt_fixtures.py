"""Prompt tuning, P-tuning and prefix tuning on tiny models of the other fixtures, by PEFT and transformers.

The models, their batches and their training data are those of tests/fixtures/llama and tests/fixtures/families; this folder
has only virtual tokens and their results. Everything is computed in f32 with eager attention. Writes
tests/fixtures/prompts/; README.md describes the layout. Pass names of cases to make only these again.
"""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import copy
import json
import shutil
import sys
import tempfile
import warnings
from dataclasses import dataclass
from unittest import mock

import torch
import transformers
from peft import (
    PeftModel,
    PrefixTuningConfig,
    PromptEncoderConfig,
    PromptLearningConfig,
    PromptTuningConfig,
    get_peft_model,
)
from safetensors.torch import load_file, save_file
from tiny import NEW_TOKENS, PAD, normal, relative, save_adapter
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    Trainer,
    TrainingArguments,
)

OUT = FIXTURES / "prompts"
warnings.filterwarnings("ignore", message="Position ids are not supported")
warnings.filterwarnings("ignore", message="Token type ids are not supported")


@dataclass
class Case:
    name: str
    seed: int
    base: str
    config: PromptLearningConfig
    note: str
    #: Scale of the virtual tokens' values: large enough to be seen, small enough not to drown the text.
    size: float = 0.5
    #: Settings for ten steps of the Trainer, or None.
    training: dict | None = None
    labels: int = 3


def prompt(tokens: int, task: str = "CAUSAL_LM", **more: object) -> PromptTuningConfig:
    return PromptTuningConfig(task_type=task, num_virtual_tokens=tokens, prompt_tuning_init="RANDOM", **more)


def prefix(tokens: int, **more: object) -> PrefixTuningConfig:
    return PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=tokens, **more)


CASES = [
    Case(
        "llama-prompt", 5101, "llama/gqa-untied-odd", prompt(3),
        "Grouped-query attention, sizes that no vector of four divides.",
        training=dict(learning_rate=0.05, weight_decay=0.01, max_grad_norm=1.5),
    ),
    Case(
        "llama-p-tuning", 5102, "llama/gqa-untied-odd",
        PromptEncoderConfig(task_type="CAUSAL_LM", num_virtual_tokens=3, encoder_hidden_size=11),
        "The embeddings come out of PEFT's MLP.",
        training=dict(learning_rate=0.01, weight_decay=0.0, max_grad_norm=1.5),
    ),
    Case(
        "llama-prefix", 5103, "llama/gqa-untied-odd", prefix(3), "Keys and values of a shared key head.",
        training=dict(learning_rate=0.05, weight_decay=0.01, max_grad_norm=1.5),
    ),
    Case(
        "llama-prefix-projection", 5104, "llama/gqa-tied", prefix(2, prefix_projection=True, encoder_hidden_size=9),
        "Keys and values come out of a small network; two key heads.",
        training=dict(learning_rate=0.01, weight_decay=0.0, max_grad_norm=1.5),
    ),
    Case("gpt2-prompt", 5201, "families/gpt2", prompt(5), "Learned positions: the text's begin behind the prompt."),
    Case("gpt2-prefix", 5202, "families/gpt2", prefix(4), "The same for a prefix, which has no positions itself."),
    Case("gpt_neox-prefix", 5301, "families/gpt_neox", prefix(2), "A quarter of each head turns; the prefix does not."),
    Case("mistral-prompt", 5401, "families/mistral", prompt(4), "A window of 5: late tokens see no virtual ones."),
    Case("mistral-prefix", 5402, "families/mistral", prefix(7), "A prefix that is longer than the window."),
    Case("gemma2-prompt", 5501, "families/gemma2", prompt(3), "Embeddings are scaled, virtual ones are not."),
    Case("gemma2-prefix", 5502, "families/gemma2", prefix(3), "Windows by turns, bounded scores."),
    Case("bert-prompt", 5601, "families/bert", prompt(3, "FEATURE_EXTRACTION"), "Hidden states; token types are left out."),
    Case("roberta-prompt", 5602, "families/roberta", prompt(4, "FEATURE_EXTRACTION"), "Positions from 2 on."),
    Case(
        # PEFT does not find these in DistilBERT's config, which has other names for them.
        "distilbert-prompt", 5603, "families/distilbert",
        prompt(2, "FEATURE_EXTRACTION", token_dim=24, num_attention_heads=3), "No token types at all.",
    ),
    Case(
        "bert-classification", 5604, "families/bert", prompt(3, "SEQ_CLS"),
        "The pooler reads the first position of all, which is a virtual token's.",
    ),
    Case("roberta-classification", 5605, "families/roberta", prompt(2, "SEQ_CLS"), "The head reads it as well."),
]  # fmt: skip


def generator(case: Case, purpose: int) -> torch.Generator:
    return torch.Generator().manual_seed(case.seed * 1000 + purpose)


def load_base(case: Case) -> transformers.PreTrainedModel:
    folder = FIXTURES / case.base
    options = dict(dtype=torch.float32, attn_implementation="eager")
    if case.config.task_type == "SEQ_CLS":
        model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=case.labels, **options)
        rng = generator(case, 1)
        with torch.no_grad():
            for name, p in model.named_parameters():
                if "pooler" in name or "classifier" in name:
                    p.copy_(normal(p.shape, 1 / p.shape[-1] ** 0.5, rng))
        return model
    kind = AutoModelForCausalLM if case.config.task_type == "CAUSAL_LM" else AutoModel
    return kind.from_pretrained(folder, **options)


def build(case: Case) -> PeftModel:
    """In eval mode, because the small models' configs have dropout. Values by seed, so that a model can be built twice."""
    model = get_peft_model(load_base(case), copy.deepcopy(case.config)).eval()
    rng = generator(case, 2)
    with torch.no_grad():
        for name, p in sorted(model.prompt_encoder.named_parameters()):
            scale = case.size if "embedding" in name else 1 / p.shape[-1] ** 0.5
            p.copy_(normal(p.shape, scale, rng))
    return model


def own_name(case: Case, name: str) -> str:
    """A trained tensor's name here: PEFT's without the adapter's name or, without a network, that in the saved file."""
    plain = name.replace(".default", "")
    network = isinstance(case.config, PromptEncoderConfig) or getattr(case.config, "prefix_projection", False)
    return plain if network or plain != "prompt_encoder.embedding.weight" else "prompt_embeddings"


def trained(case: Case, model: PeftModel) -> dict[str, torch.nn.Parameter]:
    named = {own_name(case, n): p for n, p in sorted(model.named_parameters()) if n.startswith("prompt_encoder")}
    assert all(p.requires_grad for p in named.values())
    return named


def virtual(case: Case) -> int:
    """The number of rows of hidden states before those of the text."""
    return 0 if isinstance(case.config, PrefixTuningConfig) else case.config.num_virtual_tokens


def inputs_of(case: Case) -> dict[str, torch.Tensor]:
    batch = json.loads((FIXTURES / case.base / "batch.json").read_text())
    keys = ["input_ids", "attention_mask"]
    if case.config.task_type == "SEQ_CLS" and "token_type_ids" in batch:
        keys.append("token_type_ids")
    inputs = {k: torch.tensor(batch[k]) for k in keys}
    if case.config.task_type == "CAUSAL_LM":
        inputs["labels"] = torch.tensor([unaimed(row) for row in batch["labels"]])
    return inputs


def unaimed(labels: list[int]) -> list[int]:
    """
    A text's first token is not a target here, as it is not without a prompt. PEFT's prompt tuning makes it one, predicted
    from the last virtual token, if its label is set.
    """
    return [-100, *labels[1:]]


def output_of(case: Case, model: PeftModel, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits, hidden states or scores of the text, zero on padding; and a loss: the model's, or a fixed sum of outputs."""
    out = model(**inputs)
    if case.config.task_type == "SEQ_CLS":
        return out.logits, (out.logits * weights_of(out.logits)).sum()
    if case.config.task_type == "CAUSAL_LM":
        return out.logits[:, virtual(case) :] * inputs["attention_mask"].unsqueeze(-1), out.loss
    hidden = out.last_hidden_state[:, virtual(case) :] * inputs["attention_mask"].unsqueeze(-1)
    return hidden, (hidden * weights_of(hidden)).sum()


def weights_of(output: torch.Tensor) -> torch.Tensor:
    """The weights of the sum of outputs that replaces a loss: sin(0), sin(1), …"""
    return torch.sin(torch.arange(output.numel(), dtype=torch.float32)).reshape(output.shape)


@torch.no_grad()
def greedy(case: Case, model: PeftModel, ids: list[int]) -> tuple[list[int], float]:
    """PEFT's generate(), checked against forwards of the whole text. Returns the tokens and the smallest margin."""
    given = torch.tensor([ids])
    options = transformers.GenerationConfig(
        max_new_tokens=NEW_TOKENS, do_sample=False, pad_token_id=PAD, eos_token_id=None, use_cache=True
    )
    model.generation_config.eos_token_id = None
    out = model.generate(
        input_ids=given,
        attention_mask=torch.ones_like(given),
        generation_config=options,
        return_dict_in_generate=True,
        output_logits=True,
    )
    tokens = out.sequences[0, len(ids) :].tolist()
    logits = torch.cat(out.logits)
    whole = out.sequences[:, :-1]
    full = model(input_ids=whole, attention_mask=torch.ones_like(whole)).logits[0, virtual(case) + len(ids) - 1 :]
    assert len(tokens) == NEW_TOKENS and relative(full, logits) < 1e-5, f"{case.name}: {relative(full, logits)}"
    top = logits.topk(2).values
    return tokens, ((top[:, 0] - top[:, 1]) / logits.abs().max()).min().item()


def greedy_case(case: Case, model: PeftModel, vocabulary: int) -> dict:
    """The first random prompt whose continuation is neither monotonous nor a near tie, and differs from the base's."""
    rng = generator(case, 5)
    for _ in range(200):
        ids = torch.randint(3, vocabulary, (6,), generator=rng).tolist()
        tokens, margin = greedy(case, model, ids)
        if len(set(tokens)) >= 4 and margin > 5e-4:
            return {"prompt": ids, "tokens": tokens, "smallest_margin": margin}
    raise AssertionError(f"{case.name}: no good prompt, choose another seed")


def collate(rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    width = max(len(r["input_ids"]) for r in rows)
    fill = {"input_ids": PAD, "labels": -100, "attention_mask": 0}
    return {k: torch.tensor([r[k] + [v] * (width - len(r[k])) for r in rows]) for k, v in fill.items()}


def train(case: Case) -> tuple[list[dict], PeftModel]:
    """transformers' Trainer, untouched: ten steps of two rows, sequential, right padding."""
    examples = json.loads((FIXTURES / case.base / "train_data.json").read_text())["examples"]
    rows = [{"input_ids": e["ids"], "labels": unaimed(e["labels"]), "attention_mask": [1] * len(e["ids"])} for e in examples]
    model = build(case)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=scratch,
                use_cpu=True,
                seed=case.seed,
                max_steps=10,
                per_device_train_batch_size=2,
                gradient_accumulation_steps=1,
                lr_scheduler_type="linear",
                warmup_steps=0.2,
                optim="adamw_torch",
                optim_args="foreach=False",
                train_sampling_strategy="sequential",
                logging_steps=1,
                save_strategy="no",
                report_to=[],
                disable_tqdm=True,
                remove_unused_columns=False,
                **case.training,
            ),
            train_dataset=rows,
            data_collator=collate,
        )
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
    keys = ("loss", "grad_norm", "learning_rate")
    return [{k: row[k] for k in keys} for row in trainer.state.log_history if "loss" in row], model


class Words:
    """Replaces a tokenizer: PEFT asks it for the ids of a prompt's initial text."""

    def __init__(self, ids: list[int]):
        self.ids = ids

    def __call__(self, _text: str) -> dict[str, list[int]]:
        return {"input_ids": list(self.ids)}


def from_text(case: Case, tokens: int, ids: list[int]) -> torch.Tensor:
    """PEFT's initial prompt from a text with these ids."""
    config = PromptTuningConfig(
        task_type="CAUSAL_LM",
        num_virtual_tokens=tokens,
        prompt_tuning_init="TEXT",
        prompt_tuning_init_text="a text",
        tokenizer_name_or_path="a tokenizer",
    )
    with mock.patch("transformers.AutoTokenizer.from_pretrained", lambda *_args, **_more: Words(ids)):
        model = get_peft_model(load_base(case), config)
    return model.prompt_encoder["default"].embedding.weight.detach()


@torch.no_grad()
def cached(case: Case, ids: list[int]) -> torch.Tensor:
    """Keys and values of a text as a prefix stores them, [P, layers · 2 · width], the layout that PEFT splits up again."""
    cache = transformers.DynamicCache()  # without the config it keeps all keys, whatever a layer's window
    load_base(case)(input_ids=torch.tensor([ids]), past_key_values=cache, use_cache=True)
    flat = [t[0].transpose(0, 1).reshape(len(ids), -1) for layer in cache.layers for t in (layer.keys, layer.values)]
    return torch.cat(flat, dim=1)


def write_case(case: Case) -> None:
    folder = OUT / case.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model = build(case)
    save_adapter(model, folder, f"tiny-random-{case.base.split('/')[-1]}")
    inputs = inputs_of(case)
    output, loss = output_of(case, model, inputs)
    loss.backward()
    params = trained(case, model)
    assert all(p.grad.abs().max() > 1e-4 for p in params.values()), case.name
    tensors = {"output": output.detach()}
    tensors |= {f"grad.{n}": p.grad for n, p in params.items()}
    if "prompt_embeddings" not in params:
        tensors |= {f"initial.{n}": p.detach() for n, p in params.items()}
    expected = {"note": case.note, "loss": loss.item()}

    with torch.no_grad():
        without = dict(inputs)
        base, _ = output_of(Case(**{**vars(case), "config": prefix(0)}), load_base(case), without) if (
            case.config.task_type == "CAUSAL_LM"
        ) else (None, None)
        if base is not None:
            seen = relative(base, output)
            assert seen > 0.05, f"{case.name}: virtual tokens change the logits by {seen:.1e} only"

    # Rows one by one: how much two correct implementations differ.
    alone = {n: torch.zeros_like(p) for n, p in params.items()}
    if case.config.task_type == "CAUSAL_LM":
        batch = json.loads((FIXTURES / case.base / "batch.json").read_text())
        targets = (inputs["labels"][:, 1:] != -100).sum().item()
        expected["target_tokens"] = targets
        for i, length in enumerate(batch["lengths"]):
            model.zero_grad()
            row = {k: v[i : i + 1, :length] for k, v in inputs.items()}
            share = (row["labels"][:, 1:] != -100).sum().item() / targets
            output_of(case, model, row)[1].backward()
            for n, p in params.items():
                alone[n] += p.grad * share
        noise = max(relative(alone[n], tensors[f"grad.{n}"]) for n in params)
        assert noise < 1e-4, f"{case.name}: {noise}"
        expected["noise"] = {"gradients": noise}
        expected["greedy"] = greedy_case(case, model, model.config.vocab_size)

    if case.config.task_type == "SEQ_CLS":
        tensors |= {
            n: p.detach() for n, p in model.base_model.named_parameters() if "pooler" in n or "classifier." in n
        }
        tensors = {k.replace(".modules_to_save.default", ""): t for k, t in tensors.items() if "original_module" not in k}
        assert not any(".base_layer" in k for k in tensors)

    if case.name in ("gemma2-prompt", "llama-prompt"):
        for tokens, ids in ((5, [7, 11, 3]), (3, [9, 4, 8, 5])):
            tensors[f"text.{tokens}"] = from_text(case, tokens, ids)
        expected["text"] = {"5": [7, 11, 3], "3": [9, 4, 8, 5]}
    if isinstance(case.config, PrefixTuningConfig) and not case.config.prefix_projection:
        ids = [5, 9, 4, 12, 7]
        expected["cached"] = ids
        tensors["cached"] = cached(case, ids)

    if case.training:
        log, tuned = train(case)
        expected["training"] = {
            **case.training,
            "lr_scheduler_type": "linear",
            "warmup_ratio": 0.2,
            "max_steps": 10,
            "per_device_train_batch_size": 2,
            "gradient_accumulation_steps": 1,
        }
        expected["steps"] = log
        for n, p in trained(case, tuned).items():
            tensors[f"moved.{n}"] = p.detach() - params[n].detach()
            assert tensors[f"moved.{n}"].abs().max() > 1e-2 * case.training["learning_rate"]
        tensors["final.prompt_embeddings"] = tuned.get_prompt_embedding_to_save("default")
    save_file({k: t.contiguous() for k, t in tensors.items()}, folder / "expected.safetensors")
    write_json(folder / "expected.json", expected)
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    print(f"{case.name:26} {size / 1024:6.0f} kB  {json.dumps(expected.get('noise', {}))}")


if __name__ == "__main__":
    wanted = sys.argv[1:]
    assert set(wanted) <= {case.name for case in CASES}, f"no such case among {wanted}"
    for case in CASES:
        if not wanted or case.name in wanted:
            write_case(case)
    write_json(
        OUT / "meta.json",
        {
            "made_by": "tests/oracle/make_prompt_fixtures.py",
            "versions": versions("torch", "transformers", "peft", "accelerate", "safetensors"),
            "computed_in": "float32, one thread, eager attention",
            "cases": {case.name: {"seed": case.seed, "base": case.base, "note": case.note} for case in CASES},
        },
    )
