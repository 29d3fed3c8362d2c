"""Reference sentence embeddings with transformers, following all-MiniLM-L6-v2's modules.json for sentence-transformers: at most
256 tokens, mean pooling without padding, normalised to length 1.

minilm.py MODEL_FOLDER TEXTS_JSON OUT_JSON
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer

folder, given, out = map(Path, sys.argv[1:])
pooling = json.loads((folder / "1_Pooling" / "config.json").read_text())
assert pooling["pooling_mode_mean_tokens"] and not pooling["pooling_mode_cls_token"]
steps = [step["type"].rsplit(".", 1)[-1] for step in json.loads((folder / "modules.json").read_text())]
assert steps == ["Transformer", "Pooling", "Normalize"], steps
limit = json.loads((folder / "sentence_bert_config.json").read_text())["max_seq_length"]

tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
embeddings = []
with torch.no_grad():
    # One by one, so that padding cannot change anything.
    for text in json.loads(given.read_text(encoding="utf-8")):
        inputs = tokenizer(text, truncation=True, max_length=limit, padding=False, return_tensors="pt")
        mean = model(**inputs).last_hidden_state[0].mean(0)
        embeddings.append((mean / mean.norm()).tolist())
out.write_text(json.dumps({"embeddings": embeddings}))
