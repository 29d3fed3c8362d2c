"""A tiny random model of every family except plain Llama (make_llama_fixtures.py), with LoRA on all its linear layers.

Everything is computed by transformers and PEFT in f32 with eager attention, from weights stored as bf16 (half the bytes;
the expected values come from the stored ones). Norm weights and biases are random too, because ones and zeros would hide
mistakes; texts are longer than the sliding windows; and `without` makes sure that each unusual setting of a config affects
the logits. Writes tests/fixtures/families/; README.md describes the layout.

Pass names of cases to make only these again; by default, everything is made. To add a family, add a Case.
"""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import json
import math
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from tiny import PAD, forward, gradients, greedy, normal, relative, save_adapter, worst
from transformers import (
    AutoConfig,
    BertConfig,
    BertForMaskedLM,
    DistilBertConfig,
    DistilBertForMaskedLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    MistralConfig,
    MistralForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
    PreTrainedConfig,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
    RobertaConfig,
    RobertaForMaskedLM,
    SmolLM3Config,
    SmolLM3ForCausalLM,
)
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

OUT = FIXTURES / "families"
Json = dict


def rope(**settings: object) -> dict:
    return {"rope_type": "default", "rope_theta": 10000.0, **settings}


def older(config: Json) -> None:
    """config.json as transformers 4 wrote it."""
    parameters = config.pop("rope_parameters")
    config["rope_theta"] = parameters.pop("rope_theta")
    config["rope_scaling"] = None if parameters["rope_type"] == "default" else parameters
    config["torch_dtype"] = config.pop("dtype")
    config["transformers_version"] = "4.46.0"


def gemma3_older(config: Json) -> None:
    ropes = config.pop("rope_parameters")
    scaling = ropes["full_attention"]
    config["rope_theta"] = scaling.pop("rope_theta")
    config["rope_scaling"] = scaling
    config["rope_local_base_freq"] = ropes["sliding_attention"]["rope_theta"]
    config["sliding_window_pattern"] = 2
    config["torch_dtype"] = config.pop("dtype")
    for name in ("layer_types", "use_bidirectional_attention"):
        config.pop(name, None)


def partial_rotary_beside(config: Json) -> None:
    config["partial_rotary_factor"] = 0.5


def older_neox(config: Json) -> None:
    """As in Pythia's config.json."""
    parameters = config.pop("rope_parameters")
    config["rotary_emb_base"] = parameters["rope_theta"]
    config["rotary_pct"] = parameters["partial_rotary_factor"]
    config["torch_dtype"] = config.pop("dtype")
    config["transformers_version"] = "4.24.0"


def drop(*names: str) -> Callable[[Json], None]:
    def apply(config: Json) -> None:
        for name in names:
            del config[name]

    return apply


@dataclass
class Case:
    name: str
    seed: int
    model: type[PreTrainedModel]
    config: PreTrainedConfig
    note: str
    #: Changes to config.json after transformers 5 has written it: older spellings, fields left to their defaults.
    spelling: tuple[Callable[[Json], None], ...] = ()
    #: Changes to the config that must each change the logits, because the fixture would not test them otherwise.
    without: tuple[dict, ...] = ()
    #: A norm multiplies by 1 + weight (Gemma).
    norm_from_zero: bool = False
    #: "causal": labels are shifted, and there are greedy continuations. "masked": labels are not shifted.
    task: str = "causal"
    lora: dict = field(default_factory=lambda: dict(r=2, lora_alpha=3))
    lengths: tuple[int, ...] = (13, 9, 4)
    #: Scale of biases, and of a tied table: if they drown out the tokens, a continuation repeats one token.
    biases: float = 0.3
    tied_table: float = 0.15
    #: Token types are random zeros and ones (BERT).
    types: bool = False
    #: What the model adds to a text's positions (RoBERTa).
    first_position: int = 0


#: Shared by most cases.
SMALL = dict(
    vocab_size=96, hidden_size=32, intermediate_size=40, num_hidden_layers=2, max_position_embeddings=64,
    bos_token_id=1, eos_token_id=2, pad_token_id=PAD,
)  # fmt: skip
GROUPED = dict(num_attention_heads=4, num_key_value_heads=2)

CASES = [
    Case(
        name="mistral",
        seed=2101,
        model=MistralForCausalLM,
        config=MistralConfig(
            **SMALL, **GROUPED, head_dim=12, sliding_window=5, rope_parameters=rope(rope_theta=1e6),
            rms_norm_eps=1e-5, tie_word_embeddings=False,
        ),
        spelling=(older,),
        without=(dict(sliding_window=None),),
        note="A window of 5 in every layer, heads that are not hidden/heads wide.",
    ),
    Case(
        name="qwen2",
        seed=2201,
        model=Qwen2ForCausalLM,
        config=Qwen2Config(
            **SMALL, **GROUPED, use_sliding_window=True, sliding_window=4, max_window_layers=1,
            rope_parameters=rope(), tie_word_embeddings=True,
        ),
        spelling=(older, drop("layer_types")),
        without=(dict(layer_types=["full_attention"] * 2), dict(layer_types=["sliding_attention"] * 2)),
        note="Biases on q, k and v; windows from layer max_window_layers on, layer_types left out as old configs have it.",
    ),
    Case(
        name="qwen3",
        seed=2301,
        model=Qwen3ForCausalLM,
        config=Qwen3Config(
            **SMALL, **GROUPED, head_dim=16, attention_bias=True, use_sliding_window=True, sliding_window=6,
            layer_types=["sliding_attention", "full_attention"],
            rope_parameters=rope(rope_type="yarn", factor=4.0, original_max_position_embeddings=16),
            tie_word_embeddings=True,
        ),
        without=(dict(layer_types=["full_attention"] * 2), dict(rope_parameters=rope())),
        note="Norms over heads wider than hidden/heads, biases, layer_types written out, YaRN.",
    ),
    Case(
        name="gemma2",
        seed=2401,
        model=Gemma2ForCausalLM,
        config=Gemma2Config(
            **SMALL, **GROUPED, head_dim=16, sliding_window=5, query_pre_attn_scalar=11,
            attn_logit_softcapping=2.0, final_logit_softcapping=4.0, rope_parameters=rope(),
        ),
        norm_from_zero=True,
        spelling=(older, drop("layer_types", "use_bidirectional_attention")),
        without=(
            dict(layer_types=["full_attention"] * 2),
            dict(layer_types=["sliding_attention"] * 2),
            dict(attn_logit_softcapping=None),
            dict(final_logit_softcapping=None),
            dict(query_pre_attn_scalar=16),
        ),
        note="Soft caps small enough to be seen, a scale of scores that is not 1/sqrt(head_dim), windows by turns.",
    ),
    Case(
        name="gemma3_text",
        seed=2501,
        model=Gemma3ForCausalLM,
        config=Gemma3TextConfig(
            **SMALL, **GROUPED, head_dim=16, sliding_window=5, query_pre_attn_scalar=20,
            layer_types=["sliding_attention", "full_attention"],
            rope_parameters={
                "sliding_attention": rope(rope_theta=50.0),
                "full_attention": rope(rope_type="linear", rope_theta=1e6, factor=8.0),
            },
        ),
        norm_from_zero=True,
        spelling=(gemma3_older,),
        without=(
            dict(layer_types=["full_attention"] * 2),
            dict(rope_parameters={"sliding_attention": rope(rope_theta=50.0), "full_attention": rope(rope_theta=1e6)}),
            dict(rope_parameters={
                "sliding_attention": rope(),
                "full_attention": rope(rope_type="linear", rope_theta=1e6, factor=8.0),
            }),
        ),
        note="Frequencies by type of layer and norms over heads, spelled as transformers 4 did.",
    ),
    Case(
        name="phi3",
        seed=2601,
        model=Phi3ForCausalLM,
        config=Phi3Config(
            **SMALL, **GROUPED, sliding_window=5, rope_parameters=rope(partial_rotary_factor=0.5),
        ),
        spelling=(older, partial_rotary_beside),
        without=(dict(sliding_window=None), dict(rope_parameters=rope(partial_rotary_factor=1.0))),
        note="Fused projections, rotary positions over half of each head, a window.",
    ),
    Case(
        name="phi3-longrope",
        seed=2602,
        model=Phi3ForCausalLM,
        config=Phi3Config(
            **{**SMALL, "max_position_embeddings": 128}, **GROUPED, original_max_position_embeddings=32,
            rope_parameters=rope(
                rope_type="longrope", short_factor=[1.0, 1.1, 1.5, 2.5], long_factor=[1.0, 2.0, 4.0, 8.0]
            ),
        ),
        spelling=(older, lambda config: config["rope_scaling"].update(type="su", rope_type="su")),
        without=(dict(rope_parameters=rope(partial_rotary_factor=1.0)),),
        note="LongRoPE under its old name, texts within the original context: short factors, sizes of sine and cosine.",
    ),
    Case(
        name="smollm3",
        seed=2701,
        model=SmolLM3ForCausalLM,
        config=SmolLM3Config(
            **SMALL, **GROUPED, no_rope_layer_interval=2, use_sliding_window=True, sliding_window=5,
            rope_parameters=rope(rope_theta=2e6),
        ),
        without=(
            dict(no_rope_layers=[1, 1]),
            dict(layer_types=["full_attention"] * 2),
            dict(layer_types=["sliding_attention"] * 2),
        ),
        note="The second layer has no rotary positions, and a window.",
    ),
]  # fmt: skip

#: Shared by the small BERTs.
BERT = dict(
    vocab_size=67, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=28,
    max_position_embeddings=32,
)  # fmt: skip

CASES += [
    Case(
        name="gpt2",
        seed=3101,
        model=GPT2LMHeadModel,
        config=GPT2Config(
            vocab_size=61, n_positions=32, n_embd=20, n_layer=2, n_head=2, n_inner=28,
            scale_attn_by_inverse_layer_idx=True, bos_token_id=1, eos_token_id=2, pad_token_id=PAD,
        ),
        biases=0.1,
        tied_table=0.4,
        without=(dict(scale_attn_by_inverse_layer_idx=False), dict(scale_attn_weights=False)),
        note="Conv1D, tied embeddings, learned positions; sizes that no vector of four divides.",
    ),
    Case(
        name="gpt_neox",
        seed=3201,
        model=GPTNeoXForCausalLM,
        config=GPTNeoXConfig(
            vocab_size=64, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=40,
            max_position_embeddings=32, rope_parameters=rope(partial_rotary_factor=0.25),
            bos_token_id=1, eos_token_id=2, pad_token_id=PAD,
        ),
        spelling=(older_neox,),
        without=(dict(use_parallel_residual=False), dict(rope_parameters=rope(partial_rotary_factor=1.0))),
        note="As Pythia: parallel residual, a quarter of each head turns, queries, keys and values by turns.",
    ),
    Case(
        name="gpt_neox-serial",
        seed=3301,
        model=GPTNeoXForCausalLM,
        config=GPTNeoXConfig(
            vocab_size=61, hidden_size=20, num_hidden_layers=2, num_attention_heads=2, intermediate_size=28,
            max_position_embeddings=32, rope_parameters=rope(rope_theta=500.0, partial_rotary_factor=1.0),
            use_parallel_residual=False, attention_bias=False, hidden_act="gelu_new", tie_word_embeddings=True,
            bos_token_id=1, eos_token_id=2, pad_token_id=PAD,
        ),
        without=(dict(use_parallel_residual=True),),
        note="Feed-forward behind attention, no attention biases, whole heads turn, tied; odd sizes.",
    ),
    Case(
        name="bert",
        seed=3401,
        model=BertForMaskedLM,
        config=BertConfig(**BERT, pad_token_id=PAD),
        task="masked",
        types=True,
        note="Token types, norm behind, erf GELU, the masked-language head with a bias.",
    ),
    Case(
        name="roberta",
        seed=3501,
        model=RobertaForMaskedLM,
        config=RobertaConfig(**BERT, hidden_act="relu", layer_norm_eps=1e-5, type_vocab_size=1, pad_token_id=1),
        task="masked",
        first_position=2,
        note="Positions from 2 on; GELU in the head whatever the blocks have (here ReLU).",
    ),
    Case(
        name="distilbert",
        seed=3601,
        model=DistilBertForMaskedLM,
        config=DistilBertConfig(
            vocab_size=67, dim=24, n_layers=2, n_heads=3, hidden_dim=28, max_position_embeddings=32, pad_token_id=PAD
        ),
        task="masked",
        note="No token types; its own names for everything.",
    ),
]  # fmt: skip


#: Kinds of RoPE scaling by name: config class, context and rope_parameters, for heads of 16.
ROPES = {
    "default": (LlamaConfig, 64, rope(rope_theta=5e5)),
    "linear": (LlamaConfig, 64, rope(rope_type="linear", factor=3.0)),
    "dynamic": (LlamaConfig, 64, rope(rope_type="dynamic", factor=4.0)),
    "llama3": (LlamaConfig, 128, rope(
        rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16,
    )),
    "yarn": (Qwen3Config, 131072, rope(
        rope_type="yarn", rope_theta=1e6, factor=4.0, original_max_position_embeddings=32768,
    )),
    "yarn, every field": (LlamaConfig, 4096, rope(
        rope_type="yarn", factor=8.0, original_max_position_embeddings=512, beta_fast=20.0, beta_slow=2.0,
        mscale=0.7, mscale_all_dim=1.3, truncate=False,
    )),
    "yarn, attention_factor": (LlamaConfig, 4096, rope(
        rope_type="yarn", factor=8.0, original_max_position_embeddings=512, attention_factor=0.9,
    )),
    "longrope": (Phi3Config, 131072, rope(
        rope_type="longrope", partial_rotary_factor=0.5, short_factor=[1.0, 1.02, 1.05, 1.3],
        long_factor=[1.0, 4.0, 16.0, 64.0], original_max_position_embeddings=4096,
    )),
}  # fmt: skip


def write_ropes() -> None:
    """Frequencies and the scale of sine and cosine, for configs of each kind."""
    rows = []
    for name, (kind, context, parameters) in ROPES.items():
        config = kind(
            hidden_size=64, num_attention_heads=4, num_key_value_heads=4, head_dim=16, max_position_embeddings=context,
            rope_parameters=dict(parameters),
        )  # fmt: skip
        if parameters["rope_type"] == "default":
            frequencies, scale = 1.0 / parameters["rope_theta"] ** (torch.arange(0, 16, 2).float() / 16), 1.0
        else:
            frequencies, scale = ROPE_INIT_FUNCTIONS[parameters["rope_type"]](config)
        rows.append({
            "name": name,
            "max_position_embeddings": context,
            "rope_parameters": parameters,
            "frequencies": frequencies.tolist(),
            "scale": scale,
        })  # fmt: skip
    write_json(OUT / "rope.json", {"head_dim": 16, "ropes": rows})


def generator(case: Case, purpose: int) -> torch.Generator:
    return torch.Generator().manual_seed(case.seed * 1000 + purpose)


#: The norm before the output projection.
LAST_NORMS = (
    "model.norm",
    "transformer.ln_f",
    "gpt_neox.final_layer_norm",
    "cls.predictions.transform.LayerNorm",
    "lm_head.layer_norm",
    "vocab_layer_norm",
)
EMBEDDINGS = ("embed", "wte", "wpe")
#: The linear layers that queries and keys come from.
SCORES = ("q_proj", "k_proj", "qkv_proj", "c_attn", "query", "key", "q_lin", "k_lin")


def build_model(case: Case, folder: Path) -> None:
    """Writes config.json and model.safetensors. Scaled so that attention is neither flat nor one-hot."""
    model = case.model(case.config)
    tied = case.config.tie_word_embeddings
    rng = generator(case, 1)
    with torch.no_grad():
        for name, p in model.named_parameters():
            leaf = name.removesuffix(".weight")
            if p.ndim == 1 and name.endswith(".weight"):
                # If the table is tied and small, the last norm sets the size of the logits.
                last = leaf in LAST_NORMS and tied
                centre = (2.5 if last else 1.0) - (1.0 if case.norm_from_zero else 0.0)
                p.copy_(centre + normal(p.shape, 0.5 if last else 0.2, rng))
            elif name.endswith(".bias"):
                p.copy_(normal(p.shape, case.biases, rng))
            elif any(part in name for part in EMBEDDINGS):
                # Small when tied, or every token would predict itself.
                p.copy_(normal(p.shape, case.tied_table if tied else 0.5, rng))
            elif any(part in name for part in SCORES):
                p.copy_(normal(p.shape, 1.2 / math.sqrt(p.shape[1]), rng))
            elif name == "lm_head.weight":
                p.copy_(normal(p.shape, 2.0 / math.sqrt(p.shape[1]), rng))
            else:
                p.copy_(normal(p.shape, 1.0 / math.sqrt(p.shape[1]), rng))
    model.to(torch.bfloat16).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    for change in case.spelling:
        change(config)
    path.write_text(json.dumps(dict(sorted(config.items())), indent=2) + "\n")


def load_base(case: Case, folder: Path, **changes: object) -> PreTrainedModel:
    config = AutoConfig.from_pretrained(folder)
    for name, value in changes.items():
        assert getattr(config, name) != value, f"{case.name}: {name} is {value} already"
        setattr(config, name, value)
    return case.model.from_pretrained(folder, config=config, dtype=torch.float32, attn_implementation="eager")


def build_adapter(case: Case, folder: Path) -> None:
    task = {"causal": "CAUSAL_LM"}.get(case.task)
    settings = dict(target_modules="all-linear", lora_dropout=0.0, task_type=task, **case.lora)
    model = get_peft_model(load_base(case, folder), LoraConfig(**settings))
    rng = generator(case, 2)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            if "lora_A" in name:
                p.copy_(normal(p.shape, 1 / math.sqrt(p.shape[1]), rng))
            elif "lora_B" in name:  # PEFT starts at zero, which would leave A without a gradient
                p.copy_(normal(p.shape, 0.15, rng))
    save_adapter(model, folder / "adapter", f"tiny-random-{case.name}")


def load_peft(case: Case, folder: Path) -> PeftModel:
    return PeftModel.from_pretrained(load_base(case, folder), folder / "adapter", is_trainable=True)


def make_batch(case: Case) -> dict[str, list]:
    """Three right-padded rows: every token a target (text); a masked prompt; a mask with a hole (two answers)."""
    rng = generator(case, 3)
    width = max(case.lengths)
    rows = {"input_ids": [], "labels": [], "attention_mask": []}
    for row, length in enumerate(case.lengths):
        ids = torch.randint(3, case.config.vocab_size, (length,), generator=rng).tolist()
        masked = [set(), {0, 1, 2, 3}, {0, 2}][row]
        labels = [-100 if i in masked else t for i, t in enumerate(ids)]
        pad = width - length
        rows["input_ids"].append(ids + [PAD] * pad)
        rows["labels"].append(labels + [-100] * pad)
        rows["attention_mask"].append([1] * length + [0] * pad)
    if case.types:
        rows["token_type_ids"] = torch.randint(0, 2, (len(case.lengths), width), generator=rng).tolist()
    return rows


def left_padded(case: Case, batch: dict[str, list]) -> dict[str, torch.Tensor]:
    """The same rows with left padding, and positions from 0 at the first real token, as in generate()."""
    turn = {k: [row[n:] + row[:n] for row, n in zip(v, case.lengths)] for k, v in batch.items() if k != "labels"}
    inputs = {k: torch.tensor(v) for k, v in turn.items()}
    return {**inputs, "position_ids": (inputs["attention_mask"].cumsum(-1) - 1).clamp(min=0) + case.first_position}


@torch.no_grad()
def check_left_padding(case: Case, model: PreTrainedModel, batch: dict[str, list], logits: torch.Tensor) -> float:
    """Left padding changes nothing: the real tokens' logits equal those with right padding."""
    left = model(**left_padded(case, batch)).logits
    turned = torch.stack([row.roll(n, 0) for row, n in zip(left, case.lengths)])
    real = torch.tensor(batch["attention_mask"]).unsqueeze(-1)
    error = relative(turned * real, logits)
    assert error < 1e-5, error
    return error


def greedy_case(case: Case, tuned: PeftModel) -> dict:
    """The first random prompt whose continuation is neither monotonous nor decided by a near tie."""
    rng = generator(case, 5)
    for _ in range(200):
        prompt = torch.randint(3, case.config.vocab_size, (6,), generator=rng).tolist()
        ids, _, margin = greedy(tuned, prompt)
        if len(set(ids)) >= 6 and margin > 2e-3:
            return {"prompt": prompt, "adapter": ids, "smallest_margin": margin}
    raise AssertionError(f"{case.name}: no good prompt, choose another seed")


def write_case(case: Case) -> None:
    folder = OUT / case.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    build_model(case, folder)
    build_adapter(case, folder)
    batch = make_batch(case)

    base = load_base(case, folder)
    tuned = load_peft(case, folder)
    with torch.no_grad():
        base_logits, base_loss = forward(base, batch)
        tuned_logits, tuned_loss = forward(tuned, batch)
        for change in case.without:
            seen = relative(forward(load_base(case, folder, **change), batch)[0], base_logits)
            assert seen > 5e-3, f"{case.name}: {change} changes the logits by only {seen:.1e}"
    assert relative(tuned_logits, base_logits) > 0.1
    grads = gradients(tuned, batch)
    assert all(g.abs().max() > 1e-4 for g in grads.values())
    shift = 1 if case.task == "causal" else 0
    expected = {
        "note": case.note,
        "target_tokens": sum(t != -100 for row in batch["labels"] for t in row[shift:]),
        "loss": {"base": base_loss.item(), "adapter": tuned_loss.item()},
        # How much two correct f32 implementations differ: padding on the other side, and rows one by one.
        "noise": {"left_padding": check_left_padding(case, base, batch, base_logits)},
    }
    alone = {k: torch.zeros_like(g) for k, g in grads.items()}
    for i, length in enumerate(case.lengths):
        row = {k: [v[i][:length]] for k, v in batch.items()}
        share = sum(t != -100 for t in row["labels"][0][shift:]) / expected["target_tokens"]
        for k, g in gradients(tuned, row).items():
            alone[k] += g * share
    expected["noise"]["gradients"] = worst(alone, grads)
    if case.task == "causal":
        expected["greedy"] = greedy_case(case, tuned)

    tensors = {"logits": base_logits, **{f"grad.{k}": g for k, g in grads.items()}}
    save_file({k: t.detach().contiguous() for k, t in tensors.items()}, folder / "expected.safetensors")
    write_json(folder / "batch.json", {**batch, "lengths": list(case.lengths)})
    write_json(folder / "expected.json", expected)
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    print(f"{case.name:18} {size / 1024:6.0f} kB  noise {json.dumps(expected['noise'])}")


if __name__ == "__main__":
    wanted = sys.argv[1:]
    assert set(wanted) <= {case.name for case in CASES}, f"no such case among {wanted}"
    for case in CASES:
        if not wanted or case.name in wanted:
            write_case(case)
    write_ropes()
    write_json(
        OUT / "meta.json",
        {
            "made_by": "tests/oracle/make_family_fixtures.py",
            "versions": versions("torch", "transformers", "peft", "safetensors"),
            "computed_in": "float32, one thread, eager attention; weights stored as bfloat16",
            "tolerances": {
                "logits": 1e-4,
                "loss": 1e-4,
                "gradients": 1e-3,
                "meaning": "max|a-b| / max|b|, for gradients tensor by tensor; b is the fixture",
            },
            "cases": {case.name: {"seed": case.seed, "note": case.note} for case in CASES},
        },
    )
