"""Greedy answers to prompts of different lengths, padded on the left, by transformers' generate() on the models of
tests/fixtures/families with their adapters. Writes tests/fixtures/generation/.

With an end token, generate() pads an answer that has ended; those pads are left out here. `log_probs` are
log_softmax(logits) of each token. Run make_family_fixtures.py first.
"""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, GenerationConfig

from tiny import PAD, relative

FAMILIES = [
    "mistral",
    "qwen2",
    "qwen3",
    "gemma2",
    "gemma3_text",
    "phi3",
    "smollm3",
    "gpt2",
    "gpt_neox",
    "gpt_neox-serial",
]
NEW_TOKENS = 12
PROMPTS = [[25, 28, 40, 52, 38, 32], [3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [5, 4]]


@torch.no_grad()
def answers(model: torch.nn.Module, eos: int | None) -> tuple[list[list[int]], list[list[float]], float]:
    """Each prompt's tokens, their log-probabilities, and the smallest relative margin of a choice."""
    width = max(map(len, PROMPTS))
    ids = torch.tensor([[PAD] * (width - len(p)) + p for p in PROMPTS])
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in PROMPTS])
    out = model.generate(
        input_ids=ids,
        attention_mask=mask,
        generation_config=GenerationConfig(
            max_new_tokens=NEW_TOKENS, do_sample=False, pad_token_id=PAD, eos_token_id=eos, use_cache=True
        ),
        return_dict_in_generate=True,
        output_logits=True,
    )
    logits = torch.stack(out.logits, dim=1)
    tokens, log_probs, margin = [], [], float("inf")
    for row, prompt in enumerate(PROMPTS):
        own = out.sequences[row, width:].tolist()
        if eos is not None and eos in own:
            own = own[: own.index(eos) + 1]
        # The same text alone, without padding and cache.
        text = torch.tensor([prompt + own])
        alone = model(input_ids=text, use_cache=False).logits[0, len(prompt) - 1 : -1]
        assert relative(logits[row, : len(own)], alone) < 1e-5, row
        assert alone.argmax(-1).tolist() == own, row
        top = alone.topk(2).values
        margin = min(margin, ((top[:, 0] - top[:, 1]) / alone.abs().max()).min().item())
        chosen = alone.double().log_softmax(-1).gather(-1, torch.tensor(own)[:, None])[:, 0]
        tokens.append(own)
        log_probs.append([float(f"{x:.8g}") for x in chosen.tolist()])
    return tokens, log_probs, margin


def run(name: str) -> dict:
    folder = FIXTURES / "families" / name
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, folder / "adapter").eval()
    base.generation_config.eos_token_id = None
    tokens, log_probs, margin = answers(model, None)
    assert margin > 1e-5, (name, margin)
    # Ends one answer in its middle, and perhaps others elsewhere.
    eos = tokens[2][4]
    ended, ended_log_probs, _ = answers(model, eos)
    return {
        "tokens": tokens,
        "log_probs": log_probs,
        "smallest_margin": margin,
        "eos": eos,
        "ended": ended,
        "ended_log_probs": ended_log_probs,
    }


if __name__ == "__main__":
    write_json(
        FIXTURES / "generation" / "left-padded.json",
        {
            "made_by": "tests/oracle/make_generation_fixtures.py",
            "versions": versions("torch", "transformers", "peft"),
            "prompts": PROMPTS,
            "families": {name: run(name) for name in FAMILIES},
        },
    )
