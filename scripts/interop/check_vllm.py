"""What vLLM's own code says of exported adapters; its engine is not run.

    python check_vllm.py CASES.json

CASES.json has `adapters`, objects with `name`, `adapter` (PEFT's folder), `base` (a model's folder) and `maxRank` (what the card gives to
--max-lora-rank, or null if it says that vLLM refuses the adapter), and `families`, objects with `name`, `architecture` and `takes`.

- An adapter must pass vLLM's check with that rank, and fail it with the next smaller one that vLLM knows; and each layer must get the
  rank and the scale that it has in PEFT. One that is refused must fail it with the largest rank.
- vLLM's class for an architecture takes adapters if it derives from SupportsLoRA, which its source says.

Appends one JSON object per case to the file that CHECKS names: `name`, `ok`, `detail`.
"""

import ast
import json
import os
import sys
import warnings
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import torch
from peft import PeftModel
from safetensors import safe_open
from transformers import AutoModelForCausalLM
from vllm.config.lora import LoRAConfig, MaxLoRARanks
from vllm.lora.peft_helper import PEFTHelper

torch.set_num_threads(1)
warnings.simplefilter("ignore")
RANKS = sorted(get_args(MaxLoRARanks))


def problem(folder: Path, rank: int) -> str | None:
    try:
        PEFTHelper.from_local_dir(str(folder), None).validate_legal(LoRAConfig(max_lora_rank=rank))
        return None
    except ValueError as error:
        return " ".join(str(error).split())


def scales(base: Path, folder: Path) -> str | None:
    """Where PEFT and vLLM differ in the rank or scale of a layer."""
    helper = PEFTHelper.from_local_dir(str(folder), None)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    modules = dict(PeftModel.from_pretrained(model, folder).named_modules())
    with safe_open(folder / "adapter_model.safetensors", "pt") as file:
        for key in file.keys():
            name, found, _ = key.partition(".lora_A")
            if not found:
                continue
            rank, scale = helper.get_rank_and_scaling(name.removeprefix("base_model.model."))
            layer = modules[name]
            if rank != layer.r["default"] or abs(scale - layer.scaling["default"]) > 1e-9 * scale:
                return f"{name}: rank {rank}, scale {scale}; in PEFT {layer.r['default']}, {layer.scaling['default']}"
            if rank != file.get_slice(key).get_shape()[0]:
                return f"{name}: rank {rank}, but the matrix has {file.get_slice(key).get_shape()}"
    return None


def adapter_case(case: dict) -> tuple[bool, str]:
    folder, rank = Path(case["adapter"]), case["maxRank"]
    if rank is None:
        why = problem(folder, RANKS[-1])
        return why is not None, why or "vLLM takes it"
    why = problem(folder, rank)
    if why:
        return False, why
    smaller = [one for one in RANKS if one < rank]
    if smaller and problem(folder, smaller[-1]) is None:
        return False, f"{smaller[-1]} would be enough, not {rank}"
    differs = scales(Path(case["base"]), folder)
    return differs is None, differs or f"--max-lora-rank {rank}, ranks and scales as in PEFT"


MODELS = Path(find_spec("vllm").submodule_search_locations[0]) / "model_executor" / "models"


@cache
def tree(module: str) -> ast.Module:
    file = MODELS / f"{module.replace('.', '/')}.py"
    return ast.parse((file if file.exists() else file.with_suffix("") / "__init__.py").read_text())


def registered(architecture: str) -> tuple[str, str] | None:
    """Module and class, of the registry's tables, where later ones do not replace earlier ones."""
    for node in ast.walk(tree("registry")):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == architecture and isinstance(value, ast.Tuple):
                    return tuple(element.value for element in value.elts)
    return None


PREFIX = "vllm.model_executor.models."


def derives(module: str, name: str, wanted: str) -> bool:
    """Whether a class derives from one of this name, followed through imports inside the package of models."""
    source = tree(module)
    own = next((node for node in source.body if isinstance(node, ast.ClassDef) and node.name == name), None)
    if own:
        bases = [base.id for base in own.bases if isinstance(base, ast.Name)]
        return wanted in bases or any(derives(module, base, wanted) for base in bases)
    for node in source.body:
        if isinstance(node, ast.ImportFrom) and any(alias.name == name for alias in node.names):
            if not node.level:
                return (node.module or "").startswith(PREFIX) and derives(node.module.removeprefix(PREFIX), name, wanted)
            inside = module if (MODELS / module.replace(".", "/")).is_dir() else module.rpartition(".")[0]
            return node.level == 1 and derives(".".join(part for part in (inside, node.module or "") if part), name, wanted)
    return False


def family_case(case: dict) -> tuple[bool, str]:
    found = registered(case["architecture"])
    takes = found is not None and derives(*found, "SupportsLoRA")
    return takes == case["takes"], f"{found} {'takes' if takes else 'does not take'} adapters"


def main() -> None:
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for judge, cases in ((adapter_case, given["adapters"]), (family_case, given["families"])):
        for case in cases:
            try:
                ok, detail = judge(case)
            except Exception as error:
                ok, detail = False, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            with open(os.environ["CHECKS"], "a", encoding="utf-8") as out:
                print(json.dumps({"name": case["name"], "ok": bool(ok), "detail": detail}), file=out)


if __name__ == "__main__":
    main()
