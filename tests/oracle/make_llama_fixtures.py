"""Tiny random Llamas with LoRA: logits, loss, gradients, greedy continuations and a short training run.

Everything that counts is computed by transformers and PEFT themselves (training: transformers' own Trainer). A second, plain
implementation of the training step (`replay`) only checks that README.md describes the Trainer correctly.
Writes tests/fixtures/llama/<case>/; README.md describes the layout.
"""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import json
import math
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model, set_peft_model_state_dict
from safetensors.torch import load_file, save_file
from tiny import PAD, forward, gradients, greedy, lora_parameters, normal, relative, save_adapter, worst
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments

OUT = FIXTURES / "llama"
BASE = "tiny-random-llama"


@dataclass
class Training:
    """Field names are the recipe's own."""

    examples: int
    learning_rate: float = 5e-3
    lr_scheduler_type: str = "cosine"
    warmup_ratio: float = 0.2
    max_grad_norm: float = 6.0  # within the range of the norms, so that some steps are clipped and some are not
    max_steps: int = 10
    per_device_train_batch_size: int = 2
    gradient_accumulation_steps: int = 2
    optim: str = "adamw"
    adam_beta1: float = 0.9
    adam_beta2: float = 0.999
    adam_epsilon: float = 1e-8
    weight_decay: float = 0.01


@dataclass
class Case:
    name: str
    seed: int
    config: dict
    lora: dict
    dtype: torch.dtype = torch.float32
    #: How config.json is spelled: transformers 5 (`dtype`, `rope_parameters`) or 4 (`torch_dtype`, `rope_theta`).
    spelling: int = 5
    training: Training | None = None
    #: Everything is computed with bitsandbytes' NF4 version of the linear layers; the checkpoint has the original values.
    nf4: bool = False
    rslora: bool = False
    note: str = ""
    lengths: tuple[int, ...] = field(default=(16, 11, 5))


CASES = [
    Case(
        name="mha-untied",
        seed=1101,
        # Three layers: from 20 modules on PEFT shortens target_modules to suffixes ("q_proj").
        config=dict(
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=4,
            vocab_size=96,
            max_position_embeddings=64,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
            rms_norm_eps=1e-5,
            tie_word_embeddings=False,
        ),
        lora=dict(r=4, lora_alpha=8),
        training=Training(examples=40),
        note="Multi-head attention, untied output projection. Training: one epoch of exactly ten steps.",
    ),
    Case(
        name="gqa-tied",
        seed=1202,
        config=dict(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            vocab_size=128,
            max_position_embeddings=64,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
            rms_norm_eps=1e-5,
            tie_word_embeddings=True,
        ),
        lora=dict(r=8, lora_alpha=16),
        spelling=4,
        training=Training(examples=21, warmup_ratio=0.1, learning_rate=3e-3, max_grad_norm=9.0),
        rslora=True,
        note="Grouped-query attention, tied embeddings. Training: 21 examples, so that an epoch is 6 steps of which "
        "the last has one micro-batch of one row; steps 7 to 10 are the second epoch.",
    ),
    Case(
        name="gqa-untied-odd",
        seed=1303,
        config=dict(
            hidden_size=20,
            intermediate_size=27,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            vocab_size=61,
            max_position_embeddings=64,
            rope_parameters={"rope_type": "default", "rope_theta": 1000000.0},
            rms_norm_eps=1e-6,
            tie_word_embeddings=False,
        ),
        lora=dict(r=5, lora_alpha=7),
        spelling=4,
        training=Training(examples=40, lr_scheduler_type="linear", max_grad_norm=3.55),
        lengths=(15, 9, 4),
        note="No size is a multiple of 8 (hidden 20, head 10, intermediate 27, vocabulary 61), rank 5, alpha 7.",
    ),
    Case(
        name="gqa-tied-bf16",
        seed=1404,
        config=dict(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            vocab_size=128,
            max_position_embeddings=64,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
            rms_norm_eps=1e-5,
            tie_word_embeddings=True,
        ),
        lora=dict(r=8, lora_alpha=16),
        dtype=torch.bfloat16,
        training=Training(examples=40, max_grad_norm=7.0),
        note="Weights stored as bf16; every expectation is computed in f32 from those rounded weights.",
    ),
    Case(
        name="llama3-rope-bias",
        seed=1505,
        config=dict(
            hidden_size=24,
            intermediate_size=40,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=16,
            vocab_size=72,
            max_position_embeddings=128,
            rope_parameters={
                "rope_type": "llama3",
                "rope_theta": 10000.0,
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 16,
            },
            rms_norm_eps=1e-5,
            tie_word_embeddings=True,
            attention_bias=True,
        ),
        lora=dict(r=4, lora_alpha=4),
        spelling=4,
        note="Llama 3's RoPE scaling, head_dim that is not hidden/heads, biases on attention. No training run.",
    ),
    Case(
        name="gqa-untied-nf4",
        seed=1606,
        config=dict(
            hidden_size=48,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            vocab_size=96,
            max_position_embeddings=64,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
            rms_norm_eps=1e-5,
            tie_word_embeddings=False,
        ),
        lora=dict(r=8, lora_alpha=16),
        nf4=True,
        training=Training(examples=40, max_grad_norm=7.0),
        note="QLoRA: the linears (not lm_head) in NF4 with double quantisation. Rows of 48 are no whole blocks of 64.",
    ),
]


def generator(case: Case, purpose: int) -> torch.Generator:
    return torch.Generator().manual_seed(case.seed * 1000 + purpose)


def build_model(case: Case, folder: Path) -> None:
    """Writes config.json and model.safetensors. Scaled so that attention is neither flat nor one-hot."""
    config = LlamaConfig(**case.config, bos_token_id=1, eos_token_id=2, pad_token_id=PAD)
    model = LlamaForCausalLM(config)
    rng = generator(case, 1)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name == "model.norm.weight" and config.tie_word_embeddings:
                p.copy_(2.5 + normal(p.shape, 0.5, rng))
            elif name.endswith("norm.weight"):
                p.copy_(1 + normal(p.shape, 0.2, rng))
            elif name.endswith(".bias"):
                p.copy_(normal(p.shape, 0.3, rng))
            elif "embed_tokens" in name:
                # Small when tied, or every token would predict itself.
                p.copy_(normal(p.shape, 0.15 if config.tie_word_embeddings else 0.5, rng))
            elif "q_proj" in name or "k_proj" in name:
                p.copy_(normal(p.shape, 1.2 / math.sqrt(p.shape[1]), rng))
            elif "lm_head" in name:
                p.copy_(normal(p.shape, 2.0 / math.sqrt(p.shape[1]), rng))
            else:
                p.copy_(normal(p.shape, 1.0 / math.sqrt(p.shape[1]), rng))
    model.to(case.dtype).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    if case.spelling == 4:
        path = folder / "config.json"
        config_json = json.loads(path.read_text())
        rope = config_json.pop("rope_parameters")
        config_json["rope_theta"] = rope.pop("rope_theta")
        config_json["rope_scaling"] = None if rope["rope_type"] == "default" else rope
        config_json["torch_dtype"] = config_json.pop("dtype")
        config_json["transformers_version"] = "4.46.0"
        path.write_text(json.dumps(dict(sorted(config_json.items())), indent=2) + "\n")


def nf4_linears(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """
    The weights after bitsandbytes has quantised what it quantises: every linear layer except lm_head. As one row, because its
    CPU library (0.50.2) reads the wrong scales if rows of 16·n values are not whole blocks; its codes are the same.
    """
    from bitsandbytes import functional as bnb

    def stand_in(name: str, weight: torch.Tensor) -> torch.Tensor:
        if not name.endswith("_proj.weight"):
            return weight
        row = weight.reshape(1, -1)
        quantised = bnb.quantize_4bit(row, blocksize=64, compress_statistics=True, quant_type="nf4")
        return bnb.dequantize_4bit(*quantised).reshape(weight.shape)

    return {name: stand_in(name, weight) for name, weight in weights.items()}


def load_base(folder: Path, attention: str = "eager") -> LlamaForCausalLM:
    return LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation=attention)


def load_peft(folder: Path, adapter: str, trainable: bool, attention: str = "eager") -> PeftModel:
    return PeftModel.from_pretrained(load_base(folder, attention), folder / adapter, is_trainable=trainable)


def build_adapter(case: Case, folder: Path) -> None:
    settings = dict(target_modules="all-linear", lora_dropout=0.0, task_type="CAUSAL_LM", **case.lora)
    model = get_peft_model(load_base(folder), LoraConfig(**settings))
    rng = generator(case, 2)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            if "lora_A" in name:
                p.copy_(normal(p.shape, 1 / math.sqrt(p.shape[1]), rng))
            elif "lora_B" in name:  # PEFT starts at zero, which would leave A without a gradient
                p.copy_(normal(p.shape, 0.15, rng))
    save_adapter(model, folder / "adapter_init", BASE)
    if case.rslora:
        target = folder / "adapter_rslora"
        weights = load_file(folder / "adapter_init" / "adapter_model.safetensors")
        model = get_peft_model(load_base(folder), LoraConfig(**settings, use_rslora=True))
        set_peft_model_state_dict(model, weights)
        save_adapter(model, target, BASE)
        same_bytes(folder / "adapter_init" / "adapter_model.safetensors", target / "adapter_model.safetensors")


def same_bytes(a: Path, b: Path) -> None:
    assert a.read_bytes() == b.read_bytes(), f"{a} and {b} differ"


def make_batch(case: Case) -> dict[str, list]:
    """Three right-padded rows: every token a target (text); a masked prompt; a mask with a hole (two answers)."""
    rng = generator(case, 3)
    width = max(case.lengths)
    rows = {"input_ids": [], "labels": [], "attention_mask": []}
    for row, length in enumerate(case.lengths):
        ids = torch.randint(3, case.config["vocab_size"], (length,), generator=rng).tolist()
        masked = [set(), {0, 1, 2, 3}, {0, 2}][row]
        labels = [-100 if i in masked else t for i, t in enumerate(ids)]
        pad = width - length
        rows["input_ids"].append(ids + [PAD] * pad)
        rows["labels"].append(labels + [-100] * pad)
        rows["attention_mask"].append([1] * length + [0] * pad)
    return rows


def greedy_pair(case: Case, base: torch.nn.Module, tuned: torch.nn.Module) -> tuple[list[int], tuple, tuple]:
    """The first random prompt whose continuations are neither monotonous nor decided by a near tie."""
    rng = generator(case, 5)
    for _ in range(200):
        prompt = torch.randint(3, case.config["vocab_size"], (6,), generator=rng).tolist()
        both = greedy(base, prompt), greedy(tuned, prompt)
        if both[0][0] != both[1][0] and all(len(set(ids)) >= 6 and margin > 2e-3 for ids, _, margin in both):
            return prompt, *both
    raise AssertionError(f"{case.name}: no good prompt, choose another seed")


# Training ------------------------------------------------------------------------------------------------------------


def make_training_data(case: Case) -> list[dict[str, list[int]]]:
    """Progressions modulo the vocabulary, so that there is something to learn. Every fourth example is plain text."""
    rng = generator(case, 4)

    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high, (1,), generator=rng))

    examples = []
    for i in range(case.training.examples):
        start, stride = draw(0, 40), draw(1, 4)
        length, prompt = draw(6, 25), draw(1, 5)
        usable = case.config["vocab_size"] - 3
        ids = [1] + [3 + (start + stride * k) % usable for k in range(length - 2)] + [2]
        labels = list(ids) if i % 4 == 3 else [-100] * prompt + ids[prompt:]
        examples.append({"ids": ids, "labels": labels})
    return examples


def collate(rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    width = max(len(r["input_ids"]) for r in rows)
    fill = {"input_ids": PAD, "labels": -100, "attention_mask": 0}
    return {k: torch.tensor([r[k] + [v] * (width - len(r[k])) for r in rows]) for k, v in fill.items()}


def dataset(examples: list[dict[str, list[int]]]) -> list[dict[str, list[int]]]:
    return [{"input_ids": e["ids"], "labels": e["labels"], "attention_mask": [1] * len(e["ids"])} for e in examples]


def train(case: Case, folder: Path, examples: list, attention: str = "eager") -> tuple[list[dict], PeftModel, Trainer]:
    """transformers' Trainer, unmodified: sequential order, right padding, logging every step."""
    t = case.training
    model = load_peft(folder, "adapter_init", trainable=True, attention=attention)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=scratch,
                use_cpu=True,
                seed=case.seed,
                max_steps=t.max_steps,
                per_device_train_batch_size=t.per_device_train_batch_size,
                gradient_accumulation_steps=t.gradient_accumulation_steps,
                learning_rate=t.learning_rate,
                lr_scheduler_type=t.lr_scheduler_type,
                warmup_steps=t.warmup_ratio,  # below 1 it is a ratio (transformers 5 has no warmup_ratio)
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
    log = [
        {k: row[k] for k in ("step", "epoch", "loss", "grad_norm", "learning_rate")}
        for row in trainer.state.log_history
        if "loss" in row
    ]
    return log, model, trainer


def batches(case: Case, examples: list) -> list[list[dict[str, torch.Tensor]]]:
    """The micro-batches of each optimiser step; an epoch's last step may have fewer."""
    t = case.training
    rows = dataset(examples)
    size, accumulate = t.per_device_train_batch_size, t.gradient_accumulation_steps
    micro = [rows[i : i + size] for i in range(0, len(rows), size)]
    epoch = [micro[i : i + accumulate] for i in range(0, len(micro), accumulate)]
    steps = [epoch[s % len(epoch)] for s in range(t.max_steps)]
    return [[collate(m) for m in step] for step in steps]


def replay(case: Case, folder: Path, examples: list) -> tuple[list[dict], dict[str, torch.Tensor], list[int]]:
    """The same run written out, one formula per line: README.md's description of the Trainer."""
    t = case.training
    model = load_peft(folder, "adapter_init", trainable=True)
    params = lora_parameters(model)
    m = {k: torch.zeros_like(p) for k, p in params.items()}
    v = {k: torch.zeros_like(p) for k, p in params.items()}
    warmup = math.ceil(t.max_steps * t.warmup_ratio)
    log, targets = [], []
    for step, micro_batches in enumerate(batches(case, examples)):
        tokens = sum(int((b["labels"][:, 1:] != -100).sum()) for b in micro_batches)
        model.zero_grad()
        total = 0.0
        for b in micro_batches:
            logits = model(input_ids=b["input_ids"], attention_mask=b["attention_mask"]).logits
            loss = torch.nn.functional.cross_entropy(
                logits[:, :-1].flatten(0, 1), b["labels"][:, 1:].flatten(), ignore_index=-100, reduction="sum"
            )
            (loss / tokens).backward()
            total += loss.item() / tokens
        norm = math.sqrt(sum(p.grad.double().square().sum().item() for p in params.values()))
        scale = min(1.0, t.max_grad_norm / (norm + 1e-6))
        if step < warmup:
            rate = step / warmup
        else:
            progress = (step - warmup) / (t.max_steps - warmup)
            rate = {"cosine": 0.5 * (1 + math.cos(math.pi * progress)), "linear": 1 - progress}[t.lr_scheduler_type]
        rate *= t.learning_rate
        with torch.no_grad():
            for k, p in params.items():
                g = p.grad * scale
                p.mul_(1 - rate * t.weight_decay)
                m[k].lerp_(g, 1 - t.adam_beta1)
                v[k].mul_(t.adam_beta2).addcmul_(g, g, value=1 - t.adam_beta2)
                denominator = v[k].sqrt() / math.sqrt(1 - t.adam_beta2 ** (step + 1)) + t.adam_epsilon
                p.addcdiv_(m[k], denominator, value=-rate / (1 - t.adam_beta1 ** (step + 1)))
        log.append({"loss": total, "grad_norm": norm, "learning_rate": rate})
        targets.append(tokens)
    return log, {k: p.detach().clone() for k, p in params.items()}, targets


def log_error(a: list[dict], b: list[dict], key: str) -> float:
    return max(abs(x[key] - y[key]) / max(abs(y[key]), 1e-12) for x, y in zip(a, b, strict=True) if y[key] or x[key])


def moves(final: dict[str, torch.Tensor], start: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What training changed. Ten steps move weights by a hundredth, so comparing the weights would hide mistakes."""
    return {k: t - start[k] for k, t in final.items()}


def write_training(case: Case, folder: Path) -> dict:
    t = case.training
    examples = make_training_data(case)
    log, model, trainer = train(case, folder, examples)
    final = {k: p.detach().clone() for k, p in lora_parameters(model).items()}

    groups = trainer.optimizer.param_groups
    decayed = sum(len(g["params"]) for g in groups if g["weight_decay"] > 0)
    assert decayed == len(final), "the Trainer exempts a LoRA parameter from weight decay"
    clipped = [row["grad_norm"] > t.max_grad_norm for row in log]
    assert any(clipped[1:]) and not all(clipped), f"max_grad_norm clips {clipped}: {[r['grad_norm'] for r in log]}"
    assert all(abs(row["grad_norm"] / t.max_grad_norm - 1) > 5e-3 for row in log), "a step is too close to the limit"
    assert log[-1]["loss"] < log[0]["loss"]

    written_log, written_final, targets = replay(case, folder, examples)
    for key, bound in (("loss", 2e-5), ("grad_norm", 2e-4), ("learning_rate", 1e-12)):
        error = log_error(written_log, log, key)
        assert error < bound, f"{case.name}: the written-out run differs in {key} by {error:.1e}"
    start = load_file(folder / "adapter_init" / "adapter_model.safetensors")
    moved = moves(final, start)
    # Adam divides by the size of the gradient, so where a gradient is nearly zero, rounding decides the direction: a few
    # elements of the result are noise in any f32 implementation. These numbers say how much.
    other_log, other, _ = train(case, folder, examples, attention="sdpa")
    other_final = {k: p.detach().clone() for k, p in lora_parameters(other).items()}
    noise = {
        "loss": max(log_error(written_log, log, "loss"), log_error(other_log, log, "loss")),
        "grad_norm": max(log_error(written_log, log, "grad_norm"), log_error(other_log, log, "grad_norm")),
        "adapter_move": max(worst(moves(written_final, start), moved), worst(moves(other_final, start), moved)),
    }

    micro_batches = math.ceil(t.examples / t.per_device_train_batch_size)
    steps_per_epoch = math.ceil(micro_batches / t.gradient_accumulation_steps)

    save_adapter(model, folder / "adapter_final", BASE)
    write_json(folder / "train_data.json", {"pad_token_id": PAD, "examples": examples})
    write_json(
        folder / "expected_training.json",
        {
            "training": {k: v for k, v in vars(t).items() if k != "examples"},
            "warmup_steps": trainer.args.get_warmup_steps(t.max_steps),
            "steps_per_epoch": steps_per_epoch,
            "steps": [
                {**row, "clipped": c, "target_tokens": n} for row, c, n in zip(log, clipped, targets, strict=True)
            ],
            "largest_move": max(t.abs().max().item() for t in moved.values()),
            "noise": noise,
        },
    )
    return noise


# A case --------------------------------------------------------------------------------------------------------------


def write_case(case: Case) -> dict:
    folder = OUT / case.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    build_model(case, folder)
    build_adapter(case, folder)
    checkpoint = folder / "model.safetensors"
    stored = checkpoint.read_bytes()
    if case.nf4:
        save_file(nf4_linears(load_file(checkpoint)), checkpoint, metadata={"format": "pt"})
    batch = make_batch(case)
    write_json(folder / "batch.json", {**batch, "lengths": list(case.lengths)})

    base = load_base(folder)
    for key, value in case.config.items():
        assert getattr(base.config, key) == value, f"{key} does not survive config.json"
    tuned = load_peft(folder, "adapter_init", trainable=True)
    with torch.no_grad():
        base_logits, base_loss = forward(base, batch)
        tuned_logits, tuned_loss = forward(tuned, batch)
    grads = gradients(tuned, batch)
    assert all(g.abs().max() > 1e-4 for g in grads.values())
    assert relative(tuned_logits, base_logits) > 0.1
    prompt, (base_ids, base_steps, base_margin), (tuned_ids, tuned_steps, tuned_margin) = greedy_pair(case, base, tuned)

    tensors = {
        "logits.base": base_logits,
        "logits.adapter": tuned_logits,
        "greedy.base.logits": base_steps,
        "greedy.adapter.logits": tuned_steps,
        **{f"grad.{k}": g for k, g in grads.items()},
    }
    expected = {
        "case": case.name,
        "note": case.note,
        "target_tokens": sum(t != -100 for row in batch["labels"] for t in row[1:]),
        "loss": {"base": base_loss.item(), "adapter": tuned_loss.item()},
        "greedy": {
            "prompt": prompt,
            "base": base_ids,
            "adapter": tuned_ids,
            "smallest_margin": {"base": base_margin, "adapter": tuned_margin},
        },
    }
    if case.rslora:
        scaled = load_peft(folder, "adapter_rslora", trainable=False)
        with torch.no_grad():
            tensors["logits.rslora"], loss = forward(scaled, batch)
        expected["loss"]["rslora"] = loss.item()
        assert relative(tensors["logits.rslora"], tuned_logits) > 0.05

    # How much two correct f32 implementations differ: another attention kernel, and rows run one by one.
    other = load_peft(folder, "adapter_init", trainable=True, attention="sdpa")
    with torch.no_grad():
        other_logits, _ = forward(other, batch)
    other_grads = {k: torch.zeros_like(g) for k, g in grads.items()}
    for i, length in enumerate(case.lengths):
        row = {k: [v[i][:length]] for k, v in batch.items()}
        share = sum(t != -100 for t in row["labels"][0][1:]) / expected["target_tokens"]
        for k, g in gradients(other, row).items():
            other_grads[k] += g * share
    expected["noise"] = {"logits": relative(other_logits, tuned_logits), "gradients": worst(other_grads, grads)}

    save_file({k: t.detach().contiguous() for k, t in tensors.items()}, folder / "expected.safetensors")
    write_json(folder / "expected.json", expected)
    noise = dict(expected["noise"])
    if case.training:
        noise["training"] = write_training(case, folder)
    checkpoint.write_bytes(stored)
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    print(f"{case.name:18} {size / 1024:6.0f} kB  noise {json.dumps(noise)}")
    return {"seed": case.seed, "dtype": str(case.dtype).removeprefix("torch."), "note": case.note}


if __name__ == "__main__":
    cases = {case.name: write_case(case) for case in CASES}
    write_json(
        OUT / "meta.json",
        {
            "made_by": "tests/oracle/make_llama_fixtures.py",
            "versions": versions("torch", "transformers", "peft", "accelerate", "safetensors", "bitsandbytes"),
            "computed_in": "float32, one thread, eager attention",
            "tolerances": {
                "logits": 1e-4,
                "loss": 1e-4,
                "gradients": 1e-3,
                "training_loss": 1e-3,
                "training_grad_norm": 1e-3,
                "adapter_move": 2e-3,
                "meaning": "max|a-b| / max|b|, for gradients and moves tensor by tensor; b is the fixture",
            },
            "cases": cases,
        },
    )
