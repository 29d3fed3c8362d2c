"""Output projections in every way that a file can hold them, and reward models, in real transformers and PEFT.

    python head_cases.py make DIR     tiny random models and PEFT's adapters for them, with the logits that they give
    python head_cases.py check DIR    what tests/interop/head-cases.ts made of them, opened in transformers and PEFT

A model is one of the families, with its output projection tied to its embedding, untied, tied with a stored copy, or tied by
config.json with a stored one that differs (transformers 5 uses both as stored). A reward model has one label: `score` of decoders,
the classifier of encoders. Errors are max|a-b| / max|b|; the limit is 1e-4.
A bfloat16 file must hold exactly the float32 file's values, rounded. Each command's last line is `N passed, N failed`.
"""

from common import make_reproducible

make_reproducible()

import json
import shutil
import sys
import warnings
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
)

warnings.filterwarnings("ignore")
torch.set_num_threads(1)

IDS = [3, 9, 4, 17, 2, 30, 11]
LIMIT = 1e-4
VOCAB, WIDTH = 48, 16
TIES = ("tied", "untied", "copy", "differs")

_ROTARY = {
    "vocab_size": VOCAB,
    "hidden_size": WIDTH,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
}
_GROUPED = {**_ROTARY, "num_key_value_heads": 1, "head_dim": 8}
_DECODER = {"embedding": ["embed_tokens"], "head": ["lm_head"], "norm": ["norm"], "targets": ["q_proj", "down_proj"]}
_ENCODER = {"embedding": ["word_embeddings"], "norm": ["LayerNorm"], "targets": ["query", "output.dense"]}

#: Config fields, and module names as a person would write them. `ours` replaces those that the recipe names otherwise.
FAMILIES = {
    "llama": (_GROUPED, _DECODER),
    "mistral": (_GROUPED, _DECODER),
    "qwen2": ({k: v for k, v in _GROUPED.items() if k != "head_dim"}, _DECODER),
    "qwen3": (_GROUPED, _DECODER),
    "gemma2": ({**_GROUPED, "query_pre_attn_scalar": 8}, _DECODER),
    "gemma3_text": ({**_GROUPED, "query_pre_attn_scalar": 8}, _DECODER),
    "phi3": ({**_GROUPED, "pad_token_id": 0}, {**_DECODER, "targets": ["qkv_proj", "down_proj"]}),
    "smollm3": ({k: v for k, v in _GROUPED.items() if k != "head_dim"} | {"pad_token_id": 0}, _DECODER),
    "gpt2": (
        {"vocab_size": VOCAB, "n_embd": WIDTH, "n_layer": 2, "n_head": 2, "n_positions": 64},
        {"embedding": ["wte"], "head": ["lm_head"], "norm": ["ln_f", "ln_1"], "targets": ["c_attn", "c_fc"]},
    ),
    "gpt_neox": (
        _ROTARY,
        {
            "embedding": ["embed_in"],
            "head": ["lm_head"],
            "norm": ["layer_norm", "layernorm"],
            "targets": ["query_key_value", "dense_4h_to_h"],
            # As Pythia's checkpoints call it.
            "ours": {"head": ["embed_out"]},
        },
    ),
    "bert": (_ROTARY, {**_ENCODER, "head": ["decoder"]}),
    # The module around the projection, with the layers before it.
    "roberta": (_ROTARY, {**_ENCODER, "head": ["lm_head"], "targets": ["query", "key"]}),
    "distilbert": (
        {"vocab_size": VOCAB, "dim": WIDTH, "hidden_dim": 24, "n_layers": 2, "n_heads": 2, "max_position_embeddings": 64},
        {
            "embedding": ["word_embeddings"],
            "head": ["vocab_projector"],
            "norm": ["layer_norm"],
            "targets": ["q_lin", "lin2"],
        },
    ),
}
ENCODERS = ("bert", "roberta", "distilbert")
SAVED = ("lora", "embedding", "head", "norm")
#: What PEFT must be told to save with a reward model's head: modules of the head that it does not know as one.
HEAD_PARTS = {"bert": ["pooler"], "distilbert": ["pre_classifier"]}


def auto_class(family: str):
    return AutoModelForMaskedLM if family in ENCODERS else AutoModelForCausalLM


@torch.no_grad()
def randomise(parameters, seed: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    for parameter in parameters:
        noise = torch.randn(parameter.shape, generator=rng)
        parameter.copy_(1 + 0.2 * noise if parameter.ndim == 1 else 0.4 * noise)


@torch.no_grad()
def logits(model) -> torch.Tensor:
    return model.eval()(input_ids=torch.tensor([IDS])).logits.double().flatten()


@torch.no_grad()
def scores(model) -> torch.Tensor:
    """Of three texts, one at a time."""
    return torch.stack([model.eval()(input_ids=torch.tensor([t])).logits.double()[0, 0] for t in (IDS, IDS[:4], IDS[::-1])])


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    if a.shape != b.shape or not torch.isfinite(a).all():
        return float("inf")
    return ((a - b).abs().max() / b.abs().max()).item()


def open_model(family: str, folder: Path):
    return auto_class(family).from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")


def make_model(family: str, tie: str, folder: Path) -> None:
    config = AutoConfig.for_model(family, **FAMILIES[family][0], tie_word_embeddings=tie != "untied")
    model = auto_class(family).from_config(config)
    randomise(model.parameters(), sorted(FAMILIES).index(family))
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    ties = model._tied_weights_keys if tie in ("copy", "differs") else {}
    if not ties:
        return
    file = folder / "model.safetensors"
    tensors = load_file(file)
    for name, source in ties.items():
        # GPT-NeoX's files have the old name of its output projection.
        stored = name.replace("lm_head", "embed_out") if family == "gpt_neox" else name
        tensors[stored] = tensors[source].clone()
        if tie == "differs" and tensors[source].ndim == 2:
            randomise([tensors[stored]], 99)
    save_file(tensors, file, {"format": "pt"})


def make(folder: Path) -> tuple[int, int]:
    shutil.rmtree(folder, ignore_errors=True)
    jobs, expected = [], {}
    for family, (_, names) in FAMILIES.items():
        for tie in TIES:
            base = folder / "models" / f"{family}-{tie}"
            make_model(family, tie, base)
            expected[base.name] = logits(open_model(family, base)).tolist()
            ours = {**names, **names.get("ours", {})}
            for kind in SAVED:
                name = f"{base.name}-{kind}"
                saved = None if kind == "lora" else names[kind]
                options = {"fan_in_fan_out": True} if family == "gpt2" else {}
                task = {} if family in ENCODERS else {"task_type": "CAUSAL_LM"}
                config = LoraConfig(
                    r=3, lora_alpha=6, target_modules=names["targets"], modules_to_save=saved, **task, **options
                )
                model = get_peft_model(open_model(family, base), config)
                randomise([p for p in model.parameters() if p.requires_grad], 7)
                expected[name] = logits(model).tolist()
                model.peft_config["default"].base_model_name_or_path = "tiny"
                model.save_pretrained(folder / "adapters" / name, save_embedding_layers=False)
                jobs.append({"name": name, "family": family, "model": base.name, "adapter": name})
                jobs.append(
                    {
                        "name": f"{name}-trained",
                        "family": family,
                        "model": base.name,
                        "targets": names["targets"],
                        "saved": [] if kind == "lora" else ours[kind],
                        "bf16": kind == "embedding",
                    }
                )
            if tie in ("tied", "untied"):
                jobs += make_rewards(family, base, folder, expected)
            jobs.append({"name": f"{base.name}-full", "family": family, "model": base.name, "method": "full", "bf16": True})
            jobs.append({"name": f"{base.name}-classifier", "family": family, "model": base.name, "method": "head"})
    (folder / "jobs.json").write_text(json.dumps({"ids": IDS, "jobs": jobs}))
    (folder / "expected.json").write_text(json.dumps(expected))
    return len(jobs), 0


def open_reward(folder: Path):
    return AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=1, dtype=torch.float32, attn_implementation="eager"
    )


def make_rewards(family: str, base: Path, folder: Path, expected: dict) -> list[dict]:
    """An adapter of a reward model that PEFT made, and one and a whole model that the app trains."""
    targets = FAMILIES[family][1]["targets"]
    name = f"{base.name}-reward"
    options = {"fan_in_fan_out": True} if family == "gpt2" else {}
    config = LoraConfig(
        r=3, lora_alpha=6, target_modules=targets, task_type="SEQ_CLS",
        modules_to_save=HEAD_PARTS.get(family, ["score"]), **options,
    )  # fmt: skip
    model = get_peft_model(open_reward(base), config)
    randomise([p for p in model.parameters() if p.requires_grad], 8)
    expected[name] = scores(model).tolist()
    model.peft_config["default"].base_model_name_or_path = "tiny"
    model.save_pretrained(folder / "adapters" / name, save_embedding_layers=False)
    job = {"family": family, "model": base.name, "reward": True}
    return [
        {**job, "name": name, "adapter": name},
        {**job, "name": f"{name}-trained", "targets": targets, "saved": [], "bf16": True},
        {**job, "name": f"{name}-full", "method": "full"},
    ]


def rounded(merged: Path) -> str | None:
    """Whether the bfloat16 file is the float32 one, rounded; what differs if not."""
    whole, half = load_file(merged / "model.safetensors"), load_file(merged.parent / "bf16" / "model.safetensors")
    if whole.keys() != half.keys():
        return f"tensors: {sorted(whole.keys() ^ half.keys())[:3]}"
    odd = [name for name in whole if not torch.equal(whole[name].to(torch.bfloat16), half[name])]
    return f"{odd[0]} is not the float32 value, rounded" if odd else None


def check_merged(family: str, folder: Path, ours: torch.Tensor, classifier: bool, reward: bool) -> float:
    kind = AutoModelForSequenceClassification if classifier else auto_class(family)
    model, info = kind.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    if info["missing_keys"] or info["mismatched_keys"]:
        raise AssertionError(f"missing: {sorted(info['missing_keys'])[:3]}")
    if reward and (model.config.num_labels != 1 or (family not in ENCODERS and tuple(model.score.weight.shape) != (1, WIDTH))):
        raise AssertionError(f"num_labels is {model.config.num_labels}")
    return relative(ours, scores(model) if reward else logits(model))


def check_exported(family: str, base: Path, folder: Path, ours: torch.Tensor, reward: bool) -> float:
    stored = load_file(folder / "adapter_model.safetensors")
    model = PeftModel.from_pretrained(open_reward(base) if reward else open_model(family, base), folder)
    known = set(model.state_dict())
    unused = [
        key
        for key in stored
        if not any(inserted(key, at) in known for at in range(key.count(".") + 1))
    ]
    if unused:
        raise AssertionError(f"PEFT does not use {unused[:3]}")
    return relative(ours, scores(model) if reward else logits(model))


def inserted(key: str, at: int) -> str:
    """A key of the file as in the model, where PEFT inserts the adapter's name or its wrapper."""
    parts = key.split(".")
    middle = ["default"] if ".lora_" in key else ["modules_to_save", "default"]
    return ".".join(parts[:at] + middle + parts[at:])


def check(folder: Path) -> tuple[int, int]:
    expected = {name: torch.tensor(values).double() for name, values in json.loads((folder / "expected.json").read_text()).items()}
    passed = failed = 0
    worst: dict[str, float] = {}
    for job in json.loads((folder / "results.json").read_text()):
        name, family = job["name"], job["family"]
        base = folder / "models" / job["model"]
        out = folder / "out" / name
        checks = {}
        if "error" in job:
            checks["it runs"] = lambda job=job: (_ for _ in ()).throw(AssertionError(job["error"]))
        else:
            tuned = torch.tensor(job["logits"]).double()
            if "base" in job:
                checks["base"] = lambda job=job: relative(torch.tensor(job["base"]).double(), expected[job["model"]])
            if name in expected:
                checks["import"] = lambda: relative(tuned, expected[name])
            if (out / "adapter").exists():
                checks["export"] = lambda: check_exported(family, base, out / "adapter", tuned, "reward" in job)
            if (out / "merged").exists():
                checks["merge"] = lambda: check_merged(
                    family, out / "merged", tuned, name.endswith("classifier") or "reward" in job, "reward" in job
                )
            if (out / "bf16").exists():
                checks["bf16"] = lambda: rounded(out / "merged")
        for what, work in checks.items():
            try:
                result = work()
                ok = result is None or (not isinstance(result, str) and result <= LIMIT)
            except Exception as error:  # whatever transformers or PEFT refuses to load
                ok, result = False, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            if isinstance(result, float) and ok:
                worst[what] = max(worst.get(what, 0.0), result)
            passed, failed = passed + ok, failed + (not ok)
            if not ok:
                print(f"FAIL {name}, {what}: {result}")
    print("worst " + ", ".join(f"{what} {error:.1e}" for what, error in worst.items()))
    return passed, failed


def main() -> int:
    command, folder = sys.argv[1], Path(sys.argv[2])
    passed, failed = {"make": make, "check": check}[command](folder)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
