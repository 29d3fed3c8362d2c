"""Classification heads, masked language modelling, label smoothing and full fine-tuning, by transformers and its Trainer.

The base models are those of the other scripts (tests/fixtures/families and llama/gqa-untied-odd). For every task there are a
right-padded batch, a random head, and the results of transformers' own class for the task: scores, loss, the loss with its
LabelSmoother, and gradients of the head and some of the base's tensors, all in f32 with eager attention and without dropout.
The ten-step runs are by its Trainer, over every weight. Writes tests/fixtures/tasks/; README.md describes the layout.
"""

from common import FIXTURES, make_reproducible, philox, versions, write_json

make_reproducible()

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from tiny import PAD, normal, relative
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    Trainer,
    TrainingArguments,
)
from transformers.trainer_pt_utils import LabelSmoother

OUT = FIXTURES / "tasks"
SMOOTHING = 0.1
LENGTHS = (13, 9, 4)
MASK, CLS, SEP = 5, 3, 4

ENCODERS = ("bert", "roberta", "distilbert")
BASES = {name: FIXTURES / "families" / name for name in (*ENCODERS, "gpt2", "gpt_neox")} | {
    "llama": FIXTURES / "llama" / "gqa-untied-odd"
}

#: Rates that a base's config.json may contain and that must have no effect here.
NO_DROPOUT = ("dropout", "embd_pdrop", "attn_pdrop", "resid_pdrop", "classifier_dropout")


# The random choice of masked tokens, as in Tabtune -------------------------------------------------------------------


def hide(rows: list[list[int]], width: int, vocab: int, share: float, seed: int, run: int) -> tuple[list, list]:
    """Input ids and labels: of the chosen tokens, 80 % are masked, 10 % replaced, 10 % left as they are."""
    ids, labels = [], []
    for b, row in enumerate(rows):
        seen, wanted = list(row), [-100] * len(row)
        for t, token in enumerate(row):
            whether, what, which = (w >> 8 for w in philox((b * width + t, run, 0, 13), seed)[:3])
            if token in (CLS, SEP) or whether / 2**24 >= share:
                continue
            wanted[t] = token
            if what / 2**24 < 0.8:
                seen[t] = MASK
            elif what / 2**24 < 0.9:
                seen[t] = int(which / 2**24 * vocab)
        ids.append(seen)
        labels.append(wanted)
    return ids, labels


# Models and batches --------------------------------------------------------------------------------------------------


@dataclass
class Task:
    name: str
    auto: type
    labels: int = 0
    problem: str | None = None


SEQUENCE = [
    Task("single_label_classification", AutoModelForSequenceClassification, 3, "single_label_classification"),
    Task("multi_label_classification", AutoModelForSequenceClassification, 4, "multi_label_classification"),
    Task("regression", AutoModelForSequenceClassification, 1, "regression"),
]
TOKENS = Task("token_classification", AutoModelForTokenClassification, 5)
MASKED = Task("masked_lm", AutoModelForMaskedLM)
CAUSAL = Task("sft", AutoModelForCausalLM)


def tasks_of(family: str) -> list[Task]:
    return [*SEQUENCE, TOKENS, MASKED if family in ENCODERS else CAUSAL]


def load(family: str, task: Task, attention: str = "eager") -> torch.nn.Module:
    """The base with a random head, large enough to show in the gradients."""
    config = transformers.AutoConfig.from_pretrained(BASES[family])
    for name in dir(config):
        if name in NO_DROPOUT or name.endswith(("_dropout", "_dropout_prob")):
            if isinstance(getattr(config, name), float):
                setattr(config, name, 0.0)
    if task.labels:
        config.num_labels = task.labels
        config.problem_type = task.problem
    model = task.auto.from_pretrained(BASES[family], config=config, dtype=torch.float32, attn_implementation=attention)
    with torch.no_grad():
        for name, p in head(model, family):
            rng = torch.Generator().manual_seed(len(name) * 1000 + task.labels)
            p.copy_(normal(p.shape, 0.3 if p.ndim == 2 else 0.1, rng))
    for module in model.modules():
        assert not isinstance(module, torch.nn.Dropout) or module.p == 0 or not model.training
    return model


def head(model: torch.nn.Module, family: str) -> list[tuple[str, torch.nn.Parameter]]:
    """The parameters that are not in the base's file, if the task has its own head."""
    if "ForSequence" not in type(model).__name__ and "ForToken" not in type(model).__name__:
        return []
    stored = load_file(BASES[family] / "model.safetensors").keys()
    return [(n, p) for n, p in model.named_parameters() if n not in stored]


def make_batch(family: str, task: Task, vocab: int) -> tuple[dict, dict[str, torch.Tensor]]:
    """The batch as JSON for the tests, and as transformers takes it."""
    rng = torch.Generator().manual_seed(7 + len(family))
    width = max(LENGTHS)
    rows = [torch.randint(6, vocab, (n,), generator=rng).tolist() for n in LENGTHS]
    rows = [[CLS, *row[1:-1], SEP] for row in rows]
    record: dict = {"ids": [r + [PAD] * (width - len(r)) for r in rows], "lengths": list(LENGTHS)}
    mask = torch.tensor([[1] * n + [0] * (width - n) for n in LENGTHS])
    ids = torch.tensor(record["ids"])
    if task.name == "single_label_classification":
        labels = torch.randint(0, task.labels, (3,), generator=rng)
        record["classes"] = labels.tolist()
    elif task.name == "multi_label_classification":
        labels = torch.randint(0, 2, (3, task.labels), generator=rng).float()
        record["classes"] = labels.flatten().tolist()
    elif task.name == "regression":
        labels = torch.randn(3, 1, generator=rng)
        record["classes"] = labels.flatten().tolist()
    elif task.name == "masked_lm":
        hidden, wanted = hide(rows, width, vocab, 0.4, 3, 2)
        record |= {"seed": 3, "pass": 2, "mlm_probability": 0.4, "hidden": [], "targets": 0}
        record["hidden"] = [h + [PAD] * (width - len(h)) for h in hidden]
        record["targets"] = sum(t != -100 for row in wanted for t in row)
        ids = torch.tensor(record["hidden"])
        labels = torch.tensor([w + [-100] * (width - len(w)) for w in wanted])
    else:
        labels = torch.randint(0, task.labels or vocab, ids.shape, generator=rng) if task.labels else ids.clone()
        holes = torch.rand(ids.shape, generator=rng) < 0.3
        labels = labels.masked_fill(holes | (mask == 0), -100)
        record["labels"] = labels.tolist()
    return record, {"input_ids": ids, "attention_mask": mask, "labels": labels}


#: Besides the head: the token embeddings and, in the first block, a projection, a bias or norm, and the feed-forward's last.
SHOWN = (
    "word_embeddings.weight", "embed_tokens.weight", "wte.weight", "embed_in.weight",
    "layer.0.attention.self.query.weight", "layer.0.attention.q_lin.weight", "layers.0.self_attn.q_proj.weight",
    "h.0.attn.c_attn.weight", "layers.0.attention.query_key_value.weight",
    "layer.0.output.LayerNorm.weight", "layer.0.output_layer_norm.weight", "layers.0.input_layernorm.weight",
    "h.0.ln_1.weight", "layer.0.output.dense.bias", "layer.0.ffn.lin2.bias", "h.0.mlp.c_proj.bias",
    "layers.0.mlp.dense_4h_to_h.bias", "layers.0.mlp.down_proj.weight",
)  # fmt: skip


def shown(name: str, own: set[str]) -> bool:
    language_head = name.startswith(("cls.", "lm_head.", "vocab_", "embed_out."))
    return name in own or name.endswith(SHOWN) or language_head


def stored_name(family: str, name: str) -> str:
    """transformers 5 gives GPT-NeoX's output projection the common name, but writes it under its old one."""
    return "embed_out.weight" if family == "gpt_neox" and name == "lm_head.weight" else name


def write_task(family: str, task: Task, tensors: dict) -> dict:
    model = load(family, task).eval()
    record, inputs = make_batch(family, task, model.config.vocab_size)
    own = {name for name, _ in head(model, family)}
    out = model(**inputs)
    out.loss.backward()
    grads = {n: p.grad for n, p in model.named_parameters() if shown(n, own)}
    assert all(g is not None and g.abs().max() > 1e-5 for g in grads.values())
    at = f"{task.name}."
    tensors |= {f"{at}head.{n}": p.detach() for n, p in head(model, family)}
    tensors |= {f"{at}grad.{stored_name(family, n)}": g for n, g in grads.items()}
    real = inputs["attention_mask"].unsqueeze(-1) if out.logits.ndim == 3 else 1
    tensors[f"{at}scores"] = (out.logits * real).detach()
    record["loss"] = out.loss.item()
    if task.problem in (None, "single_label_classification"):
        smoother = LabelSmoother(epsilon=SMOOTHING)
        with torch.no_grad():
            smooth = smoother({"logits": model(**inputs).logits}, inputs["labels"], shift_labels=task is CAUSAL)
        record["loss_smoothed"] = smooth.item()
        assert abs(record["loss_smoothed"] / record["loss"] - 1) > 1e-3

    # Another correct implementation: how much two of them differ.
    other = load(family, task, "sdpa").eval()
    again = other(**inputs)
    again.loss.backward()
    others = dict(other.named_parameters())
    record["noise"] = {
        "scores": relative(again.logits * real, out.logits * real),
        "gradients": max(relative(others[n].grad, g) for n, g in grads.items()),
    }
    return record


# Training ------------------------------------------------------------------------------------------------------------

STEPS = 10


@dataclass
class Run:
    family: str
    task: Task
    accumulate: int = 1
    smoothing: float = 0.0


RUNS = [
    Run("bert", SEQUENCE[0], smoothing=SMOOTHING),
    Run("bert", TOKENS),
    Run("bert", MASKED),
    Run("llama", CAUSAL, accumulate=2),
    Run("gpt2", CAUSAL, smoothing=SMOOTHING),
]
TRAINING = dict(
    learning_rate=3e-3, lr_scheduler_type="linear", max_grad_norm=3.0, weight_decay=0.1, adam_beta1=0.9,
    adam_beta2=0.999,
    # Gradients that are zero except for rounding (a key's bias) must not become steps.
    adam_epsilon=1e-4,
)  # fmt: skip


def make_training_data(task: Task, vocab: int) -> list[dict]:
    """Progressions modulo the vocabulary, so that there is something to learn."""
    rng = torch.Generator().manual_seed(11)

    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high, (1,), generator=rng))

    examples = []
    for _ in range(12):
        start, stride, length = draw(0, 40), draw(1, 4), draw(5, 13)
        ids = [CLS, *(6 + (start + stride * i) % (vocab - 6) for i in range(length)), SEP]
        example: dict = {"ids": ids}
        if task is SEQUENCE[0]:
            example["classes"] = [stride - 1]
        elif task is TOKENS:
            example["labels"] = [-100, *((i * stride) % task.labels for i in range(length)), -100]
        elif task is CAUSAL:
            # Nothing predicts the first label, but the Trainer counts it if the model's class is not named …ForCausalLM.
            example["labels"] = [-100, *ids[1:]]
        examples.append(example)
    return examples


def train(run: Run, examples: list[dict], attention: str = "eager") -> tuple[list[dict], dict, dict, dict]:
    model = load(run.family, run.task, attention)
    start = {n: p.detach().clone() for n, p in model.named_parameters()}
    passes = iter(range(10**6))

    def collate(rows: list[dict]) -> dict[str, torch.Tensor]:
        texts = [row["ids"] for row in rows]
        width = max(map(len, texts))
        if run.task is MASKED:
            texts, labels = hide(texts, width, model.config.vocab_size, 0.4, 3, next(passes))
        else:
            labels = [row.get("labels", []) for row in rows]
        batch = {
            "input_ids": torch.tensor([r + [PAD] * (width - len(r)) for r in texts]),
            "attention_mask": torch.tensor([[1] * len(r) + [0] * (width - len(r)) for r in texts]),
        }
        if run.task is SEQUENCE[0]:
            batch["labels"] = torch.tensor([row["classes"][0] for row in rows])
        else:
            batch["labels"] = torch.tensor([r + [-100] * (width - len(r)) for r in labels])
        return batch

    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=folder, max_steps=STEPS, per_device_train_batch_size=4,
                gradient_accumulation_steps=run.accumulate, label_smoothing_factor=run.smoothing, warmup_steps=0,
                train_sampling_strategy="sequential", logging_steps=1, save_strategy="no", report_to=[],
                disable_tqdm=True, remove_unused_columns=False, use_cpu=True, dataloader_num_workers=0, **TRAINING,
            ),
            train_dataset=examples,
            data_collator=collate,
        )  # fmt: skip
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
    log = [{k: row[k] for k in ("loss", "grad_norm", "learning_rate")} for row in trainer.state.log_history if "loss" in row]
    own = {name for name, _ in head(model, run.family)}
    final = {n: p.detach() for n, p in model.named_parameters()}
    return log, {n: start[n] for n in own}, final, {n: final[n] - start[n] for n in final if shown(n, own)}


def write_run(run: Run, tensors: dict) -> dict:
    vocab = transformers.AutoConfig.from_pretrained(BASES[run.family]).vocab_size
    examples = make_training_data(run.task, vocab)
    log, start, _, moves = train(run, examples)
    other_log, _, _, other_moves = train(run, examples, "sdpa")
    clipped = [row["grad_norm"] > TRAINING["max_grad_norm"] for row in log]
    at = f"{run.family}.{run.task.name}."
    tensors |= {f"{at}head.{n}": t for n, t in start.items()}
    tensors |= {f"{at}move.{n}": t for n, t in moves.items()}
    first, last = log[0]["loss"], log[-1]["loss"]
    assert last < first, (first, last)
    record = {
        "family": run.family,
        "task": run.task.name,
        "labels": run.task.labels,
        "smoothing": run.smoothing,
        "accumulate": run.accumulate,
        "batch_size": 4,
        **({"mlm_probability": 0.4, "seed": 3} if run.task is MASKED else {}),
        "training": {**TRAINING},
        "examples": examples,
        "steps": [{**row, "clipped": c} for row, c in zip(log, clipped, strict=True)],
        "noise": {
            "loss": max(abs(a["loss"] / b["loss"] - 1) for a, b in zip(other_log, log, strict=True)),
            "move": max(relative(other_moves[n], m) for n, m in moves.items()),
        },
    }
    print(f"{at:36} {first:.4f} -> {last:.4f}  clipped {sum(clipped)}/{STEPS}  noise {json.dumps(record['noise'])}")
    return record


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    for family in BASES:
        tensors: dict[str, torch.Tensor] = {}
        records = {task.name: write_task(family, task, tensors) for task in tasks_of(family)}
        save_file({k: t.contiguous() for k, t in tensors.items()}, OUT / f"{family}.safetensors")
        write_json(OUT / f"{family}.json", records)
        print(f"{family:12} noise {json.dumps({k: r['noise'] for k, r in records.items()})}")
    tensors = {}
    runs = [write_run(run, tensors) for run in RUNS]
    save_file({k: t.contiguous() for k, t in tensors.items()}, OUT / "training.safetensors")
    write_json(OUT / "training.json", runs)
    write_json(
        OUT / "meta.json",
        {
            "made_by": "tests/oracle/make_task_fixtures.py",
            "versions": versions("torch", "transformers", "accelerate", "safetensors"),
            "computed_in": "float32, one thread, eager attention",
            "mask_token_id": MASK,
            "special": [CLS, SEP],
            "label_smoothing_factor": SMOOTHING,
            "tolerances": {
                "scores": 1e-4, "loss": 1e-4, "gradients": 1e-3, "training_loss": 1e-3, "move": 2e-3,
                "meaning": "max|a-b| / max|b|, for gradients and moves tensor by tensor; b is the fixture",
            },
        },
    )  # fmt: skip
