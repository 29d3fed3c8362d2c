"""Writes tests/fixtures/formats/: files from the reference implementations, for the tests of src/formats/.

  peft-adapter/          a tiny LoRA adapter as PEFT saves it (float32, both matrices random)
  reference.safetensors  tensors of several formats and shapes, as the safetensors library writes them
  half.json              float32 words and PyTorch's rounding of them

With --check it writes nothing: it loads what Tabtune writes (tabtune-adapter/adapter_config.json with the same weights) into
PEFT and compares the logits with those of peft-adapter/.
Needs torch, transformers, peft, safetensors.
"""

from common import FIXTURES, make_reproducible

make_reproducible()

import json
import shutil
import sys
import tempfile

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

OUT = FIXTURES / "formats"


def base_model():
    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            hidden_size=16,
            intermediate_size=24,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            vocab_size=32,
            max_position_embeddings=64,
        )
    ).eval()


def make_adapter():
    torch.manual_seed(1)
    model = get_peft_model(
        base_model(),
        LoraConfig(
            r=4,
            lora_alpha=8,
            lora_dropout=0.05,
            target_modules=["q_proj", "v_proj", "down_proj"],
            task_type="CAUSAL_LM",
            init_lora_weights=False,
            base_model_name_or_path="tabtune/tiny-llama",
        ),
    )
    folder = OUT / "peft-adapter"
    model.peft_config["default"].base_model_name_or_path = "tabtune/tiny-llama"
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)


def make_reference():
    save_file(
        {
            "b.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3),
            "Z": torch.tensor(1.5),
            "empty": torch.ones(0, 2),
            "é": torch.tensor([-1.0]),
            "half": torch.tensor([1.0, -2.0, 65504.0], dtype=torch.float16),
            "brain": torch.tensor([[1.0], [3.0e38]], dtype=torch.bfloat16),
        },
        OUT / "reference.safetensors",
        metadata={"format": "pt"},
    )


def make_half():
    edges = [0, 1, 0x33000000, 0x33000001, 0x33800000, 0x33BFFFFF, 0x33C00000, 0x387FC000, 0x387FE000, 0x387FF000]
    edges += [0x38800000, 0x3F800000, 0x3F801000, 0x3F803000, 0x3F808000, 0x3F818000, 0x477FE000, 0x477FEFFF]
    edges += [0x477FF000, 0x47800000, 0x7F7FFFFF, 0x7F7F7FFF, 0x7F7F8000, 0x7F800000]
    edges += [word | 0x80000000 for word in edges]
    rng = np.random.default_rng(2)
    values = np.concatenate([rng.standard_normal(500), rng.standard_normal(500) * 1e-6]).astype(np.float32)
    words = np.concatenate([np.array(edges, dtype=np.uint32), values.view(np.uint32)])
    tensor = torch.from_numpy(words.view(np.float32).copy())
    bits = lambda dtype: tensor.to(dtype).view(torch.int16).numpy().view(np.uint16).tolist()
    (OUT / "half.json").write_text(
        json.dumps({"f32": words.tolist(), "f16": bits(torch.float16), "bf16": bits(torch.bfloat16)}) + "\n"
    )


def check():
    ids = torch.arange(12).reshape(1, 12) % 32
    with tempfile.TemporaryDirectory() as ours, torch.no_grad():
        shutil.copy(OUT / "tabtune-adapter/adapter_config.json", ours)
        shutil.copy(OUT / "peft-adapter/adapter_model.safetensors", ours)
        base = base_model()(ids).logits
        expected = PeftModel.from_pretrained(base_model(), OUT / "peft-adapter").eval()(ids).logits
        actual = PeftModel.from_pretrained(base_model(), ours).eval()(ids).logits
    assert not torch.allclose(base, expected), "the adapter has no effect"
    assert torch.equal(actual, expected), "PEFT reads the two folders differently"
    print("PEFT loads Tabtune's folder and gives the same logits")


if __name__ == "__main__":
    if "--check" in sys.argv:
        check()
    else:
        OUT.mkdir(parents=True, exist_ok=True)
        make_adapter()
        make_reference()
        make_half()
