"""What another trainer must have understood of a recipe's training section, as far as all of them name it alike."""

import math

OPTIMISERS = {
    "adamw": "adamw_torch",
    # No trainer has Adam: AdamW stands in for it, as the export says.
    "adam": "adamw_torch",
    "adamw_8bit": "adamw_8bit",
    "sgd": "sgd",
    "lion": "lion_32bit",
    "adafactor": "adafactor",
}


def schedule(training: dict, steps: int) -> tuple[str, float | None, dict | None]:
    """The schedule's name, the share of warm-up (None if it has none) and its arguments."""
    kind = training["lr_scheduler_type"]
    if kind == "slanted_triangular":
        return "linear", training["lr_cut_frac"], None
    kwargs = {
        "polynomial": {"power": training["lr_power"], "lr_end": training["lr_end_ratio"] * training["learning_rate"]},
        "cosine_with_restarts": {"num_cycles": training["lr_num_cycles"]},
        "warmup_stable_decay": {"num_decay_steps": math.ceil(training["lr_decay_ratio"] * steps)},
    }
    return kind, None if kind == "constant" else training["warmup_ratio"], kwargs.get(kind)


def saved_every(training: dict) -> int:
    """Steps between checkpoints, 0 for none. The best step is kept where it is saved and evaluated at once."""
    evaluate, save = training["eval_steps"], training["save_steps"]
    return save if evaluate == 0 or (save > 0 and save % evaluate == 0) else evaluate


def common(training: dict) -> dict:
    """What all of them call by transformers' names."""
    want = {
        "learning_rate": training["learning_rate"],
        "weight_decay": training["weight_decay"],
        "max_grad_norm": training["max_grad_norm"],
        "gradient_accumulation_steps": training["gradient_accumulation_steps"],
        "neftune_noise_alpha": training["neftune_noise_alpha"] or None,
        "eval_strategy": "steps" if training["eval_steps"] else "no",
        "save_strategy": "steps" if saved_every(training) else "no",
        "seed": training["seed"],
        "bf16": False,
        "fp16": training["fp16"],
    }
    if training["optim"] in ("adamw", "adamw_8bit", "adam", "lion"):
        want |= {key: training[key] for key in ("adam_beta1", "adam_beta2")}
    if training["optim"] in ("adamw", "adamw_8bit", "adam"):
        want["adam_epsilon"] = training["adam_epsilon"]
    return want
