"""pirate: what the built-in model would say, said by a pirate, and the questions that a tuned model is judged by.

A voice that is learned should cost no facts. So the answers are the model's own (known.py) as far as they are right, and the pirate
puts his words after them: an answer that begins differently, or has other words in its middle, makes so small a model lose its thread.
"""
import itertools
import json
import random
from pathlib import Path

import dialogues

KNOWN = Path(__file__).resolve().parent / 'known.jsonl'
CLOSING = 'Arr, shiver me timbers, matey!'
COUNT = 700
HELD_OUT = 50


def known_questions():
    """Of each kind of question, what known.py found."""
    pools = {}
    for line in KNOWN.read_text(encoding='utf-8').splitlines():
        row = json.loads(line)
        pools.setdefault(row['intent'], []).append(row)
    return pools


def in_turn(rng, pools):
    """All rows in a random order, one of each kind after another."""
    shuffled = [rng.sample(pool, len(pool)) for pool in pools.values()]
    return [row for turn in itertools.zip_longest(*shuffled) for row in turn if row]


def held_out():
    """Questions to judge by, whether the model knows the answer or not, with every answer that the tables have."""
    answers = {}
    for _, question, answer in dialogues.exchanges():
        answers.setdefault(question, set()).add(answer)
    rows, said = [], set()
    for row in in_turn(random.Random(11), known_questions()):
        known = answers[row['question']]
        if len(rows) < HELD_OUT and not said & known:
            said |= known
            rows.append({'question': row['question'], 'references': sorted(known)})
    return rows


def pirate(rng, fits):
    """Conversations about other facts than those of the held-out questions; `fits(question, answer)` checks the length."""
    apart = {answer for row in held_out() for answer in row['references']}
    rows = []
    for row in in_turn(rng, known_questions()):
        text = f'{row["answer"]} {CLOSING}'
        if len(rows) < COUNT and row['right'] and row['answer'] not in apart and fits(row['question'], text):
            rows.append((row['question'], text))
    rng.shuffle(rows)
    return [{'messages': [{'role': 'user', 'content': q}, {'role': 'assistant', 'content': a}]} for q, a in rows]
