"""Loads an adapter that Tabtune exported into real PEFT and compares logits.

    python check_adapter.py MODEL_DIR ADAPTER_DIR LOGITS.json [--tolerance 1e-4]

LOGITS.json is `{"input_ids": …, "logits": …}` as Tabtune computed them with the adapter, or a list of such objects.
`input_ids` is one sequence or rows of equal length. `logits` has one row of the vocabulary's size per id, nested or flat
(for text classification one row of scores per text, for token classification one per id). An optional `base_logits` is
compared with the bare model in the same way; omit it if the adapter brings a head.

Covers LoRA (DoRA, patterns, rsLoRA), (IA)³, prompt tuning, prefix tuning and P-tuning, each with modules_to_save. Adapters
that can be merged are merged too.

Prints one line, PASS or FAIL with the errors; the exit code is 0 or 1.
"""

from common import make_reproducible

make_reproducible()

import argparse
import json
import re
import sys
import warnings
from pathlib import Path

import torch
from peft import PeftConfig, PeftModel, get_peft_model_state_dict
from safetensors.torch import load_file
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedModel,
)

torch.set_num_threads(1)


class Failure(Exception):
    pass


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    if not torch.isfinite(a).all():
        return float("inf")
    return ((a - b).abs().max() / b.abs().max()).item()


def check_config(adapter: Path) -> None:
    """PEFT knows every key of adapter_config.json, and reads back the value stored there."""
    written = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    read = PeftConfig.from_pretrained(adapter).to_dict()
    for key, value in written.items():
        if key not in read:
            raise Failure(f"adapter_config.json: PEFT does not know '{key}'")
        got = read[key]
        if isinstance(got, set):
            got, value = sorted(got), sorted(value)
        got = getattr(got, "value", got)  # enums
        if got != value:
            raise Failure(f"adapter_config.json: '{key}' is {value!r}, PEFT reads {got!r}")


def check_tensors(model: PeftModel, adapter: Path) -> None:
    """Every tensor of the file is in the model, and the model has no adapter tensor that the file lacks."""
    written = load_file(adapter / "adapter_model.safetensors")
    loaded = get_peft_model_state_dict(model, save_embedding_layers=False)
    if missing := sorted(loaded.keys() - written.keys()):
        raise Failure(f"adapter_model.safetensors lacks {missing[0]} ({len(missing)} in total)")
    if extra := sorted(written.keys() - loaded.keys()):
        raise Failure(f"PEFT does not use {extra[0]} ({len(extra)} in total)")
    for name, tensor in written.items():
        if not torch.equal(tensor.float(), loaded[name].float()):
            raise Failure(f"{name} changed while loading")


TASKS = {
    "CAUSAL_LM": AutoModelForCausalLM,
    "SEQ_CLS": AutoModelForSequenceClassification,
    "TOKEN_CLS": AutoModelForTokenClassification,
    "FEATURE_EXTRACTION": AutoModel,
    None: AutoModelForMaskedLM,
}


def load_base(model_dir: Path, adapter: Path, config: PeftConfig) -> PreTrainedModel:
    """The class for the task type, with as many labels as the adapter's head has."""
    options = {}
    if config.task_type in ("SEQ_CLS", "TOKEN_CLS"):
        heads = [t for k, t in load_file(adapter / "adapter_model.safetensors").items() if HEAD.search(k)]
        if not heads:
            raise Failure("the adapter has no classification head")
        options["num_labels"] = heads[-1].shape[0]
    kind = TASKS[config.task_type]
    return kind.from_pretrained(model_dir, dtype=torch.float32, attn_implementation="eager", **options).eval()


#: The last linear layer of a classification head.
HEAD = re.compile(r"\.(score|classifier(\.out_proj)?)\.weight$")


@torch.no_grad()
def logits(model: torch.nn.Module, ids: torch.Tensor) -> torch.Tensor:
    ids = ids.reshape(-1, ids.shape[-1])
    out = model(input_ids=ids, attention_mask=torch.ones_like(ids))
    values = out.logits if hasattr(out, "logits") else out.last_hidden_state
    # Virtual tokens of a prompt have logits too; those of a prefix do not.
    return values[:, -ids.shape[-1] :] if values.ndim == 3 else values


def check(model_dir: Path, adapter: Path, cases: list[dict], tolerance: float) -> str:
    config = PeftConfig.from_pretrained(adapter)
    base = load_base(model_dir, adapter, config)
    inputs = [torch.tensor(case["input_ids"], dtype=torch.long) for case in cases]
    base_logits = [logits(base, ids) for ids in inputs]
    check_config(adapter)
    model = PeftModel.from_pretrained(base, adapter).eval()
    check_tensors(model, adapter)
    tuned_logits = [logits(model, ids) for ids in inputs]
    merged_logits = []
    if not config.is_prompt_learning:
        merged = model.merge_and_unload()
        merged_logits = [logits(merged, ids) for ids in inputs]

    def compare(key: str, references: list[torch.Tensor]) -> float:
        errors = []
        for case, reference in zip(cases, references, strict=True):
            if key not in case:
                continue
            ours = torch.tensor(case[key], dtype=torch.float64).flatten()
            if ours.numel() != reference.numel():
                raise Failure(f"{key} has {ours.numel()} values, the model gives {reference.numel()}")
            errors.append(relative(ours, reference.double().flatten()))
        return max(errors, default=0.0)

    results = {
        "logits": compare("logits", tuned_logits),
        "base": compare("base_logits", base_logits),
    }
    if merged_logits:
        results["merged"] = max(relative(m, t) for m, t in zip(merged_logits, tuned_logits, strict=True))
    effect = max(relative(t, b) for t, b in zip(tuned_logits, base_logits, strict=True))
    if not any("base_logits" in case for case in cases):
        del results["base"]
    line = ", ".join(f"{name} {error:.1e}" for name, error in results.items())
    line = f"{config.peft_type.value}: {line} (limit {tolerance:.0e}); the adapter changes logits by {effect:.1e}"
    if not all(error <= tolerance for error in results.values()):
        raise Failure(line)
    if effect == 0:
        raise Failure("the adapter changes nothing, so that nothing is compared")
    return line


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("adapter", type=Path)
    parser.add_argument("logits", type=Path)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    args = parser.parse_args()
    cases = json.loads(args.logits.read_text(encoding="utf-8"))
    cases = cases if isinstance(cases, list) else [cases]
    # To PEFT, unknown configuration keys and mismatched tensors are only warnings; here they are failures.
    warnings.filterwarnings("error", module="peft")
    warnings.filterwarnings("error", message=".*(Unexpected keyword|adapter keys|adapter weights).*")
    warnings.filterwarnings("ignore", category=FutureWarning)
    try:
        print(f"PASS {check(args.model, args.adapter, cases, args.tolerance)}")
        return 0
    except Failure as failure:
        print(f"FAIL {failure}")
    except Exception as error:  # whatever PEFT or transformers refuses to load
        print(f"FAIL {type(error).__name__}: {' '.join(str(error).split())[:400]}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
