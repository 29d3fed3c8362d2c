"""Asks the built-in model questions of the fact tables and writes its answers to known.jsonl, for the pirate chat.

    python scripts/builtin/known.py          (needs torch 2.13, transformers 5.23 and tokenizers 0.23; minutes on a CPU)

A demo that teaches a voice should teach nothing else, so its answers say what the model would have said. `right` tells whether
that is one of the answers of the tables.
"""
import argparse
import json
import random
from collections import defaultdict
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

import dialogues
from corpus import chat_text

HERE = Path(__file__).resolve().parent
MODEL = HERE.parents[1] / 'public' / 'models' / 'stories'
PER_INTENT = 60
# Numbers are not told apart by so small a model, and small talk has answers of its own (pirate.py).
LEFT_OUT = ('talk', 'animal size', 'sum', 'count', 'calendar', 'mix')


def questions(rng):
    """(intent, question, all answers of the tables), at most PER_INTENT of each intent."""
    answers, by_intent = defaultdict(list), defaultdict(list)
    for intent, question, answer in dialogues.exchanges():
        answers[question].append(answer)
        by_intent[intent].append(question)
    for intent, asked in by_intent.items():
        if intent in LEFT_OUT:
            continue
        asked = list(dict.fromkeys(asked))
        rng.shuffle(asked)
        yield from ((intent, question, answers[question]) for question in asked[:PER_INTENT])


@torch.no_grad()
def answers_of(model, tokenizer, asked, batch=64):
    """Greedy answers."""
    out = {}
    asked = sorted(asked, key=len)
    for start in range(0, len(asked), batch):
        rows = asked[start:start + batch]
        ids = [tokenizer.encode(chat_text([('user', question)]) + '<|im_start|>assistant\n').ids for question in rows]
        width = max(map(len, ids))
        padded = torch.tensor([[0] * (width - len(row)) + row for row in ids])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in ids])
        written = model.generate(input_ids=padded, attention_mask=mask, max_new_tokens=64, do_sample=False,
                                 eos_token_id=[2, 0], pad_token_id=0)
        out |= {question: tokenizer.decode(row[width:].tolist()).strip() for question, row in zip(rows, written)}
    return out


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument('--model', type=Path, default=MODEL)
    args.add_argument('--out', type=Path, default=HERE / 'known.jsonl')
    args = args.parse_args()
    model = LlamaForCausalLM.from_pretrained(args.model, dtype=torch.float32).eval()
    rows = list(questions(random.Random(5)))
    said = answers_of(model, Tokenizer.from_file(str(args.model / 'tokenizer.json')), [question for _, question, _ in rows])
    with open(args.out, 'w', encoding='utf-8') as file:
        for intent, question, answers in rows:
            row = {'intent': intent, 'question': question, 'answer': said[question], 'right': said[question] in answers}
            file.write(json.dumps(row, ensure_ascii=False) + '\n')
    print(f'{sum(said[question] in answers for _, question, answers in rows)} of {len(rows)} right')


if __name__ == '__main__':
    main()
