"""Opens the configs that Tabtune writes for LLaMA-Factory with LLaMA-Factory's own parser, and reads every setting back.

    PYTHONPATH=LLAMAFACTORY DISABLE_VERSION_CHECK=1 python check_llamafactory.py CASES.json

CASES.json lists what tests/interop/trainer-configs.ts makes, each with the names of its `checks`. The rows are read with LLaMA-Factory's own converters, and those of
instruction tuning are tokenised with its own processor and compared with Tabtune's tokens and labels. Appends one JSON object per check
to the file that CHECKS names: `name`, `ok`, `detail`.
"""

import json
import math
import os
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import yaml

# It is imported for audio, which no row here has, and its wheels want another build of torch.
sys.modules["torchaudio"] = ModuleType("torchaudio")
sys.modules["torchaudio"].__spec__ = ModuleSpec("torchaudio", None)

from expected_training import OPTIMISERS, common, saved_every, schedule
from llamafactory.data.converter import get_dataset_converter
from llamafactory.data.parser import get_dataset_list
from llamafactory.data.processor.supervised import SupervisedDatasetProcessor
from llamafactory.data.template import get_template_and_fix_tokenizer
from llamafactory.hparams import get_train_args
from transformers import AutoTokenizer

STAGES = {"sft": "sft", "pretraining": "pt", "dpo": "dpo", "kto": "kto", "orpo": "dpo", "cpo": "dpo", "reward": "rm"}


def expected(case: dict) -> dict:
    """What LLaMA-Factory must have understood, from the recipe alone."""
    recipe, facts = case["recipe"], case["facts"]
    dataset, method, objective, training = (recipe[name] for name in ("dataset", "method", "objective", "training"))
    four, eight = (recipe["model"]["quantization"] == name for name in ("nf4", "q8"))
    kind, text = objective["type"], objective["type"] == "pretraining"
    name, warmup, kwargs = schedule(training, facts["steps"])
    want = common(training) | {
        "model_name_or_path": "org/tiny",
        "model_revision": "0123abc",
        "quantization_bit": 4 if four else 8 if eight else None,
        "dataset": ["train"],
        "eval_dataset": ["validation"],
        "template": "empty",
        # It takes one token off for packing.
        "cutoff_len": facts["maxLength"],
        "packing": dataset["packing"],
        "neat_packing": dataset["packing"] and not text,
        "disable_shuffling": not dataset["shuffle"],
        "val_size": 0.0,
        "stage": STAGES[kind],
        "finetuning_type": method["type"],
        "lr_scheduler_type": name,
        "lr_scheduler_kwargs": kwargs,
        # transformers 5 keeps the share here.
        "warmup_steps": warmup or 0,
        "optim": OPTIMISERS[training["optim"]],
        "num_train_epochs": training["num_train_epochs"],
        "max_steps": training["max_steps"],
        "per_device_train_batch_size": training["per_device_train_batch_size"],
        "disable_gradient_checkpointing": training["gradient_checkpointing"] is False,
        "label_smoothing_factor": training["label_smoothing_factor"],
        "data_seed": training["seed"],
        "train_on_prompt": kind == "sft" and not objective["assistant_only_loss"],
    }
    if training["eval_steps"]:
        want["eval_steps"] = training["eval_steps"]
    if saved_every(training):
        want["save_steps"] = saved_every(training)
    stops = kind != "reward" and training["eval_steps"] > 0 and training["early_stopping_patience"] > 0
    want["early_stopping_steps"] = training["early_stopping_patience"] if stops else None
    if four:
        want |= {"quantization_type": "nf4", "double_quantization": True, "quantization_method": "bnb"}
    if training["optim"] == "sgd":
        want["optim_args"] = f"momentum={training['sgd_momentum']}"
    if method["type"] == "lora":
        pissa = method["init_lora_weights"] == "pissa"
        every = method["target_modules"] == "all-linear"
        want |= {
            "lora_rank": method["r"],
            "lora_alpha": method["lora_alpha"],
            "lora_dropout": method["lora_dropout"],
            "lora_target": ["all"] if every else method["target_modules"],
            "use_rslora": method["use_rslora"],
            "use_dora": method["use_dora"],
            "pissa_init": pissa,
            "pissa_iter": -1 if pissa else 16,
            "loraplus_lr_ratio": None if method["loraplus_lr_ratio"] == 1 else method["loraplus_lr_ratio"],
            "additional_target": method["modules_to_save"] or None,
            "adapter_name_or_path": None if pissa or kind == "reward" else ["./init_adapter"],
        }
    match kind:
        case "dpo":
            want |= {
                "pref_beta": objective["beta"],
                "pref_loss": objective["loss_type"][0],
                "dpo_label_smoothing": objective["label_smoothing"],
                "ld_alpha": None if objective["ld_alpha"] == 1 else objective["ld_alpha"],
            }
        case "kto":
            want |= {
                "pref_beta": objective["beta"],
                "kto_chosen_weight": objective["desirable_weight"],
                "kto_rejected_weight": objective["undesirable_weight"],
            }
        case "orpo":
            want |= {"pref_beta": objective["beta"], "pref_loss": "orpo"}
        case "cpo":
            want |= {
                "pref_beta": objective["beta"],
                "pref_loss": "simpo",
                "simpo_gamma": objective["simpo_gamma"],
                "pref_ftx": objective["cpo_alpha"],
            }
    return want


def differences(parsed: tuple, want: dict) -> list[str]:
    wrong = []
    for key, value in want.items():
        owner = next((args for args in parsed if hasattr(args, key)), None)
        got = getattr(owner, key, "missing")
        got = getattr(got, "value", got)
        if key == "lr_scheduler_kwargs":
            got = got or None
        if isinstance(value, dict) and isinstance(got, dict) and set(value) == set(got):
            same = all(math.isclose(got[k], v) if isinstance(v, float) else got[k] == v for k, v in value.items())
        else:
            same = got == value
        if not same:
            wrong.append(f"{key} is {got!r} and not {value!r}")
    return wrong


def rows_of(folder: Path, data_args, side: str) -> list[dict]:
    """The rows of a side in LLaMA-Factory's own form."""
    (attr,) = get_dataset_list([side], str(folder / data_args.dataset_dir))
    convert = get_dataset_converter(attr.formatting, attr, data_args)
    lines = (folder / data_args.dataset_dir / attr.dataset_name).read_text(encoding="utf-8").splitlines()
    return [convert(json.loads(line)) for line in lines]


def apart(theirs: dict, mine: dict) -> str:
    if theirs["ids"] != mine["ids"]:
        at = next((i for i, (a, b) in enumerate(zip(theirs["ids"], mine["ids"])) if a != b), "the end")
        return f"ids differ from {at} on: {theirs['ids']} and not {mine['ids']}"
    pairs = enumerate(zip(theirs["labels"], mine["labels"]))
    return "labels " + ", ".join(f"{i}: {a} and not {b}" for i, (a, b) in pairs if a != b)


def said(check: str, ok: bool, detail: str) -> None:
    with open(os.environ["CHECKS"], "a", encoding="utf-8") as out:
        print(json.dumps({"name": check, "ok": ok, "detail": detail}), file=out)


def tokens_apart(case: dict, data_args, folder: Path) -> tuple[list[str], int]:
    wrong, count = [], 0
    tokenizer = AutoTokenizer.from_pretrained(case["tokenizer"])
    template = get_template_and_fix_tokenizer(tokenizer, data_args)
    processor = SupervisedDatasetProcessor(template, tokenizer, None, data_args)
    for side in ("train", "validation"):
        given, ours = rows_of(folder, data_args, side), case["tokens"][side]
        if len(given) != len(ours):
            wrong.append(f"{side} has {len(given)} rows and not {len(ours)}")
        for i, (row, mine) in enumerate(zip(given, ours)):
            ids, labels = processor._encode_data_example(
                prompt=row["_prompt"],
                response=row["_response"],
                system=row["_system"],
                tools=row["_tools"],
                images=[],
                videos=[],
                audios=[],
            )
            count += 1
            theirs = {"ids": ids, "labels": labels}
            if theirs != mine:
                wrong.append(f"{side} {i}: {apart(theirs, mine)}")
    return wrong, count


def main() -> None:
    for case in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        folder, checks = Path(case["folder"]), case["checks"]
        config = yaml.safe_load((folder / "llamafactory.yaml").read_text(encoding="utf-8"))
        try:
            parsed = get_train_args(config)
            want = expected(case)
            wrong = differences(parsed, want)
        except Exception as error:
            said(checks["settings"], False, f"{type(error).__name__}: {' '.join(str(error).split())[:400]}")
            continue
        said(checks["settings"], not wrong, "; ".join(wrong) or f"{len(want)} settings read back")
        data_args = parsed[1]
        rows = [row for side in ("train", "validation") for row in rows_of(folder, data_args, side)]
        broken = sum(not row["_prompt"] for row in rows)
        said(checks["rows"], broken == 0, f"{broken} of {len(rows)} rows are skipped" if broken else f"{len(rows)} rows")
        if case["tokens"] is None:
            continue
        may = any("first token of an answer may differ" in note or "shortens prompts" in note for note in case["notes"])
        try:
            wrong, count = tokens_apart(case, data_args, folder)
        except Exception as error:
            wrong, count = [f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"], 0
            may = False
        detail = f"{count - len(wrong)} of {count} rows"
        said(checks["tokens"], may or not wrong, detail if may or not wrong else "; ".join(wrong)[:1500])


if __name__ == "__main__":
    main()
