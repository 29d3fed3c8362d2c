"""Bottleneck adapters on tiny models of the other fixtures, by AdapterHub's `adapters` and its transformers.

That library needs an older transformers than the other scripts, so this one has a separate environment:
`pip install adapters==1.3.0`. The models and their batches are those of tests/fixtures/llama and tests/fixtures/families;
this folder has only adapters and their results. Everything is computed in f32 with eager attention. Writes
tests/fixtures/bottleneck/; README.md describes the layout. Pass names of cases to make only these again.
"""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import functools
import json
import logging
import shutil
import sys
import warnings
from dataclasses import dataclass

warnings.filterwarnings("ignore")
logging.getLogger("adapters").setLevel(logging.ERROR)

import adapters
import torch
import transformers
from adapters import AdapterModelInterface, BnConfig, DoubleSeqBnConfig, SeqBnConfig
from safetensors.torch import save_file
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
)

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
OUT = FIXTURES / "bottleneck"
#: The adapter's name, which is part of its tensors' names.
NAME = "tiny"


@dataclass
class Case:
    name: str
    seed: int
    base: str
    config: BnConfig
    note: str
    #: `causal`, `masked`, or `classification` with three labels and a saved head.
    task: str = "causal"
    #: Settings for ten AdamW steps, or None.
    training: dict | None = None


CASES = [
    Case(
        "llama-double", 6101, "llama/gqa-untied-odd", DoubleSeqBnConfig(reduction_factor=3),
        "Behind attention and behind the feed-forward, each on its output alone; 20 // 3 = 6 wide.",
        training=dict(learning_rate=0.01, weight_decay=0.0, max_grad_norm=1.0),
    ),
    Case(
        "llama-single", 6102, "llama/gqa-untied-odd", SeqBnConfig(reduction_factor=4, non_linearity="tanh"),
        "Behind the feed-forward, on the sum with its residual.",
    ),
    Case(
        "gpt2-double", 6201, "families/gpt2", DoubleSeqBnConfig(reduction_factor=2, non_linearity="gelu"), "Conv1D base."
    ),
    Case("gpt2-single", 6202, "families/gpt2", SeqBnConfig(reduction_factor=5), "ReLU."),
    Case("mistral-single", 6301, "families/mistral", SeqBnConfig(reduction_factor=8), "A window of 5."),
    Case("qwen2-single", 6401, "families/qwen2", SeqBnConfig(reduction_factor=4), "Hooked in by AdapterHub's interface."),
    Case(
        "gemma2-double", 6501, "families/gemma2", DoubleSeqBnConfig(reduction_factor=4),
        "Hooked in before the norm that a half's output has of its own.",
    ),
    Case(
        "gemma2-single", 6502, "families/gemma2", SeqBnConfig(reduction_factor=4),
        "The norm that an output has of its own also stands before the adapter.",
    ),
    Case("phi3-double", 6701, "families/phi3", DoubleSeqBnConfig(reduction_factor=8), "By an interface of our own."),
    Case("smollm3-single", 6702, "families/smollm3", SeqBnConfig(reduction_factor=4), "By an interface of our own."),
    Case(
        "gpt_neox-single", 6801, "families/gpt_neox", SeqBnConfig(reduction_factor=4),
        "Halves side by side: the adapter reads the feed-forward's output alone, as AdapterHub has it for Phi.",
    ),
    Case("gpt_neox-double", 6802, "families/gpt_neox", DoubleSeqBnConfig(reduction_factor=8), "Both halves, side by side."),
    Case("gpt_neox-serial-single", 6803, "families/gpt_neox-serial", SeqBnConfig(reduction_factor=4), "One behind the other."),
    Case(
        "bert-double", 6601, "families/bert", DoubleSeqBnConfig(reduction_factor=4, non_linearity="relu"),
        "Norm behind: it runs on the sum of residual, output and adapter.", task="masked",
    ),
    Case(
        "bert-single", 6602, "families/bert", SeqBnConfig(reduction_factor=3, non_linearity="gelu"),
        "The adapter reads the norm's output, and the norm runs again.", task="masked",
    ),
    Case("roberta-double", 6603, "families/roberta", DoubleSeqBnConfig(reduction_factor=16), "One wide.", task="masked"),
    Case("distilbert-single", 6604, "families/distilbert", SeqBnConfig(reduction_factor=6), "Other names.", task="masked"),
    Case(
        "bert-classification", 6605, "families/bert", SeqBnConfig(reduction_factor=4),
        "With its head, as AdapterHub saves both.", task="classification",
    ),
]  # fmt: skip


#: Where AdapterHub inserts adapters in families that it does not support by itself.
PLACES = dict(
    adapter_methods=["bottleneck"],  # with LoRA it would give a fused projection a random bias
    model_embeddings="embed_tokens",
    model_layers="layers",
    layer_self_attn="self_attn",
    layer_cross_attn=None,
    attn_o_proj="o_proj",
    layer_output_proj="mlp.down_proj",
    layer_pre_self_attn="input_layernorm",
    layer_pre_ffn="post_attention_layernorm",
)
NEOX = dict(
    PLACES,
    model_embeddings="embed_in",
    layer_self_attn="attention",
    attn_qkv_proj="query_key_value",
    attn_o_proj="dense",
    layer_intermediate_proj="mlp.dense_h_to_4h",
    layer_output_proj="mlp.dense_4h_to_h",
)
INTERFACES = {
    "phi3": dict(PLACES, attn_qkv_proj="qkv_proj", layer_intermediate_proj="mlp.gate_up_proj"),
    "smollm3": dict(
        PLACES, attn_q_proj="q_proj", attn_k_proj="k_proj", attn_v_proj="v_proj", layer_intermediate_proj="mlp.up_proj"
    ),
    "gpt_neox": dict(NEOX, layer_pre_ffn=None),
    "gpt_neox-serial": NEOX,
}


def prepare(case: Case, model: transformers.PreTrainedModel) -> None:
    places = INTERFACES.get(case.base.split("/")[-1])
    adapters.init(model, interface=AdapterModelInterface(**places) if places else None)
    if "gemma2-single" in case.name:
        own_norms(model)


def own_norms(model: transformers.PreTrainedModel) -> None:
    """
    AdapterHub's hooks look up their layer's norm when they are called, and find the last layer's (a loop variable where they
    were created). Here each gets its own layer's norm, as intended.
    """
    for _, layer in model.base_model.iter_layers():
        hooks = layer.mlp.down_proj._forward_hooks
        for key, hook in hooks.items():
            adapter_layer, _ = hook.args
            norm = layer.post_feedforward_layernorm
            hooks[key] = functools.partial(hook.func, adapter_layer, lambda norm=norm: norm)


def generator(case: Case, purpose: int) -> torch.Generator:
    return torch.Generator().manual_seed(case.seed * 1000 + purpose)


def normal(shape: torch.Size, std: float, rng: torch.Generator) -> torch.Tensor:
    return torch.randn(shape, generator=rng) * std


KINDS = {
    "causal": AutoModelForCausalLM,
    "masked": AutoModelForMaskedLM,
    "classification": AutoModelForSequenceClassification,
}


def load_base(case: Case) -> transformers.PreTrainedModel:
    folder = FIXTURES / case.base
    config = AutoConfig.from_pretrained(folder)
    if case.base == "families/gpt_neox-serial":  # spelled as transformers 5 does
        rope = json.loads((folder / "config.json").read_text())["rope_parameters"]
        config.rope_theta = config.rotary_emb_base = rope["rope_theta"]
        config.partial_rotary_factor = config.rotary_pct = rope["partial_rotary_factor"]
    if case.task == "classification":
        config.num_labels = 3
    return KINDS[case.task].from_pretrained(
        folder, config=config, dtype=torch.float32, attn_implementation="eager"
    )


def build(case: Case) -> transformers.PreTrainedModel:
    """In eval mode, because the small models' configs have dropout. Values by seed, none zero as in new adapters."""
    model = load_base(case)
    prepare(case, model)
    model.add_adapter(NAME, config=case.config)
    model.train_adapter(NAME)
    model.eval()
    rng = generator(case, 2)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            if f".{NAME}." in name or name.startswith("classifier") or "pooler" in name:
                p.copy_(normal(p.shape, 1 / p.shape[-1] ** 0.5 if p.ndim == 2 else 0.3, rng))
    return model


def trained(model: transformers.PreTrainedModel) -> dict[str, torch.nn.Parameter]:
    """By AdapterHub's names without the adapter's name."""
    named = {n: p for n, p in sorted(model.named_parameters()) if f".{NAME}." in n}
    assert all(p.requires_grad for p in named.values())
    return {n.replace(f".{NAME}.", "."): p for n, p in named.items()}


def inputs_of(case: Case) -> dict[str, torch.Tensor]:
    batch = json.loads((FIXTURES / case.base / "batch.json").read_text())
    keys = ["input_ids", "attention_mask"]
    keys += [k for k in ("token_type_ids",) if k in batch]
    if case.task != "classification":
        keys.append("labels")
    return {k: torch.tensor(batch[k]) for k in keys}


def output_of(case: Case, model: torch.nn.Module, inputs: dict) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits, zero on padding, or scores; and a loss: the model's, or that of the scores with labels 0, 1, 2."""
    out = model(**inputs)
    if case.task == "classification":
        return out.logits, torch.nn.functional.cross_entropy(out.logits, torch.arange(3))
    return out.logits * inputs["attention_mask"].unsqueeze(-1), out.loss


def collate(rows: list[dict]) -> dict[str, torch.Tensor]:
    width = max(len(r["ids"]) for r in rows)
    pad = lambda values, fill: values + [fill] * (width - len(values))  # noqa: E731
    return {
        "input_ids": torch.tensor([pad(r["ids"], 0) for r in rows]),
        "labels": torch.tensor([pad(r["labels"], -100) for r in rows]),
        "attention_mask": torch.tensor([pad([1] * len(r["ids"]), 0) for r in rows]),
    }


def train(case: Case) -> tuple[list[dict], transformers.PreTrainedModel]:
    """Ten steps of torch's AdamW with two rows each, with clipping; the rate rises over two steps, then falls linearly."""
    t = case.training
    examples = json.loads((FIXTURES / case.base / "train_data.json").read_text())["examples"]
    model = build(case)
    params = list(trained(model).values())
    optimizer = torch.optim.AdamW(params, lr=t["learning_rate"], weight_decay=t["weight_decay"], foreach=False)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, 2, 10)
    log = []
    for step in range(10):
        loss = model(**collate(examples[2 * step : 2 * step + 2])).loss
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(params, t["max_grad_norm"])
        log.append({"loss": loss.item(), "grad_norm": norm.item(), "learning_rate": schedule.get_last_lr()[0]})
        optimizer.step()
        schedule.step()
    return log, model


def write_case(case: Case) -> None:
    folder = OUT / case.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model = build(case)
    model.save_adapter(str(folder), NAME, use_safetensors=True, with_head=case.task == "classification")
    for file in folder.glob("*_config.json"):  # the base's name must not be a path on this machine
        config = json.loads(file.read_text())
        config["model_name"] = f"tiny-random-{case.base.split('/')[-1]}"
        file.write_text(json.dumps(config, indent=2, sort_keys=True))
    if case.task == "masked":
        (folder / "head_config.json").unlink(missing_ok=True)
    inputs = inputs_of(case)
    output, loss = output_of(case, model, inputs)
    loss.backward()
    params = trained(model)
    assert all(p.grad.abs().max() > 1e-5 for p in params.values()), case.name
    tensors = {"output": output.detach(), **{f"grad.{n}": p.grad.clone() for n, p in params.items()}}
    expected = {"note": case.note, "loss": loss.item(), "trained": sum(p.numel() for p in params.values())}
    with torch.no_grad():
        model.set_active_adapters(None)
        base = output_of(case, model, inputs)[0]
        model.set_active_adapters(NAME)
        assert ((base - output).abs().max() / output.abs().max()).item() > 0.05, case.name
        if case.task == "classification":
            tensors |= {n: p.detach() for n, p in model.named_parameters() if "pooler" in n}

        # The saved folder, loaded into a new model.
        again = load_base(case)
        prepare(case, again)
        again.load_adapter(str(folder), use_safetensors=True, set_active=True)
        again.eval()
        if case.task == "classification":
            again.bert.pooler.load_state_dict(model.bert.pooler.state_dict())
        error = ((output_of(case, again, inputs)[0] - output).abs().max() / output.abs().max()).item()
        assert error < 1e-5, f"{case.name}: {error}"
    if case.training:
        log, tuned = train(case)
        expected["training"] = {
            **case.training,
            "lr_scheduler_type": "linear",
            "warmup_ratio": 0.2,
            "max_steps": 10,
            "per_device_train_batch_size": 2,
            "gradient_accumulation_steps": 1,
        }
        expected["steps"] = log
        tensors |= {f"moved.{n}": p.detach() - params[n].detach() for n, p in trained(tuned).items()}
    save_file({k: t.contiguous() for k, t in tensors.items()}, folder / "expected.safetensors")
    write_json(folder / "expected.json", expected)
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    print(f"{case.name:22} {size / 1024:6.0f} kB")


if __name__ == "__main__":
    wanted = sys.argv[1:]
    assert set(wanted) <= {case.name for case in CASES}, f"no such case among {wanted}"
    for case in CASES:
        if not wanted or case.name in wanted:
            write_case(case)
    write_json(
        OUT / "meta.json",
        {
            "made_by": "tests/oracle/make_bottleneck_fixtures.py",
            "versions": versions("torch", "transformers", "adapters", "safetensors"),
            "computed_in": "float32, one thread, eager attention",
            "cases": {case.name: {"seed": case.seed, "base": case.base, "note": case.note} for case in CASES},
        },
    )
