"""How real PEFT reads adapters whose keys are spelled in other ways.

    python check_spellings.py CASES.json

CASES.json lists objects with `name`, `base` (a model's folder), `own` and `adapter` (folders: as PEFT saved it, and respelled) and
`opens`. A spelling opens if PEFT gives the logits of its own; if it does not, PEFT must leave something out or refuse, or else
Tabtune refuses what it could read. Appends one JSON object per case to the file that CHECKS names: `name`, `ok`, `detail`.
"""

import json
import os
import sys
import warnings
from pathlib import Path

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

torch.set_num_threads(1)
warnings.simplefilter("ignore")
IDS = torch.tensor([[3, 9, 4, 17, 2, 30], [11, 5, 8, 2, 7, 6]])


@torch.no_grad()
def opened(base: str, adapter: str) -> tuple[torch.Tensor, int]:
    """The logits, and the number of the file's tensors that PEFT did not take."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation="eager")
    model = PeftModel.from_pretrained(model, adapter).eval()
    inside = [tensor for name, tensor in model.state_dict().items() if "lora_" in name or "ia3_" in name or "modules_to_save" in name]
    left = 0
    for written in load_file(Path(adapter) / "adapter_model.safetensors").values():
        at = next((i for i, t in enumerate(inside) if t.shape == written.shape and torch.equal(t, written)), None)
        if at is None:
            left += 1
        else:
            inside.pop(at)
    return model(input_ids=IDS).logits.double(), left


def check(case: dict) -> tuple[bool, str]:
    own, _ = opened(case["base"], case["own"])
    try:
        found, left = opened(case["base"], case["adapter"])
    except Exception as error:
        return not case["opens"], f"PEFT refuses it: {type(error).__name__}"
    off = ((found - own).abs().max() / own.abs().max()).item()
    if case["opens"]:
        return off < 1e-6 and left == 0, f"logits {off:.1e}, {left} tensors left out"
    return left > 0, f"PEFT leaves out {left} tensors in silence"


def main() -> None:
    for case in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        try:
            ok, detail = check(case)
        except Exception as error:
            ok, detail = False, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        with open(os.environ["CHECKS"], "a", encoding="utf-8") as out:
            print(json.dumps({"name": case["name"], "ok": ok, "detail": detail}), file=out)


if __name__ == "__main__":
    main()
