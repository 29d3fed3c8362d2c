"""What PEFT computes, trains and writes with each of its methods, on the tiny models of other fixtures.

Cases (tests/fixtures/peft/<case>/) are adapters with random values: logits and gradients, and for some of them ten steps of
transformers' Trainer from there. Formats (tests/fixtures/peft/formats/<name>/) are folders as PEFT writes them for every
kind and task, of which only names, shapes and configs matter. README.md describes the layout.

Pass names of cases to make only these again; by default, everything is made.
"""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import json
import math
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
import transformers
from make_llama_fixtures import Training, collate, dataset, nf4_linears
from peft import (
    IA3Config,
    LoraConfig,
    PeftConfig,
    PeftModel,
    PrefixTuningConfig,
    PromptEncoderConfig,
    PromptTuningConfig,
    get_peft_model,
)
from peft.optimizers import create_loraplus_optimizer
from safetensors.torch import load_file, save_file
from tiny import PAD, forward, normal, relative, save_adapter, worst
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    BertConfig,
    BertForMaskedLM,
    BertForTokenClassification,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    Trainer,
    TrainingArguments,
)

warnings.filterwarnings("ignore", message="fan_in_fan_out is set to")
OUT = FIXTURES / "peft"


@dataclass
class Case:
    name: str
    seed: int
    #: Folder of tests/fixtures with the model and its batch.
    base: str
    config: PeftConfig
    note: str
    training: Training | None = None
    #: LoRA+: how many times faster B learns than A.
    ratio: float = 1.0
    #: The initial values are PEFT's own (PiSSA) instead of random ones.
    own_start: bool = False
    #: Everything is computed with the linear layers quantised to NF4.
    nf4: bool = False
    masked: bool = False


def lora(**changes: object) -> LoraConfig:
    return LoraConfig(**{"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "task_type": "CAUSAL_LM", **changes})


def run(**changes: object) -> Training:
    return Training(**{"examples": 21, "warmup_ratio": 0.1, "max_grad_norm": 9.0, "learning_rate": 3e-3, **changes})


PATTERNS = dict(
    target_modules=["q_proj", "v_proj", "o_proj", "down_proj"],
    use_rslora=True,
    rank_pattern={"down_proj": 3, "layers.0.self_attn.q_proj": 6, r"model\.layers\.[01]\.self_attn\.v_proj": 2},
    alpha_pattern={"self_attn.o_proj": 5, "1.mlp.down_proj": 2.5},
)
CASES = [
    Case("llama-patterns", 5101, "llama/gqa-tied", lora(**PATTERNS), "rsLoRA, ranks and alphas by module.", run()),
    Case(
        "llama-loraplus", 5102, "llama/gqa-tied", lora(), "LoRA+: B learns eight times as fast as A.",
        run(learning_rate=1e-3), ratio=8.0,
    ),
    Case("llama-dora", 5103, "llama/gqa-tied", lora(use_dora=True), "DoRA on all linears.", run()),
    Case(
        "llama-dora-nf4", 5104, "llama/gqa-untied-nf4", lora(use_dora=True, r=3), "DoRA over linears in NF4 (QDoRA).",
        nf4=True,
    ),
    Case(
        "llama-pissa", 5105, "llama/gqa-tied", lora(init_lora_weights="pissa"), "PiSSA from its own start.",
        run(learning_rate=1e-3), own_start=True,
    ),
    Case("llama-ia3", 5106, "llama/gqa-tied", IA3Config(task_type="CAUSAL_LM"), "(IA)³.", run(learning_rate=2e-2)),
    Case(
        "llama-head", 5107, "llama/mha-untied", lora(target_modules=["q_proj", "v_proj"], modules_to_save=["lm_head"]),
        "LoRA, and the output projection trained whole.", run(max_grad_norm=6.0, examples=40),
    ),
    Case("gpt2-dora", 5201, "families/gpt2", lora(use_dora=True, r=3), "DoRA on Conv1D modules, with biases."),
    Case("gpt2-ia3", 5202, "families/gpt2", IA3Config(task_type="CAUSAL_LM"), "(IA)³ on Conv1D modules, with biases."),
    Case(
        "gpt2-pissa", 5203, "families/gpt2", lora(init_lora_weights="pissa", r=5, use_rslora=True),
        "PiSSA with rsLoRA on Conv1D modules.", own_start=True,
    ),
    Case("bert-dora", 5301, "families/bert", lora(use_dora=True, r=2, task_type=None), "DoRA.", masked=True),
    Case("bert-ia3", 5302, "families/bert", IA3Config(), "(IA)³ where biases and a norm follow.", masked=True),
]  # fmt: skip


def load_base(case: Case) -> torch.nn.Module:
    kind = AutoModelForMaskedLM if case.masked else AutoModelForCausalLM
    model = kind.from_pretrained(FIXTURES / case.base, dtype=torch.float32, attn_implementation="eager")
    if case.nf4:
        state = nf4_linears({k: v.clone() for k, v in model.state_dict().items()})
        model.load_state_dict(state)
    return model


def key_of(name: str) -> str:
    """The name a parameter has in adapter_model.safetensors."""
    name = name.replace("lora_magnitude_vector.default.weight", "lora_magnitude_vector")
    name = name.replace(".modules_to_save.default.", ".").replace(".original_module.", ".")
    return name.replace(".default.", ".").removesuffix(".default")


def parameters(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    return {key_of(n): p for n, p in sorted(model.named_parameters()) if p.requires_grad}


def random_values(model: PeftModel, seed: int) -> None:
    """Values that give every tensor an effect and a gradient."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in parameters(model).items():
            if "lora_A" in name:
                p.copy_(normal(p.shape, 1 / math.sqrt(p.shape[1]), rng))
            elif "lora_B" in name:
                p.copy_(normal(p.shape, 0.15, rng))
            elif "magnitude" in name:
                p.mul_(1 + normal(p.shape, 0.2, rng))
            elif "ia3_l" in name:
                p.copy_(1 + normal(p.shape, 0.3, rng))
            else:
                p.add_(normal(p.shape, 0.02, rng))


def load_peft(case: Case, folder: Path) -> PeftModel:
    if case.own_start:  # The base changes with the adapter.
        model = get_peft_model(load_base(case), case.config)
        return model
    return PeftModel.from_pretrained(load_base(case), folder / "adapter_init", is_trainable=True)


def gradients(model: PeftModel, batch: dict[str, list]) -> dict[str, torch.Tensor]:
    model.zero_grad()
    model(**{k: torch.tensor(v) for k, v in batch.items()}).loss.backward()
    return {k: p.grad.clone() for k, p in parameters(model).items()}


def train(case: Case, folder: Path, examples: list) -> tuple[list[dict], PeftModel]:
    """transformers' Trainer, with PEFT's optimiser if LoRA+ needs it."""
    t = case.training
    model = load_peft(case, folder)
    optimizer = None
    if case.ratio != 1:
        optimizer = create_loraplus_optimizer(
            model, torch.optim.AdamW, lr=t.learning_rate, loraplus_lr_ratio=case.ratio, foreach=False,
            loraplus_weight_decay=t.weight_decay, betas=(t.adam_beta1, t.adam_beta2), eps=t.adam_epsilon,
        )  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(
            model=model,
            optimizers=(optimizer, None),
            args=TrainingArguments(
                output_dir=scratch,
                use_cpu=True,
                seed=case.seed,
                max_steps=t.max_steps,
                per_device_train_batch_size=t.per_device_train_batch_size,
                gradient_accumulation_steps=t.gradient_accumulation_steps,
                learning_rate=t.learning_rate,
                lr_scheduler_type=t.lr_scheduler_type,
                warmup_steps=t.warmup_ratio,
                optim="adamw_torch",
                optim_args="foreach=False",
                adam_beta1=t.adam_beta1,
                adam_beta2=t.adam_beta2,
                adam_epsilon=t.adam_epsilon,
                weight_decay=t.weight_decay,
                max_grad_norm=t.max_grad_norm,
                train_sampling_strategy="sequential",
                logging_steps=1,
                save_strategy="no",
                report_to=[],
                disable_tqdm=True,
                remove_unused_columns=False,
            ),
            train_dataset=dataset(examples),
            data_collator=collate,
        )
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
    keys = ("step", "epoch", "loss", "grad_norm", "learning_rate")
    log = [{k: row[k] for k in keys} for row in trainer.state.log_history if "loss" in row]
    return log, model


def write_training(case: Case, folder: Path) -> None:
    t = case.training
    examples = json.loads((FIXTURES / case.base / "train_data.json").read_text())["examples"]
    assert len(examples) == t.examples
    log, model = train(case, folder, examples)
    assert log[-1]["loss"] < log[0]["loss"], [row["loss"] for row in log]
    assert all(abs(row["grad_norm"] / t.max_grad_norm - 1) > 5e-3 for row in log), "a step is too close to the limit"
    if case.own_start:
        # PEFT's own conversion: plain LoRA of twice the rank on the untouched base.
        model.peft_config["default"].base_model_name_or_path = base_name(case)
        start = folder / "adapter_init"
        model.save_pretrained(folder / "adapter_final", path_initial_model_for_weight_conversion=str(start))
        (folder / "adapter_final" / "README.md").unlink()
    else:
        save_adapter(model, folder / "adapter_final", base_name(case))
    write_json(
        folder / "expected_training.json",
        {"training": {k: v for k, v in vars(t).items() if k != "examples"}, "ratio": case.ratio, "steps": log},
    )


def base_name(case: Case) -> str:
    return "tiny-random-" + case.base.split("/")[-1]


def save_start(case: Case, folder: Path) -> None:
    """PiSSA's initial adapter, which the conversion needs."""
    save_adapter(get_peft_model(load_base(case), case.config), folder / "adapter_init", base_name(case))


def write_case(case: Case) -> None:
    folder = OUT / case.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if case.own_start:
        save_start(case, folder)
    else:
        model = get_peft_model(load_base(case), case.config)
        random_values(model, case.seed)
        save_adapter(model, folder / "adapter_init", base_name(case))

    batch = json.loads((FIXTURES / case.base / "batch.json").read_text())
    batch.pop("lengths")
    base, tuned = load_base(case).eval(), load_peft(case, folder).eval()
    with torch.no_grad():
        base_logits, _ = forward(base, batch)
        logits, loss = forward(tuned, batch)
    grads = gradients(tuned, batch)
    assert all(g.abs().max() > 1e-5 for k, g in grads.items()), {k: g.abs().max().item() for k, g in grads.items()}
    if case.own_start:
        assert relative(logits, base_logits) < 1e-5
        # Factors are determined only up to signs, so products are compared: PEFT's start, and its gradients.
        params = parameters(tuned)
        tensors = {}
        for key in params:
            if "lora_A" in key:
                a, b = params[key], params[key.replace("lora_A", "lora_B")]
                tensors[f"product.{key.replace('.lora_A.weight', '')}"] = (b @ a).detach()
                # The effect of a small step along the gradients on B·A; the same for either sign.
                tensors[f"move.{key.replace('.lora_A.weight', '')}"] = (
                    grads[key.replace("lora_A", "lora_B")] @ a + b @ grads[key]
                ).detach()
    else:
        assert relative(logits, base_logits) > 0.05, relative(logits, base_logits)
        tensors = {f"grad.{k}": g for k, g in grads.items()}
        merged = tuned.merge_and_unload()
        with torch.no_grad():
            error = relative(forward(merged, batch)[0], logits)
        assert error < 1e-5, error
    save_file(
        {k: t.detach().contiguous().clone() for k, t in {"logits": logits, **tensors}.items()},
        folder / "expected.safetensors",
    )
    shift = 0 if case.masked else 1
    write_json(
        folder / "expected.json",
        {
            "note": case.note,
            "base": case.base,
            "loss": loss.item(),
            "target_tokens": sum(t != -100 for row in batch["labels"] for t in row[shift:]),
        },
    )
    if case.training:
        write_training(case, folder)
    if case.own_start:  # Its factors are determined only up to signs; the comparison uses the products.
        shutil.rmtree(folder / "adapter_init")
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    print(f"{case.name:18} {size / 1024:6.0f} kB")


# Formats -------------------------------------------------------------------------------------------------------------

LLAMA = dict(
    hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    vocab_size=32, pad_token_id=PAD, num_labels=3,
)  # fmt: skip
BERT = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2, vocab_size=32)


def llama() -> torch.nn.Module:
    return LlamaForCausalLM(LlamaConfig(**{**LLAMA, "tie_word_embeddings": False}))


def classifier() -> torch.nn.Module:
    return LlamaForSequenceClassification(LlamaConfig(**LLAMA))


def tagger() -> torch.nn.Module:
    return BertForTokenClassification(BertConfig(**BERT, num_labels=5))


def gpt2() -> torch.nn.Module:
    return GPT2LMHeadModel(GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=32))


@dataclass
class Format:
    build: Callable[[], torch.nn.Module]
    config: PeftConfig
    note: str = field(default="")


TOKENS = dict(num_virtual_tokens=3)
FORMATS = {
    "lora-patterns": Format(llama, lora(r=2, **PATTERNS)),
    "lora-dora-head": Format(
        llama, lora(r=2, use_dora=True, target_modules=["q_proj"], modules_to_save=["lm_head"], lora_dropout=0.1)
    ),
    "lora-classes": Format(classifier, LoraConfig(r=2, target_modules=["v_proj"], task_type="SEQ_CLS")),
    "lora-tags": Format(tagger, LoraConfig(r=2, target_modules=["query", "value"], task_type="TOKEN_CLS")),
    "lora-masked": Format(
        lambda: BertForMaskedLM(BertConfig(**BERT)), LoraConfig(r=2, target_modules=["query", "value"])
    ),
    "lora-features": Format(
        lambda: BertModel(BertConfig(**BERT)),
        LoraConfig(r=2, target_modules=["query", "value"], task_type="FEATURE_EXTRACTION"),
    ),
    "ia3-llama": Format(llama, IA3Config(task_type="CAUSAL_LM")),
    "ia3-gpt2": Format(gpt2, IA3Config(task_type="CAUSAL_LM")),
    "ia3-classes": Format(classifier, IA3Config(task_type="SEQ_CLS")),
    "ia3-tags": Format(tagger, IA3Config(task_type="TOKEN_CLS")),
    "prompt": Format(llama, PromptTuningConfig(task_type="CAUSAL_LM", **TOKENS)),
    "prompt-classes": Format(classifier, PromptTuningConfig(task_type="SEQ_CLS", **TOKENS)),
    "prefix": Format(llama, PrefixTuningConfig(task_type="CAUSAL_LM", **TOKENS)),
    "prefix-projected": Format(
        llama, PrefixTuningConfig(task_type="CAUSAL_LM", prefix_projection=True, encoder_hidden_size=12, **TOKENS)
    ),
    "prefix-tags": Format(tagger, PrefixTuningConfig(task_type="TOKEN_CLS", **TOKENS)),
    "p-tuning": Format(llama, PromptEncoderConfig(task_type="CAUSAL_LM", encoder_hidden_size=12, **TOKENS)),
    "p-tuning-classes": Format(classifier, PromptEncoderConfig(task_type="SEQ_CLS", **TOKENS)),
}


def write_format(name: str, case: Format) -> None:
    folder = OUT / "formats" / name
    shutil.rmtree(folder, ignore_errors=True)
    torch.manual_seed(sum(name.encode()))
    model = get_peft_model(case.build(), case.config)
    with torch.no_grad():
        for _, p in sorted(model.named_parameters()):
            if p.requires_grad:
                p.copy_(torch.randn(p.shape))
    save_adapter(model, folder, "org/tiny")


def defaults() -> dict[str, dict]:
    """The default config of each kind: a writer may omit fields that have these values."""
    kinds = {
        "LORA": LoraConfig(),
        "IA3": IA3Config(),
        "PROMPT_TUNING": PromptTuningConfig(),
        "PREFIX_TUNING": PrefixTuningConfig(),
        "P_TUNING": PromptEncoderConfig(),
    }
    with tempfile.TemporaryDirectory() as folder:
        found = {}
        for name, config in kinds.items():
            config.save_pretrained(folder)
            found[name] = json.loads((Path(folder) / "adapter_config.json").read_text())
    return found


if __name__ == "__main__":
    wanted = sys.argv[1:]
    assert set(wanted) <= {case.name for case in CASES}, f"no such case among {wanted}"
    for case in CASES:
        if not wanted or case.name in wanted:
            write_case(case)
    for name, case in FORMATS.items():
        write_format(name, case)
    write_json(OUT / "defaults.json", defaults())
    write_json(
        OUT / "meta.json",
        {
            "made_by": "tests/oracle/make_peft_fixtures.py",
            "versions": versions("torch", "transformers", "peft", "accelerate", "safetensors", "bitsandbytes"),
            "computed_in": "float32, one thread, eager attention",
            "tolerances": {"logits": 1e-4, "gradients": 1e-3, "training_loss": 1e-3, "adapter_move": 2e-3},
            "cases": {case.name: {"seed": case.seed, "base": case.base, "note": case.note} for case in CASES},
        },
    )
