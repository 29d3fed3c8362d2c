"""Has DeepSpeed's own parser read what accelerate launch and the Trainer make of accelerate/zero3.yaml.

    PYTHONPATH=DEEPSPEED python check_zero3.py FOLDER

FOLDER is a script's. Appends one JSON object per check to the file that CHECKS names: `name`, `ok`, `detail`.
"""

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils.launch import prepare_deepspeed_cmd_env

folder = Path(sys.argv[1])


def launched():
    """The environment that accelerate launch gives to each process."""
    args = launch_command_parser().parse_args(["--config_file", str(folder / "accelerate/zero3.yaml"), "train.py"])
    args, defaults, _ = _validate_launch_command(args)
    # As launch_command does: settings of the file win over those of a DeepSpeed file.
    args.deepspeed_fields_from_accelerate_config = ",".join(defaults.deepspeed_config)
    _, environment = prepare_deepspeed_cmd_env(args)
    assert args.num_processes == 2, args.num_processes
    return environment


def parsed():
    """DeepSpeed's reading of what the Trainer fills in, for two rows at a time in four batches."""
    import deepspeed
    from transformers import AutoConfig, TrainingArguments
    from transformers.integrations.deepspeed import is_deepspeed_zero3_enabled, propagate_args_to_deepspeed

    sizes = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 4}
    args = TrainingArguments(output_dir=os.environ["OUTPUT"], max_grad_norm=0.7, bf16=False, fp16=False, **sizes)
    assert is_deepspeed_zero3_enabled()
    # As the Trainer does it, which has the plugin from its accelerator.
    plugin = args.deepspeed_plugin
    propagate_args_to_deepspeed(SimpleNamespace(state=SimpleNamespace(deepspeed_plugin=plugin)), args)
    # Of the model, it reads the sizes alone.
    model = SimpleNamespace(config=AutoConfig.from_pretrained(folder / "base"))
    plugin.hf_ds_config.trainer_config_finalize(args, model, 20)
    settings = plugin.deepspeed_config
    left = [key for key, value in settings.items() if value == "auto"]
    assert not left, f"left to be filled in: {left}"
    config = deepspeed.DeepSpeedConfig(settings)
    zero = config.zero_config
    return {
        "stage": int(zero.stage),
        "rows at a time": config.train_micro_batch_size_per_gpu,
        "accumulation": config.gradient_accumulation_steps,
        "clipping": config.gradient_clipping,
        "bf16": config.bfloat16_config.enabled,
        "fp16": config.float16_config.enabled,
        "optimizer on": str(zero.offload_optimizer.device) if zero.offload_optimizer else "none",
        "weights on": str(zero.offload_param.device) if zero.offload_param else "none",
        "saved whole": zero.gather_16bit_weights_on_model_save,
    }


WANTED = {
    "stage": 3,
    "rows at a time": 2,
    "accumulation": 4,
    "clipping": 0.7,
    "bf16": False,
    "fp16": False,
    "optimizer on": "none",
    "weights on": "none",
    "saved whole": True,
}

if __name__ == "__main__":
    try:
        os.environ.update(launched())
        given = parsed()
        wrong = {key: (value, given[key]) for key, value in WANTED.items() if given[key] != value}
        ok, detail = not wrong, ", ".join(f"{key} {value}" for key, value in given.items())
        if wrong:
            detail = f"{wrong} in {detail}"
    except Exception as error:  # noqa: BLE001
        ok, detail = False, f"{type(error).__name__}: {error}"
    line = {"name": "trl-more: DeepSpeed reads accelerate/zero3.yaml", "ok": ok, "detail": detail[:600]}
    with open(os.environ["CHECKS"], "a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")
