"""Opens the configs that Tabtune writes for Axolotl with Axolotl's own code, and reads every setting back.

    PYTHONPATH=AXOLOTL python check_axolotl.py CASES.json

Axolotl takes unknown keys without a word, so what counts is the parsed object. CASES.json lists what tests/interop/trainer-configs.ts makes,
each with the names of its `checks`. The rows of instruction tuning are tokenised with Axolotl's own strategies and compared with Tabtune's tokens and labels.
Appends one JSON object per check to the file that CHECKS names: `name`, `ok`, `detail`.
"""

import ast
import importlib
import inspect
import json
import math
import os
import re
import sys
from pathlib import Path

import axolotl
import yaml
from axolotl.utils.dict import DictDefault
from axolotl.utils.schemas.config import AxolotlInputConfig
from expected_training import OPTIMISERS, common, saved_every, schedule

RL = {"dpo": "dpo", "kto": "kto", "orpo": "orpo", "cpo": "simpo", "grpo": "grpo"}


def expected(case: dict) -> dict:
    """What Axolotl must have understood, from the recipe alone."""
    recipe, facts = case["recipe"], case["facts"]
    dataset, method, objective, training = (recipe[name] for name in ("dataset", "method", "objective", "training"))
    adapter = method["type"] == "lora"
    four, eight = (recipe["model"]["quantization"] == name for name in ("nf4", "q8"))
    kind, warmup, kwargs = schedule(training, facts["steps"])
    rl = RL.get(objective["type"])
    want = common(training) | {
        "base_model": "org/tiny",
        "revision_of_model": "0123abc",
        "load_in_4bit": four,
        "load_in_8bit": eight,
        "adapter": ("qlora" if four else "lora") if adapter else None,
        "sequence_len": facts["maxLength"],
        "sample_packing": dataset["packing"],
        "shuffle_merged_datasets": dataset["shuffle"],
        "curriculum_sampling": not dataset["shuffle"],
        "val_set_size": 0,
        "lr_scheduler": kind,
        "lr_scheduler_kwargs": kwargs,
        "optimizer": OPTIMISERS[training["optim"]],
        "num_epochs": training["num_train_epochs"],
        "max_steps": training["max_steps"] if training["max_steps"] > 0 else None,
        "micro_batch_size": training["per_device_train_batch_size"],
        "gradient_checkpointing": training["gradient_checkpointing"] is not False,
        "eval_steps": training["eval_steps"] or None,
        "save_steps": saved_every(training) or None,
        "rl": rl,
        "reward_model": True if objective["type"] == "reward" else None,
    }
    if four:
        want["bnb_config_kwargs"] = {"bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True}
    if objective["type"] == "cpo" and kind == training["lr_scheduler_type"] and warmup is not None:
        want |= {"warmup_ratio": None, "warmup_steps": math.ceil(warmup * facts["steps"])}
    else:
        want |= {"warmup_ratio": warmup, "warmup_steps": None}
    if training["optim"] == "sgd":
        want["optim_args"] = {"momentum": training["sgd_momentum"]}
    if adapter:
        want |= {
            "lora_r": method["r"],
            # A whole number there.
            "lora_alpha": max(1, math.floor(method["lora_alpha"] + 0.5)),
            "lora_dropout": method["lora_dropout"],
            "lora_target_modules": method["target_modules"],
            "peft_use_rslora": method["use_rslora"] or None,
            "peft_use_dora": method["use_dora"] or None,
            "peft_init_lora_weights": None if method["init_lora_weights"] == "default" else method["init_lora_weights"],
            "loraplus_lr_ratio": None if method["loraplus_lr_ratio"] == 1 else method["loraplus_lr_ratio"],
            "lora_modules_to_save": method["modules_to_save"] or None,
            "lora_rank_pattern": method["rank_pattern"] or None,
            "lora_alpha_pattern": {k: math.floor(v + 0.5) for k, v in method["alpha_pattern"].items()} or None,
        }
    match objective["type"]:
        case "sft":
            want["train_on_inputs"] = not objective["assistant_only_loss"]
        case "dpo":
            want |= {
                "rl_beta": objective["beta"],
                "dpo_loss_type": objective["loss_type"],
                "dpo_loss_weights": objective["loss_weights"],
                "dpo_label_smoothing": objective["label_smoothing"] or None,
                "dpo_use_weighting": objective["use_weighting"] or None,
                "precompute_ref_log_probs": objective["precompute_ref_log_probs"] or None,
            }
        case "kto":
            want |= {
                "rl_beta": objective["beta"],
                "kto_desirable_weight": objective["desirable_weight"],
                "kto_undesirable_weight": objective["undesirable_weight"],
                "remove_unused_columns": False,
            }
        case "orpo":
            want["orpo_alpha"] = objective["beta"]
        case "cpo":
            want |= {
                "rl_beta": objective["beta"],
                "simpo_gamma": objective["simpo_gamma"],
                "cpo_alpha": objective["cpo_alpha"],
            }
        case "reward":
            want |= {
                "center_rewards_coefficient": objective["center_rewards_coefficient"] or None,
                "num_labels": 1,
                "type_of_model": "AutoModelForSequenceClassification",
            }
        case "grpo":
            want["trl"] = {"reward_weights": [reward["weight"] for reward in objective["rewards"]]} | {
                key: objective[key]
                for key in (
                    *("num_generations", "max_completion_length", "temperature", "top_p", "beta", "loss_type"),
                    *("scale_rewards", "importance_sampling_level", "num_iterations", "epsilon"),
                    *("use_bias_correction_kl", "mask_truncated_completions"),
                )
            }
    stops = rl is None and training["eval_steps"] > 0
    want["early_stopping_patience"] = (training["early_stopping_patience"] or None) if stops else None
    return want


def differences(parsed: AxolotlInputConfig, want: dict) -> list[str]:
    wrong = []
    for key, value in want.items():
        got = getattr(parsed, key)
        got = getattr(got, "value", got)
        if key == "trl":
            got = {name: getattr(got, name) for name in value}
        if isinstance(value, dict) and isinstance(got, dict) and set(value) == set(got):
            same = all(math.isclose(got[k], v) if isinstance(v, float) else got[k] == v for k, v in value.items())
        else:
            same = got == value
        if not same:
            wrong.append(f"{key} is {got!r} and not {value!r}")
    return wrong


def unknown_keys(config: dict) -> list[str]:
    fields = AxolotlInputConfig.model_fields
    return sorted(set(config) - set(fields) - {field.alias for field in fields.values()})


def tokens_of(config: dict, case: dict, side: str) -> list[tuple[dict, dict]]:
    """The rows of a side, and what Axolotl tokenises them to."""
    from axolotl.prompt_strategies import load
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(case["tokenizer"])
    cfg = DictDefault(config)
    found = []
    for dataset in cfg["datasets" if side == "train" else "test_datasets"]:
        strategy = load(dataset.type, tokenizer, cfg, dataset)
        rows = (Path(case["folder"]) / dataset.path).read_text(encoding="utf-8").splitlines()
        for row in map(json.loads, rows):
            made = strategy.tokenize_prompt(row)
            # `excess_length_strategy: truncate` cuts the end off.
            keep = config["sequence_len"]
            found.append((row, {"ids": list(made["input_ids"])[:keep], "labels": list(made["labels"])[:keep]}))
    return found


def apart(theirs: dict, mine: dict) -> str:
    if theirs["ids"] != mine["ids"]:
        at = next((i for i, (a, b) in enumerate(zip(theirs["ids"], mine["ids"])) if a != b), "the end")
        return f"ids differ from {at} on: {theirs['ids']} and not {mine['ids']}"
    pairs = enumerate(zip(theirs["labels"], mine["labels"]))
    return "labels " + ", ".join(f"{i}: {a} and not {b}" for i, (a, b) in pairs if a != b)


def as_messages(config: dict, case: dict) -> dict:
    """The config with what the README has for another model's template."""
    readme = (Path(case["folder"]) / "README.md").read_text(encoding="utf-8")
    changed = {**config, **yaml.safe_load(re.search(r"```yaml\n(.*?)```", readme, re.S)[1])}
    AxolotlInputConfig(**changed)
    return changed


def learns_answers(theirs: dict, mine: dict, row: dict) -> bool:
    """The same ids, learned where they are learned here, but for what a template puts behind the end of an answer."""
    ended = False
    for label, ours in zip(theirs["labels"], mine["labels"]):
        ended = ours != -100 and (ended or label == -100)
        if label != (-100 if ended else ours):
            return False
    return theirs["ids"] == mine["ids"]


def learns_messages(theirs: dict, mine: dict, row: dict) -> bool:
    """The same ids, and all is learned but for what a template puts before each message."""
    unlearned = [label == -100 for label in theirs["labels"]]
    begun = sum(now and not before for before, now in zip([False, *unlearned], unlearned))
    only = all(label in (-100, ours) for label, ours in zip(theirs["labels"], mine["labels"]))
    return theirs["ids"] == mine["ids"] and only and begun == len(row["messages"])


def reward_finder():
    """Axolotl's own `get_reward_func`, without its module, which needs the whole trainer (vLLM's client, numba)."""
    source = Path(axolotl.__path__[0], "core/trainers/grpo/__init__.py").read_text(encoding="utf-8")
    nodes = ast.walk(ast.parse(source))
    found = next(one for one in nodes if isinstance(one, ast.FunctionDef) and one.name == "get_reward_func")
    found.decorator_list, found.returns = [], None
    module = {"importlib": importlib, "inspect": inspect}
    exec(compile(ast.Module([found], []), "get_reward_func", "exec"), module)  # noqa: S102
    return lambda name: module["get_reward_func"](None, name)


def scores_apart(case: dict) -> tuple[list[str], int]:
    """Compares what the functions of rewards.py give to answers with what the rewards give in Tabtune."""
    reward_function = reward_finder()
    sys.modules.pop("rewards", None)
    sys.path.insert(0, case["folder"])
    config = yaml.safe_load((Path(case["folder"]) / "axolotl.yml").read_text(encoding="utf-8"))
    answers = case["scores"]["answers"]
    completions = [one["completion"] for one in answers]
    columns = {key: [one["columns"][key] for one in answers] for key in answers[0]["columns"]}
    messages = [[{"role": "assistant", "content": text}] for text in completions]
    ids = [one["tokens"] for one in answers]
    wrong, count = [], 0
    for name, expected in zip(config["trl"]["reward_funcs"], case["scores"]["rewards"], strict=True):
        function = reward_function(name)
        for given in (completions, messages):
            got = function(prompts=[""] * len(given), completions=given, completion_ids=ids, **columns)
            count += len(got)
            for text, theirs, ours in zip(completions, got, expected, strict=True):
                if (theirs is None) != (ours is None) or (ours is not None and abs(theirs - ours) > 1e-12):
                    wrong.append(f"{function.__name__} of {text!r}: {theirs} and not {ours}")
    sys.path.pop(0)
    return wrong, count


def said(check: str, ok: bool, detail: str) -> None:
    with open(os.environ["CHECKS"], "a", encoding="utf-8") as out:
        print(json.dumps({"name": check, "ok": ok, "detail": detail}), file=out)


def rows_apart(config: dict, case: dict, same) -> tuple[bool, str]:
    """Whether Axolotl makes of the rows what Tabtune makes of them, and what differs."""
    try:
        wrong, count = [], 0
        for side in ("train", "validation"):
            given, ours = tokens_of(config, case, side), case["tokens"][side]
            if len(given) != len(ours):
                wrong.append(f"{side} has {len(given)} rows and not {len(ours)}")
            for i, ((row, theirs), mine) in enumerate(zip(given, ours)):
                count += 1
                if not same(theirs, mine, row):
                    wrong.append(f"{side} {i}: {apart(theirs, mine)}")
    except Exception as error:
        wrong = [f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"]
    return not wrong, "; ".join(wrong)[:1500] or f"{count} rows"


def main() -> None:
    for case in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        checks = case["checks"]
        config = yaml.safe_load((Path(case["folder"]) / "axolotl.yml").read_text(encoding="utf-8"))
        try:
            parsed = AxolotlInputConfig(**config)
            want = expected(case)
            wrong = [*differences(parsed, want), *(f"{key} is no setting" for key in unknown_keys(config))]
        except Exception as error:
            wrong = [f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"]
        said(checks["settings"], not wrong, "; ".join(wrong) or f"{len(want)} settings read back")
        if case["scores"] is not None:
            try:
                wrong, count = scores_apart(case)
            except Exception as error:
                wrong, count = [f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"], 0
            said(checks["rewards"], not wrong, "; ".join(wrong)[:1500] or f"{count} scores")
        if case["tokens"] is not None:
            said(checks["tokens"], *rows_apart(config, case, lambda theirs, mine, row: theirs == mine))
        if "chat" in checks:
            learned = learns_answers if case["recipe"]["objective"]["assistant_only_loss"] else learns_messages
            said(checks["chat"], *rows_apart(as_messages(config, case), case, learned))


if __name__ == "__main__":
    main()
