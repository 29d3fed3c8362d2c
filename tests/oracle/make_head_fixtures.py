"""Fixtures of output projections and saved modules: tests/fixtures/heads.

    python make_head_fixtures.py

A few of head_cases.py's models and adapters, with the logits that transformers and PEFT give. `parameters` of a model are all
that its class has in transformers, tied ones included: PEFT's file must hold those of each module that it saves.
"""

from common import make_reproducible

make_reproducible()

import shutil

import head_cases as cases
from common import FIXTURES, versions, write_json
from peft import LoraConfig, get_peft_model

MODELS = [
    ("llama", "tied"),
    ("qwen3", "differs"),
    ("gpt2", "copy"),
    ("gpt_neox", "copy"),
    ("gpt_neox", "untied"),
    ("bert", "differs"),
    ("bert", "copy"),
    ("roberta", "untied"),
    ("distilbert", "tied"),
]

#: model, name, modules_to_save, further settings
ADAPTERS = [
    ("llama-tied", "embedding", ["embed_tokens"], {}),
    ("llama-tied", "embedding-kept-tied", ["embed_tokens"], {"ensure_weight_tying": True}),
    ("llama-tied", "head", ["lm_head"], {}),
    ("llama-tied", "both", ["embed_tokens", "lm_head"], {}),
    ("llama-tied", "norms", ["input_layernorm", "norm"], {}),
    ("qwen3-differs", "q-norm", ["q_norm"], {}),
    ("gpt2-copy", "embedding", ["wte"], {"fan_in_fan_out": True}),
    ("gpt_neox-copy", "embedding", ["embed_in"], {}),
    ("gpt_neox-untied", "head", ["lm_head"], {}),
    ("bert-differs", "embedding", ["word_embeddings"], {}),
    ("bert-copy", "predictions", ["predictions"], {}),
    ("roberta-untied", "head", ["lm_head"], {}),
    ("distilbert-tied", "embedding", ["word_embeddings"], {}),
]


def main() -> None:
    root = FIXTURES / "heads"
    shutil.rmtree(root, ignore_errors=True)
    for fields, _ in cases.FAMILIES.values():
        fields.update({key: 1 for key in ("num_hidden_layers", "n_layer", "n_layers") if key in fields})
    expected, parameters = {}, {}
    for family, tie in MODELS:
        folder = root / f"{family}-{tie}"
        cases.make_model(family, tie, folder)
        model = cases.open_model(family, folder)
        expected[folder.name] = [round(value, 6) for value in cases.logits(model).tolist()]
        parameters[folder.name] = sorted(name for name, _ in model.named_parameters(remove_duplicate=False))
    for base, name, saved, more in ADAPTERS:
        family = base.rsplit("-", 1)[0]
        task = {} if family in cases.ENCODERS else {"task_type": "CAUSAL_LM"}
        targets = cases.FAMILIES[family][1]["targets"][:1]
        config = LoraConfig(r=2, lora_alpha=4, target_modules=targets, modules_to_save=list(saved), **task, **more)
        model = get_peft_model(cases.open_model(family, root / base), config)
        cases.randomise([p for p in model.parameters() if p.requires_grad], 7)
        expected[f"{base}/{name}"] = [round(value, 6) for value in cases.logits(model).tolist()]
        model.peft_config["default"].base_model_name_or_path = "tiny"
        model.save_pretrained(root / base / name, save_embedding_layers=False)
        (root / base / name / "README.md").unlink(missing_ok=True)
    about = versions("torch", "transformers", "peft", "safetensors")
    write_json(root / "expected.json", {"versions": about, "ids": cases.IDS, "logits": expected, "parameters": parameters})


if __name__ == "__main__":
    main()
