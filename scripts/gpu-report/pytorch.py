"""LoRA steps and answers in PyTorch + PEFT at the shapes of Tabtune's benchmark. Reads the plan as JSON from its input, writes a JSON line
for each measurement. Started by scripts/gpu-report.mjs.

    python pytorch.py < plan.json
"""

import json
import statistics
import sys
import time
import warnings

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.utils import logging

warnings.filterwarnings("ignore")
logging.set_verbosity_error()

CUDA = torch.cuda.is_available()
DEVICE = "cuda" if CUDA else "cpu"


def say(row: dict) -> None:
    print(json.dumps(row), flush=True)


def done() -> None:
    if CUDA:
        torch.cuda.synchronize()


def clocked(work) -> float:
    done()
    start = time.perf_counter()
    work()
    done()
    return time.perf_counter() - start


def make_model(config: dict, dtype: torch.dtype):
    """Random weights of the size that transformers initialises; their values do not change the time."""
    fields = {name: value for name, value in config.items() if name != "model_type"}
    torch.manual_seed(1)
    with torch.device(DEVICE):
        return AutoModelForCausalLM.from_config(AutoConfig.for_model(config["model_type"], **fields), dtype=dtype)


def measure_steps(model, name: str, dtype: str, shapes: list, samples: int, vocab: int) -> None:
    tuned = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules="all-linear"))
    tuned.train()
    trained = [tensor for tensor in tuned.parameters() if tensor.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=2e-4, weight_decay=0)
    for batch, length in shapes:
        ids = (torch.arange(batch * length, device=DEVICE) * 7919 + 3).remainder(vocab).reshape(batch, length)

        def step() -> None:
            loss = tuned(input_ids=ids, labels=ids).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            # Tabtune reads the loss of each step too.
            loss.item()

        try:
            step()
            step()
            seconds = statistics.median(clocked(step) for _ in range(samples))
        except torch.OutOfMemoryError:
            say({"left_out": f"{name} {dtype} {batch}×{length}", "why": "The GPU has no room for it."})
            optimizer.zero_grad()
            torch.cuda.empty_cache()
            continue
        say(
            {
                **{"kind": "step", "model": name, "dtype": dtype, "batch": batch, "length": length},
                **{"ms": 1000 * seconds, "tokens_per_second": batch * length / seconds},
            }
        )


@torch.no_grad()
def measure_answers(model, name: str, dtype: str, prompts: list, answer: int, vocab: int) -> None:
    model.eval()
    for prompt in prompts:
        ids = (torch.arange(prompt, device=DEVICE) * 37 + 5).remainder(vocab)[None]

        def write(tokens: int) -> None:
            model.generate(ids, max_new_tokens=tokens, min_new_tokens=tokens, do_sample=True, top_k=50, top_p=0.95)

        write(1)
        read = clocked(lambda: write(1))
        both = clocked(lambda: write(answer + 1))
        say(
            {
                **{"kind": "answer", "model": name, "dtype": dtype, "prompt": prompt},
                **{"prefill_tokens_per_second": prompt / read, "decode_tokens_per_second": answer / (both - read)},
            }
        )


def main() -> None:
    plan = json.load(sys.stdin)
    device = torch.cuda.get_device_name() if CUDA else "CPU"
    say({"kind": "about", "torch": torch.__version__, "device": device, "threads": torch.get_num_threads()})
    for shape in plan["models"]:
        vocab = shape["config"]["vocab_size"]
        for called, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
            model = make_model(shape["config"], dtype)
            model.generation_config.pad_token_id = 0
            measure_answers(model, shape["name"], called, plan["prompts"], plan["answer"], vocab)
            measure_steps(model, shape["name"], called, plan["steps"], plan["samples"], vocab)
            del model
            if CUDA:
                torch.cuda.empty_cache()


main()
