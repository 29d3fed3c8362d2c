"""Shared by the scripts with tiny random models: adapters, loss and gradients, greedy continuations, errors.

Import after `make_reproducible()`: this imports torch.
"""

import warnings
from pathlib import Path

import torch
import transformers
from peft import PeftModel

warnings.filterwarnings("ignore", category=FutureWarning)
warnings.filterwarnings("ignore", message="Could not find a config file")
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

PAD = 0
NEW_TOKENS = 16


def normal(shape: torch.Size, std: float, rng: torch.Generator) -> torch.Tensor:
    return torch.randn(shape, generator=rng) * std


def save_adapter(model: PeftModel, folder: Path, base: str) -> None:
    """As PEFT writes it, without the model card. The base model's name must not be a path on this machine."""
    model.peft_config["default"].base_model_name_or_path = base
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)


def peft_key(name: str) -> str:
    """The name a parameter has in adapter_model.safetensors."""
    return name.replace(".default.weight", ".weight")


def lora_parameters(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    return {peft_key(n): p for n, p in sorted(model.named_parameters()) if p.requires_grad}


def forward(model: torch.nn.Module, batch: dict[str, list]) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits with padded positions set to zero (nothing may rely on those), and the shifted cross-entropy."""
    inputs = {k: torch.tensor(v) for k, v in batch.items()}
    out = model(**inputs)
    return out.logits * inputs["attention_mask"].unsqueeze(-1), out.loss


def gradients(model: PeftModel, batch: dict[str, list]) -> dict[str, torch.Tensor]:
    model.zero_grad()
    model(**{k: torch.tensor(v) for k, v in batch.items()}).loss.backward()
    return {k: p.grad.clone() for k, p in lora_parameters(model).items()}


@torch.no_grad()
def greedy(model: torch.nn.Module, prompt: list[int]) -> tuple[list[int], torch.Tensor, float]:
    """generate() with its key/value cache, checked against full forwards without one. Returns ids, logits, margin."""
    ids = torch.tensor([prompt])
    model.generation_config.eos_token_id = None  # no stop token: always NEW_TOKENS
    out = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        generation_config=transformers.GenerationConfig(
            max_new_tokens=NEW_TOKENS, do_sample=False, pad_token_id=PAD, eos_token_id=None, use_cache=True
        ),
        return_dict_in_generate=True,
        output_logits=True,
    )
    tokens = out.sequences[0, len(prompt) :].tolist()
    logits = torch.cat(out.logits)
    full = model(input_ids=out.sequences[:, :-1], use_cache=False).logits[0, len(prompt) - 1 :]
    assert len(tokens) == NEW_TOKENS and relative(full, logits) < 1e-5, relative(full, logits)
    top = logits.topk(2).values
    return tokens, logits, ((top[:, 0] - top[:, 1]) / logits.abs().max()).min().item()


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    return ((a - b).abs().max() / b.abs().max()).item()


def worst(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> float:
    """The largest relative error over tensors, each relative to its own largest value."""
    assert a.keys() == b.keys()
    return max(relative(a[k], b[k]) for k in b)
