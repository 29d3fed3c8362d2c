"""Fine-tunes the built-in model on the built-in datasets with PEFT, as a reference for runs in Tabtune.

    python scripts/builtin/check_lora.py --lr 2e-4 2e-3      (needs torch, transformers, peft and tokenizers)

LoRA with r 16 and alpha 32 on all linear layers, batches of 8, three epochs, a tenth held out, loss on answers only.
"""
import argparse
import csv
import json
import math
import random
import time
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

PUBLIC = Path(__file__).resolve().parents[2] / 'public'
BATCH = 8


def pairs(name):
    """The (question, answer) pairs of a dataset; all formats are trained as chats."""
    if name == 'feedback':
        with open(PUBLIC / 'datasets' / 'feedback.csv', encoding='utf-8') as file:
            return [(row['text'], row['label']) for row in csv.DictReader(file)]
    rows = [json.loads(line) for line in open(PUBLIC / 'datasets' / f'{name}.jsonl', encoding='utf-8')]
    if 'messages' in rows[0]:
        return [tuple(message['content'] for message in row['messages']) for row in rows]
    return [(row['prompt'], row['completion']) for row in rows]


def encode(tokenizer, question, answer):
    head = tokenizer.encode(f'<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n').ids
    tail = tokenizer.encode(f'{answer}<|im_end|>').ids
    return head + tail, [-100] * len(head) + tail


def loss_sum(model, examples):
    """Summed loss over the answers' tokens, and their number."""
    width = max(len(ids) for ids, _ in examples)
    ids = torch.tensor([ids + [0] * (width - len(ids)) for ids, _ in examples])
    labels = torch.tensor([labels + [-100] * (width - len(labels)) for _, labels in examples])
    mask = torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids, _ in examples])
    logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1]
    losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels[:, 1:], reduction='sum')
    return losses, (labels[:, 1:] != -100).sum()


@torch.no_grad()
def evaluate(model, examples):
    model.eval()
    parts = [loss_sum(model, examples[i:i + BATCH]) for i in range(0, len(examples), BATCH)]
    model.train()
    return (sum(loss for loss, _ in parts) / sum(count for _, count in parts)).item()


def answer(model, tokenizer, question):
    ids = tokenizer.encode(f'<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n').ids
    out = model.generate(input_ids=torch.tensor([ids]), max_new_tokens=60, do_sample=False, eos_token_id=[2, 0], pad_token_id=0)
    return tokenizer.decode(out[0, len(ids):].tolist())


def run(name, folder, rate, epochs, show):
    torch.manual_seed(42)
    tokenizer = Tokenizer.from_file(str(folder / 'tokenizer.json'))
    examples = [encode(tokenizer, *pair) for pair in pairs(name)]
    lengths = sorted(len(ids) for ids, _ in examples)
    random.Random(42).shuffle(examples)
    cut = round(len(examples) * 0.1)
    held, train = examples[:cut], examples[cut:]
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
    before_answers = [answer(model, tokenizer, question) for question in show]
    model = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules='all-linear', task_type='CAUSAL_LM'))
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=rate, weight_decay=0.01)
    steps = math.ceil(len(train) / BATCH) * epochs
    before, step, start = evaluate(model, held), 0, time.time()
    for epoch in range(epochs):
        random.Random(epoch).shuffle(train)
        for i in range(0, len(train), BATCH):
            warm = max(1, round(steps * 0.1))
            share = step / warm if step < warm else 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))
            for group in optimiser.param_groups:
                group['lr'] = rate * share
            total, count = loss_sum(model, train[i:i + BATCH])
            optimiser.zero_grad()
            (total / count).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            step += 1
    after = evaluate(model, held)
    print(f'{name} lr {rate:g} epochs {epochs} steps {steps} seconds {time.time() - start:.0f} held-out loss '
          f'{before:.3f} -> {after:.3f} ({100 * (after / before - 1):.0f} %), tokens/example min {lengths[0]} '
          f'mean {sum(lengths) / len(lengths):.1f} p95 {lengths[int(len(lengths) * 0.95)]} max {lengths[-1]}', flush=True)
    model.eval()
    for question, old in zip(show, before_answers):
        print('  >', question, '\n    base :', old, '\n    tuned:', answer(model, tokenizer, question))
    if name == 'feedback':
        right = sum(answer(model, tokenizer, tokenizer.decode(ids[2:labels.index(next(x for x in labels if x != -100)) - 5]).strip())
                    == tokenizer.decode([x for x in labels if x > 2]) for ids, labels in held)
        print(f'  held-out labels right: {right}/{len(held)}')


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument('--lr', type=float, nargs='+', default=[2e-4, 2e-3])
    args.add_argument('--epochs', type=int, default=3)
    args.add_argument('--model', type=Path, default=PUBLIC / 'models' / 'stories')
    args.add_argument('--threads', type=int, default=2)
    args.add_argument('--only', nargs='+')
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    for entry in json.loads((PUBLIC / 'datasets' / 'index.json').read_text(encoding='utf-8')):
        if entry.get('purpose') == 'base_text':
            continue
        if not args.only or entry['name'] in args.only:
            for rate in args.lr:
                run(entry['name'], args.model, rate, args.epochs, entry['suggestedPrompts'])


if __name__ == '__main__':
    main()
