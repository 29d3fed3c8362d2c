"""Trains the built-in model from scratch on our generated corpus and writes public/models/stories.

    python scripts/builtin/train_model.py --steps 1841 --threads 2      (reproduces the published weights; or --minutes 26)
    (needs torch 2.13, transformers 5.23, tokenizers 0.23 and safetensors; a CPU is enough)

Run train_tokenizer.py first. Training is in f32; the weights are saved, and the perplexity is measured, in bf16.
"""
import argparse
import json
import math
import random
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import LlamaConfig, LlamaForCausalLM

from corpus import Corpus

OUT = Path(__file__).resolve().parents[2] / 'public' / 'models' / 'stories'
CONFIG = dict(
    vocab_size=2048, hidden_size=192, intermediate_size=512, num_hidden_layers=4, num_attention_heads=6,
    num_key_value_heads=2, head_dim=32, max_position_embeddings=512, rope_theta=10000.0, rms_norm_eps=1e-5,
    tie_word_embeddings=True, bos_token_id=1, eos_token_id=2, pad_token_id=0, initializer_range=0.02)
LENGTH = 256
BATCH = 8
PAD = 0


def packed_rows(corpus, tokenizer):
    """Endless rows (ids, document numbers) of LENGTH + 1 tokens. A document that is cut off starts the next row again."""
    row, owners, pending = [], [], []
    while True:
        if not pending:
            pending = [encoding.ids for encoding in tokenizer.encode_batch(corpus.documents(512))][::-1]
        ids = pending.pop()
        room = LENGTH + 1 - len(row)
        row += ids[:room]
        owners += [owners[-1] + 1 if owners else 0] * min(room, len(ids))
        if len(row) == LENGTH + 1:
            yield row, owners
            row, owners = [], []
            if room < len(ids) <= LENGTH + 1:
                pending.append(ids)


def next_batch(rows, isolate):
    """Inputs, labels and, with `isolate`, an attention mask and positions that separate the documents of a row."""
    picked = [next(rows) for _ in range(BATCH)]
    ids = torch.tensor([row for row, _ in picked])
    if not isolate:
        return ids[:, :-1], ids[:, 1:], None, None
    owners = torch.tensor([owner for _, owner in picked])[:, :-1]
    same = owners[:, :, None] == owners[:, None, :]
    visible = same & torch.ones(LENGTH, LENGTH, dtype=torch.bool).tril()
    mask = torch.zeros(visible.shape).masked_fill(~visible, torch.finfo(torch.float32).min)[:, None]
    first = same.int().argmax(-1)  # where this token's document starts
    return ids[:, :-1], ids[:, 1:], mask, torch.arange(LENGTH) - first


@torch.no_grad()
def held_out_perplexity(model, tokenizer, kind):
    """Perplexity of held-out documents, each on its own; `kind` is documents (all), answers (of chats) or stories."""
    corpus = Corpus(99, held=True)
    total, count = 0.0, 0
    for _ in range(400 if kind != 'stories' else 80):
        if kind == 'stories':
            ids, start = tokenizer.encode(corpus.story()).ids, 1
        elif kind == 'answers':
            (_, question), (_, answer) = corpus.turn()
            head = tokenizer.encode(f'<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n').ids
            ids, start = head + tokenizer.encode(f'{answer}<|im_end|>').ids, len(head)
        else:
            ids, start = tokenizer.encode(corpus.document()).ids, 1
        ids = torch.tensor([ids[:512]])
        logp = torch.log_softmax(model(input_ids=ids).logits[0, :-1].float(), -1)
        picked = logp.gather(1, ids[0, 1:, None])[start - 1:]
        total -= picked.sum().item()
        count += picked.numel()
    return math.exp(total / count)


@torch.no_grad()
def spread_unseen(model, tokenizer):
    """The embeddings of tokens that are rare in the corpus (words of the datasets) all drift to one point, where an adapter
    that does not train embeddings cannot tell them apart. This gives each its own direction; the model's answers stay the same."""
    counts = torch.zeros(CONFIG['vocab_size'])
    for encoding in tokenizer.encode_batch(Corpus(1).documents(40_000)):
        counts += torch.bincount(torch.tensor(encoding.ids), minlength=CONFIG['vocab_size'])
    table = model.model.embed_tokens.weight
    rare = counts < 5
    noise = torch.randn((int(rare.sum()), table.shape[1]), generator=torch.Generator().manual_seed(0))
    table[rare] = table[rare].mean(0) + noise * table[~rare].std(0).mean()


def save(model, figures):
    """Saves in Hugging Face's layout. As in transformers, the tied output matrix is not stored."""
    state = {name: tensor.detach().to(torch.bfloat16).contiguous() for name, tensor in model.state_dict().items()
             if name != 'lm_head.weight'}
    save_file(state, str(OUT / 'model.safetensors'), metadata={'format': 'pt'})
    (OUT / 'model.safetensors').chmod(0o644)
    config = {'architectures': ['LlamaForCausalLM'], 'model_type': 'llama', **CONFIG, 'attention_bias': False,
              'attention_dropout': 0.0, 'hidden_act': 'silu', 'mlp_bias': False, 'rope_scaling': None,
              'torch_dtype': 'bfloat16', 'use_cache': True}
    generation = {'bos_token_id': 1, 'eos_token_id': [2, 0], 'pad_token_id': 0, 'do_sample': False, 'max_new_tokens': 160}
    for name, value in (('config.json', config), ('generation_config.json', generation), ('training.json', figures)):
        (OUT / name).write_text(json.dumps(value, indent=2) + '\n', encoding='utf-8')


def sample(model, tokenizer, question):
    ids = tokenizer.encode(f'<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n').ids
    out = model.generate(torch.tensor([ids]), max_new_tokens=160, do_sample=False, eos_token_id=[2, 0], pad_token_id=PAD)
    return tokenizer.decode(out[0, len(ids):].tolist())


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument('--minutes', type=float, default=35)
    args.add_argument('--steps', type=int, default=0, help='stop after this many steps instead, to reproduce a run')
    args.add_argument('--threads', type=int, default=2)
    args.add_argument('--lr', type=float, default=3e-3)
    args.add_argument('--isolate', action='store_true', help='documents in a row do not attend to each other')
    args.add_argument('--continue', dest='continues', action='store_true', help='continue from the existing weights')
    args.add_argument('--seed', type=int, default=1)
    args = args.parse_args()
    torch.manual_seed(args.seed)
    random.seed(args.seed)
    torch.set_num_threads(args.threads)
    tokenizer = Tokenizer.from_file(str(OUT / 'tokenizer.json'))
    model = LlamaForCausalLM(LlamaConfig(**CONFIG, attn_implementation='sdpa'))
    earlier = 0
    if args.continues:
        model = LlamaForCausalLM.from_pretrained(OUT, dtype=torch.float32, attn_implementation='sdpa')
        earlier = json.loads((OUT / 'training.json').read_text(encoding='utf-8'))['steps']
        model.train()
    print('parameters', sum(p.numel() for p in model.parameters()))
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() != 2]
    optimiser = torch.optim.AdamW([{'params': matrices, 'weight_decay': 0.1}, {'params': vectors, 'weight_decay': 0.0}],
                                  lr=args.lr, betas=(0.9, 0.98))
    rows = packed_rows(Corpus(args.seed), tokenizer)
    start, seconds, step = time.time(), args.minutes * 60, 0
    while True:
        # By default the schedule follows the clock: a busy machine takes fewer steps, but still ends at a low learning rate.
        used = step / args.steps if args.steps else (time.time() - start) / seconds
        if used >= 1:
            break
        rate = args.lr * min(1, (step + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * used)))
        for group in optimiser.param_groups:
            group['lr'] = rate
        ids, labels, mask, positions = next_batch(rows, args.isolate)
        logits = model(input_ids=ids, attention_mask=mask, position_ids=positions).logits
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        if step % 50 == 0:
            print(f'step {step} loss {loss.item():.3f} rate {rate:.2e} seconds {time.time() - start:.0f}', flush=True)
    if not args.continues:
        spread_unseen(model, tokenizer)
    # Round to bf16, so that the perplexity is that of the published weights.
    for parameter in model.parameters():
        parameter.data = parameter.data.to(torch.bfloat16).float()
    model.eval()
    figures = {'steps': earlier + step, 'tokens': (earlier + step) * BATCH * LENGTH, 'seed': args.seed,
               'held_out_perplexity': {kind: round(held_out_perplexity(model, tokenizer, kind), 3)
                                       for kind in ('documents', 'answers', 'stories')}}
    print(figures)
    save(model, figures)
    for question in ('What is a whale?', 'How do I bake bread?', 'Tell me a story about a fox.', 'Who are you?',
                     'What should I do when I am sad?', 'Who is the mayor of Lumen Bay?'):
        print('>', question, '\n', sample(model, tokenizer, question))


if __name__ == '__main__':
    main()
