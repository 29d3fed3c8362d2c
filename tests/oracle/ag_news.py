"""The runs of scripts/experiments/ag-news.mjs in PyTorch: transformers' model, PEFT's LoRA and torch's AdamW, on the same rows in the same
order from the same weights.

    ag_news.py begin FOLDER MODEL     writes the starting point of both sides: FOLDER/begin/model with a new head, FOLDER/begin/adapter (LoRA)
    ag_news.py train FOLDER METHOD    trains FOLDER/METHOD.json, writes FOLDER/pytorch/METHOD.json
    ag_news.py check FOLDER METHOD    evaluates what Tabtune wrote to FOLDER/METHOD, writes FOLDER/pytorch/METHOD-check.json

All settings come from the recipe, so that none is kept in two places.
"""

from common import make_reproducible

make_reproducible()

import csv
import json
import math
import os
import re
import shutil
import sys
import time
from fractions import Fraction
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch.nn.functional import cross_entropy
from transformers import AutoModelForSequenceClassification, AutoTokenizer, get_linear_schedule_with_warmup

torch.set_num_threads(os.cpu_count() or 1)

SEED = 20
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")


# Data ----------------------------------------------------------------------------------------------------------------


class Data:
    """The rows of rows.csv in the order of a recipe with `shuffle: false`: file order, the last ones of each class held out."""

    def __init__(self, folder: Path, recipe: dict) -> None:
        with open(folder / "rows.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.labels = sorted({row["label"] for row in rows})
        tokenizer = AutoTokenizer.from_pretrained(folder / "begin/model")
        self.pad = tokenizer.pad_token_id
        limit = recipe["dataset"]["max_length"]
        ids = tokenizer([row["text"] for row in rows], truncation=True, max_length=limit)["input_ids"]
        self.tokens = sum(map(len, ids))
        examples = [(ids[i], self.labels.index(row["label"])) for i, row in enumerate(rows)]
        held = held_out([label for _, label in examples], recipe["dataset"]["validation_split"])
        self.train = [example for i, example in enumerate(examples) if i not in held]
        self.test = [example for i, example in enumerate(examples) if i in held]

    def batch(self, rows: list) -> tuple[dict, torch.Tensor]:
        width = max(len(ids) for ids, _ in rows)
        ids = torch.tensor([ids + [self.pad] * (width - len(ids)) for ids, _ in rows])
        mask = torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids, _ in rows])
        return {"input_ids": ids, "attention_mask": mask}, torch.tensor([label for _, label in rows])


def held_out(labels: list[int], share: float) -> set[int]:
    """The same fraction of each class, with remainders going to the classes that miss most: the largest-remainder rule."""
    wanted = round(len(labels) * share)
    part = Fraction(share).limit_denominator(1000)
    exact = {c: labels.count(c) * part for c in sorted(set(labels))}
    counts = {c: math.floor(n) for c, n in exact.items()}
    most = sorted(exact, key=lambda c: counts[c] - exact[c])
    for c in most[: wanted - sum(counts.values())]:
        counts[c] += 1
    return {i for c, n in counts.items() for i in [i for i, label in enumerate(labels) if label == c][-n:]}


# Models --------------------------------------------------------------------------------------------------------------


def begin(folder: Path, source: Path) -> None:
    recipe = json.loads((folder / "lora.json").read_text())
    with open(folder / "rows.csv", encoding="utf-8", newline="") as file:
        labels = sorted({row["label"] for row in csv.DictReader(file)})
    torch.manual_seed(SEED)
    model = AutoModelForSequenceClassification.from_pretrained(
        source,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
        problem_type="single_label_classification",
        dtype=torch.float32,
    )
    model.save_pretrained(folder / "begin/model")
    for name in TOKENIZER_FILES:
        shutil.copy(source / name, folder / "begin/model" / name)
    method = recipe["method"]
    config = LoraConfig(
        task_type="SEQ_CLS",
        r=method["r"],
        lora_alpha=method["lora_alpha"],
        lora_dropout=method["lora_dropout"],
        target_modules=method["target_modules"],
    )
    get_peft_model(model, config).save_pretrained(folder / "begin/adapter")


def load(folder: Path) -> torch.nn.Module:
    # Without dropout, as in the recipes: the masks of two implementations never match.
    return AutoModelForSequenceClassification.from_pretrained(folder / "begin/model", dtype=torch.float32).eval()


#: transformers.Trainer.get_decay_parameter_names, for BERT's names.
NO_DECAY = re.compile(r"bias|layernorm", re.IGNORECASE)


def depth(name: str, blocks: int) -> int:
    """How many blocks below the head a tensor is; the embeddings count with the first block."""
    found = re.search(r"encoder\.layer\.(\d+)\.", name)
    if found:
        return blocks - int(found[1])
    return blocks if ".embeddings." in name else 0


def slanted_triangular(step: int, total: int, cut_frac: float, ratio: float) -> float:
    """ULMFiT's schedule (Howard and Ruder, 2018, equation 3)."""
    cut = math.floor(total * cut_frac)
    p = step / cut if step < cut else 1 - (step - cut) / (cut * (1 / cut_frac - 1))
    return (1 + max(0.0, p) * (ratio - 1)) / ratio


# Runs ----------------------------------------------------------------------------------------------------------------


def evaluate(model: torch.nn.Module, data: Data, size: int) -> tuple[float, float]:
    """Mean loss and accuracy over the test rows."""
    loss, right = 0.0, 0
    with torch.no_grad():
        for i in range(0, len(data.test), size):
            inputs, labels = data.batch(data.test[i : i + size])
            logits = model(**inputs).logits
            loss += cross_entropy(logits, labels, reduction="sum").item()
            right += (logits.argmax(-1) == labels).sum().item()
    return loss / len(data.test), right / len(data.test)


def train(folder: Path, name: str) -> dict:
    recipe = json.loads((folder / f"{name}.json").read_text())
    method, settings = recipe["method"], recipe["training"]
    data = Data(folder, recipe)
    model = load(folder)
    blocks = model.config.num_hidden_layers
    if method["type"] == "lora":
        model = PeftModel.from_pretrained(model, folder / "begin/adapter", is_trainable=True).eval()
    for n, p in model.named_parameters():
        if method["type"] == "head":
            p.requires_grad = n.startswith("classifier.")
    learning = {n: p for n, p in model.named_parameters() if p.requires_grad}

    size = settings["per_device_train_batch_size"]
    assert settings["gradient_accumulation_steps"] == 1 and not settings["model_dropout"]
    steps_per_epoch = math.ceil(len(data.train) / size)
    total = settings["max_steps"] if settings["max_steps"] > 0 else steps_per_epoch * settings["num_train_epochs"]
    gradual = method["type"] == "gradual_unfreezing"
    divisor = method["layer_lr_divisor"] if gradual else 1.0
    rate = settings["learning_rate"]
    groups: dict[tuple[float, float], list] = {}
    for n, p in learning.items():
        key = (rate * divisor ** -depth(n, blocks), 0.0 if NO_DECAY.search(n) else settings["weight_decay"])
        groups.setdefault(key, []).append(p)
    optimizer = torch.optim.AdamW(
        [{"params": params, "lr": lr, "weight_decay": decay} for (lr, decay), params in groups.items()],
        betas=(settings["adam_beta1"], settings["adam_beta2"]),
        eps=settings["adam_epsilon"],
    )
    if settings["lr_scheduler_type"] == "slanted_triangular":
        cut_frac, ratio = settings["lr_cut_frac"], settings["lr_ratio"]
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: slanted_triangular(step, total, cut_frac, ratio)
        )
    else:
        assert settings["lr_scheduler_type"] == "linear"
        warmup = math.ceil(total * settings["warmup_ratio"])
        schedule = get_linear_schedule_with_warmup(optimizer, warmup, total)

    began = time.perf_counter()
    initial = evaluate(model, data, size)
    losses, norms = [], []
    for step in range(total):
        if gradual:
            for n, p in learning.items():
                p.requires_grad = step >= depth(n, blocks) * total // (blocks + 1)
        at = step % steps_per_epoch * size
        inputs, labels = data.batch(data.train[at : at + size])
        loss = cross_entropy(model(**inputs).logits, labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        active = [p for p in learning.values() if p.grad is not None]
        norms.append(torch.nn.utils.clip_grad_norm_(active, settings["max_grad_norm"]).item())
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    final = evaluate(model, data, size)
    return {
        "method": method["type"],
        "train_rows": len(data.train),
        "test_rows": len(data.test),
        "tokens": data.tokens,
        "trainable_parameters": sum(p.numel() for p in learning.values()),
        "initial_eval_loss": initial[0],
        "initial_accuracy": initial[1],
        "eval_loss": final[0],
        "accuracy": final[1],
        "seconds": time.perf_counter() - began,
        "losses": losses,
        "grad_norms": norms,
    }


def check(folder: Path, name: str) -> dict:
    """Evaluates what Tabtune wrote, opened as anybody would."""
    recipe = json.loads((folder / f"{name}.json").read_text())
    data = Data(folder, recipe)
    if (folder / name / "adapter").exists():
        model = PeftModel.from_pretrained(load(folder), folder / name / "adapter").eval()
    else:
        model, info = AutoModelForSequenceClassification.from_pretrained(
            folder / name / "model", dtype=torch.float32, output_loading_info=True
        )
        assert not info["missing_keys"] and not info["unexpected_keys"], info
        model.eval()
    loss, accuracy = evaluate(model, data, recipe["training"]["per_device_train_batch_size"])
    return {"eval_loss": loss, "accuracy": accuracy}


if __name__ == "__main__":
    what, folder, given = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    if what == "begin":
        begin(folder, Path(given))
    else:
        result = {"train": train, "check": check}[what](folder, given)
        out = folder / "pytorch" / f"{given}{'-check' if what == 'check' else ''}.json"
        out.parent.mkdir(exist_ok=True)
        out.write_text(json.dumps(result, indent=1) + "\n")
        print({k: v for k, v in result.items() if not isinstance(v, list)})
