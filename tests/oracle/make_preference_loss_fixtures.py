"""Ten training steps of TRL's preference trainers on the tiny models of the other scripts, with every metric that they log.

DPO with most of its losses, KTO, ORPO, CPO and SimPO, for LoRA and over every weight, llama-like and gpt2-like, from given adapters, in
f32, without dropout, in the order of the data. A LoRA is new (B is zero, so the reference is the base) or continued (the reference is
the adapter as loaded); TRL compares with a copy of it in both cases. Writes tests/fixtures/preferences/training.json.

ORPO and CPO log the mean logit of padding and prompts as well, which depends on how batches are padded: `logits/*` is left out for them.
"""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import copy
import logging
import tempfile
import warnings
from typing import Any

import torch
import transformers
from datasets import Dataset, disable_progress_bars
from peft import PeftModel
from tiny import PAD
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer
from trl.experimental.cpo import CPOConfig, CPOTrainer
from trl.experimental.orpo import ORPOConfig, ORPOTrainer

logging.disable(logging.WARNING)
warnings.filterwarnings("ignore")
disable_progress_bars()

STEPS = 10
ROWS = 8
BASES = {
    "llama": (FIXTURES / "llama" / "gqa-untied-odd", "adapter_init"),
    "gpt2": (FIXTURES / "families" / "gpt2", "adapter"),
}
TRAINING = {"learning_rate": 5e-3, "weight_decay": 0.01, "max_grad_norm": 1.0}
BATCHES = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 2}
EOS = 2

TRAINERS = {
    "dpo": (DPOTrainer, DPOConfig),
    "kto": (KTOTrainer, KTOConfig),
    "orpo": (ORPOTrainer, ORPOConfig),
    "cpo": (CPOTrainer, CPOConfig),
}
#: objective, model, what is trained, fields
CASES: list[tuple[str, str, str, dict[str, Any]]] = [
    ("dpo", "llama", "new", {}),
    ("dpo", "llama", "continued", {"loss_type": ["sigmoid", "bco_pair", "sft"], "loss_weights": [0.8, 0.2, 1.0]}),
    ("dpo", "llama", "continued", {"loss_type": ["discopop"], "f_divergence_type": "js_divergence"}),
    ("dpo", "llama", "full", {"loss_type": ["sigmoid_norm"], "ld_alpha": 0.5, "beta": 0.5}),
    ("dpo", "llama", "full", {"loss_type": ["aot"], "label_smoothing": 0.1}),
    ("dpo", "llama", "new", {"loss_type": ["nca_pair"]}),
    ("dpo", "gpt2", "new", {"loss_type": ["hinge"]}),
    ("dpo", "gpt2", "new", {"loss_type": ["sigmoid"], "use_weighting": True}),
    ("dpo", "gpt2", "continued", {"loss_type": ["exo_pair"], "label_smoothing": 1e-3, "f_divergence_type": "forward_kl"}),
    ("dpo", "gpt2", "full", {"loss_type": ["robust"], "label_smoothing": 0.1}),
    ("dpo", "gpt2", "full", {"loss_type": ["apo_zero", "aot_unpaired"]}),
    ("dpo", "gpt2", "new", {"loss_type": ["ipo"]}),
    ("dpo", "gpt2", "new", {"f_divergence_type": "alpha_divergence", "loss_type": ["sigmoid"]}),
    ("dpo", "gpt2", "continued", {"loss_type": ["apo_down", "sppo_hard"], "loss_weights": [1.0, 0.01]}),
    ("kto", "llama", "new", {"desirable_weight": 1.33}),
    ("kto", "llama", "full", {"loss_type": "apo_zero_unpaired"}),
    ("kto", "gpt2", "continued", {"beta": 0.5, "undesirable_weight": 2.0}),
    ("kto", "gpt2", "full", {}),
    ("orpo", "llama", "full", {}),
    ("orpo", "gpt2", "new", {"beta": 0.5}),
    ("cpo", "llama", "new", {"label_smoothing": 0.1}),
    ("cpo", "gpt2", "full", {"loss_type": "simpo", "beta": 2.0, "simpo_gamma": 1.0, "cpo_alpha": 0.0}),
    ("cpo", "llama", "full", {"loss_type": "simpo", "alpha": 0.25, "cpo_alpha": 0.0}),
    ("cpo", "gpt2", "continued", {"loss_type": "ipo", "cpo_alpha": 0.5}),
]


def word(token: int) -> str:
    return f"<{token}>"


def tokenizer() -> PreTrainedTokenizerFast:
    """A word for each id of the tiny models. None is a part of another: special tokens are found inside words as well."""
    words = Tokenizer(models.WordLevel({word(i): i for i in range(61)}, unk_token=word(3)))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=words, pad_token=word(PAD), eos_token=word(EOS), unk_token=word(3))


def make_rows() -> list[dict[str, list[int]]]:
    """Prompts and answers of uneven lengths."""
    rng = torch.Generator().manual_seed(17)
    draw = lambda low, high: torch.randint(4, 61, (int(torch.randint(low, high, (1,), generator=rng)),), generator=rng).tolist()
    return [{"prompt": draw(2, 6), "chosen": [*draw(2, 9), EOS], "rejected": [*draw(2, 9), EOS]} for _ in range(ROWS)]


#: Three good answers to one bad: with as many of either, KTO's drift cancels to first order.
GOOD = [True, True, True, False, True, False, True, True]


def dataset(objective: str, rows: list[dict[str, list[int]]]) -> Dataset:
    text = lambda ids: " ".join(map(word, ids))
    # The first token of an answer must not be joined with the prompt.
    after = lambda ids: " " + text(ids)
    if objective == "kto":
        answers = [after(row["chosen"] if good else row["rejected"]) for row, good in zip(rows, GOOD)]
        return Dataset.from_dict({"prompt": [text(r["prompt"]) for r in rows], "completion": answers, "label": GOOD})
    return Dataset.from_list([{"prompt": text(r["prompt"]), **{k: after(r[k]) for k in ("chosen", "rejected")}} for r in rows])


def load(family: str, trained: str) -> torch.nn.Module:
    folder, adapter = BASES[family]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    if trained == "full":
        return model
    model = PeftModel.from_pretrained(model, folder / adapter, is_trainable=True)
    for name, parameter in model.named_parameters():
        if trained == "new" and "lora_B" in name:
            parameter.data.zero_()
    return model


def ids_of(objective: str, row: dict, given: dict[str, list[int]]) -> None:
    """Fails unless the trainer reads the very ids."""
    if objective in ("orpo", "cpo"):
        assert row["chosen_input_ids"] == given["prompt"] + given["chosen"], (row, given)
        assert [i for i in row["chosen_labels"] if i != -100] == given["chosen"], (row, given)
    elif objective == "dpo":
        assert [row["prompt_ids"], row["chosen_ids"], row["rejected_ids"]] == [given[k] for k in ("prompt", "chosen", "rejected")]
    else:
        assert row["prompt_ids"] == given["prompt"] and row["completion_ids"] in (given["chosen"], given["rejected"])


def run(objective: str, family: str, trained: str, fields: dict[str, Any], rows: list) -> dict:
    trainer_class, config_class = TRAINERS[objective]
    model = load(family, trained)
    with tempfile.TemporaryDirectory() as folder:
        args = config_class(
            output_dir=folder, max_steps=STEPS, lr_scheduler_type="linear", warmup_steps=0, logging_steps=1, save_strategy="no",
            report_to=[], disable_tqdm=True, use_cpu=True, bf16=False, gradient_checkpointing=False, max_length=None,
            train_sampling_strategy="sequential", **BATCHES, **TRAINING, **fields,
        )  # fmt: skip
        reference = {"ref_model": copy.deepcopy(model)} if trained == "full" and objective in ("dpo", "kto") else {}
        trainer = trainer_class(
            model=model, args=args, train_dataset=dataset(objective, rows), processing_class=tokenizer(), **reference
        )
        for row, given in zip(trainer.train_dataset, rows):
            ids_of(objective, row, given)
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
    left_out = {"epoch", "step"} | ({"logits/chosen", "logits/rejected"} if objective in ("orpo", "cpo") else set())
    log = [{k: v for k, v in row.items() if k not in left_out} for row in trainer.state.log_history if "loss" in row]
    assert len(log) == STEPS
    names = list(log[0])
    shown = lambda value: None if value is None else float(f"{value:.7g}")
    return {
        "objective": objective,
        "family": family,
        "trained": trained,
        "fields": fields,
        "steps": {name: [shown(row.get(name)) for row in log] for name in dict.fromkeys(k for row in log for k in row)},
    }


if __name__ == "__main__":
    rows = make_rows()
    write_json(
        FIXTURES / "preferences" / "training.json",
        {
            "made_by": "tests/oracle/make_preference_loss_fixtures.py",
            "versions": versions("torch", "transformers", "peft", "trl"),
            "training": TRAINING | BATCHES,
            "rows": rows,
            "good": GOOD,
            "runs": [run(*case, rows) for case in CASES],
        },
    )
