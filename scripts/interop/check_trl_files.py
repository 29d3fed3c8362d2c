"""Opens the files that Tabtune writes for TRL's command line as that command line does, and reads every setting back.

    python check_trl_files.py CASES.json

CASES.json lists what tests/interop/trl-files.ts makes. Appends one JSON object per case to the file that CHECKS names: `name`, `ok`,
`detail`.
"""

import importlib
import json
import math
import os
import sys
from pathlib import Path

import yaml
from datasets import load_dataset
from expected_training import OPTIMISERS, common, saved_every, schedule
from trl import get_peft_config

COLUMNS = {
    "sft": ["input_ids", "labels"],
    "pretraining": ["input_ids", "labels"],
    "dpo": ["chosen", "prompt", "rejected"],
    "kto": ["completion", "label", "prompt"],
    "reward": ["chosen_ids", "rejected_ids"],
}


def expected(case):
    """What TRL must have understood, from the recipe alone."""
    recipe, facts = case["recipe"], case["facts"]
    dataset, method, objective, training = (recipe[name] for name in ("dataset", "method", "objective", "training"))
    four, eight = (recipe["model"]["quantization"] == name for name in ("nf4", "q8"))
    kind, _, kwargs = schedule(training, facts["steps"])
    ordered = (objective["type"] == "kto" and objective["loss_type"] == "kto") or not dataset["shuffle"]
    want = common(training) | {
        "model_name_or_path": "org/tiny",
        "model_revision": "0123abc",
        "dtype": "float32",
        "load_in_4bit": four,
        "load_in_8bit": eight,
        "dataset_train_split": "train",
        "dataset_test_split": "validation",
        "train_sampling_strategy": "sequential" if ordered else "random",
        "lr_scheduler_type": kind,
        "lr_scheduler_kwargs": kwargs,
        "optim": OPTIMISERS[training["optim"]],
        "num_train_epochs": training["num_train_epochs"],
        "max_steps": training["max_steps"],
        "per_device_train_batch_size": training["per_device_train_batch_size"],
        "gradient_checkpointing": training["gradient_checkpointing"] is not False,
        "label_smoothing_factor": training["label_smoothing_factor"],
        "load_best_model_at_end": training["eval_steps"] > 0,
    }
    if training["eval_steps"]:
        want["eval_steps"] = training["eval_steps"]
    if saved_every(training):
        want["save_steps"] = saved_every(training)
    if training["optim"] == "sgd":
        want["optim_args"] = f"momentum={training['sgd_momentum']}"
    losses = {
        "dpo": ("loss_type", "loss_weights", "beta", "label_smoothing", "f_divergence_type", "use_weighting"),
        "kto": ("loss_type", "beta", "desirable_weight", "undesirable_weight", "precompute_ref_log_probs"),
    }
    want |= {key: objective[key] for key in losses.get(objective["type"], ())}
    if objective["type"] == "dpo":
        # LD-DPO's is off at 1, and the others count only where their loss or divergence is chosen.
        want["ld_alpha"] = None if objective["ld_alpha"] == 1 else objective["ld_alpha"]
        if "discopop" in objective["loss_type"]:
            want["discopop_tau"] = objective["discopop_tau"]
        if objective["f_divergence_type"] == "alpha_divergence":
            want["f_alpha_divergence_coef"] = objective["f_alpha_divergence_coef"]
        if not {"robust", "exo_pair", "aot", "aot_unpaired"} & set(objective["loss_type"]):
            del want["label_smoothing"]
    if objective["type"] == "kto" and objective["loss_type"] != "kto":
        want["train_sampling_strategy"] = "random" if dataset["shuffle"] else "sequential"
    if objective["type"] == "reward":
        want["center_rewards_coefficient"] = objective["center_rewards_coefficient"] or None
    if objective["type"] in ("sft", "pretraining"):
        packs = dataset["packing"]
        want |= {"packing": False, "padding_free": packs, "max_length": None if packs else facts["maxLength"]}
        want |= {"assistant_only_loss": False, "dataset_kwargs": {"skip_prepare_dataset": True} if packs else None}
    else:
        want["max_length"] = facts["maxLength"]
    want["use_peft"] = method["type"] == "lora"
    return want


def adapter(case, config):
    """What PEFT makes of it, beside the recipe."""
    method = case["recipe"]["method"]
    if method["type"] != "lora":
        assert config is None, config
        return
    targets = config.target_modules
    want = method["target_modules"]
    assert (set(targets) == set(want)) if isinstance(want, list) else targets == want, targets
    for key in ("r", "lora_alpha", "lora_dropout", "use_rslora", "use_dora"):
        assert getattr(config, key) == method[key], (key, getattr(config, key))
    assert sorted(config.modules_to_save or []) == sorted(method["modules_to_save"]), config.modules_to_save
    assert config.task_type == ("SEQ_CLS" if case["recipe"]["objective"]["type"] == "reward" else "CAUSAL_LM")


def check(case):
    os.chdir(case["folder"])
    module = importlib.import_module(f"trl.scripts.{case['command']}")
    parser = module.make_parser(prog=f"trl {case['command']}")
    # Anything that no class knows is an error here.
    script, args, model, _ = parser.parse_args_and_config(["--config", case["file"]])
    read = {**vars(model), **vars(script), **vars(args)}
    for key, value in yaml.safe_load(Path(case["file"]).read_text(encoding="utf-8")).items():
        assert key in read, key
        if key == "report_to":
            value = []
        # One target is no list to TRL.
        one = key == "lora_target_modules" and isinstance(value, list) and len(value) == 1
        assert read[key] == (value[0] if one else value), (key, value, read[key])
    want = expected(case)
    for key, value in want.items():
        given = getattr(read[key], "value", read[key])
        assert given == value, (key, value, given)
    steps = case["facts"]["steps"]
    warmup = math.ceil((schedule(case["recipe"]["training"], steps)[1] or 0) * steps)
    assert args.get_warmup_steps(steps) == warmup, (args.get_warmup_steps(steps), warmup)
    adapter(case, get_peft_config(model))
    rows = load_dataset(script.dataset_name)
    given = {side: len(rows[side]) for side in ("train", "validation")}
    assert given == case["facts"]["rows"], given
    kind = case["recipe"]["objective"]["type"]
    assert set(COLUMNS[kind]) <= set(rows["train"].column_names), rows["train"].column_names
    return len(want)


with open(os.environ["CHECKS"], "a", encoding="utf-8") as out:
    for case in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        try:
            ok, detail = True, f"{check(case)} settings"
        except Exception as error:  # noqa: BLE001
            ok, detail = False, f"{type(error).__name__}: {error}"
        out.write(json.dumps({"name": case["check"], "ok": ok, "detail": detail[:600]}) + "\n")
        out.flush()
