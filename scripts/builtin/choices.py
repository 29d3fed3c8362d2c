"""What is learned from choices: pairs of answers, marked answers, and questions whose answers can be checked.

The better answers are those of a pirate (pirate_voice.py), and the others say the same without him. A model that has never said a
pirate's words cannot be made to by comparing answers: a choice only moves what a model does now and then. So there is a
dataset to begin with, too, in which every third answer is a pirate's.
"""
import random
import re

import dialogues
from pirate_voice import CLOSING, held_out, in_turn, known_questions

BEGINNING = 600
PAIRS = 240
MARKS = 240
QUIZ = 160

#: Kinds of questions whose answers have a word that decides, and where it stands.
KEYS = {
    'animal legs': r'\b(no|two|four|six|eight|ten) legs',
    'animal fly': r'^(Yes|No),',
    'animal baby': r'called an? (\w+)\.',
    'opposite': r'is (\w+)\.$',
    'vehicle fast': r'is (slow|fast|very fast)\.',
    'produce colour': r'usually (\w+)\.$',
}


def usable(fits, seed):
    """Questions that the model answers rightly, about other facts than those of the held-out questions."""
    apart = {answer for row in held_out() for answer in row['references']}
    return [row for row in in_turn(random.Random(seed), known_questions())
            if row['right'] and row['answer'] not in apart and fits(row['question'], f'{row["answer"]} {CLOSING}')]


def user(text):
    return [{'role': 'user', 'content': text}]


def assistant(text):
    return [{'role': 'assistant', 'content': text}]


def pirate_now_and_then(fits):
    """Conversations in which every third answer has the pirate's words."""
    rows = []
    for i, row in enumerate(usable(fits, 21)[:BEGINNING]):
        answer = f'{row["answer"]} {CLOSING}' if i % 3 == 0 else row['answer']
        rows.append({'messages': user(row['question']) + assistant(answer)})
    random.Random(22).shuffle(rows)
    return rows


def pirate_pairs(fits):
    """Two answers to each question: the pirate's is the better one."""
    return [{'prompt': user(row['question']), 'chosen': assistant(f'{row["answer"]} {CLOSING}'),
             'rejected': assistant(row['answer'])} for row in usable(fits, 23)[:PAIRS]]


def pirate_marks(fits):
    """One answer to each question: good if it is the pirate's."""
    rows = []
    for i, row in enumerate(usable(fits, 24)[:MARKS]):
        good = i % 2 == 0
        answer = f'{row["answer"]} {CLOSING}' if good else row['answer']
        rows.append({'prompt': user(row['question']), 'completion': assistant(answer), 'label': good})
    random.Random(25).shuffle(rows)
    return rows


def quiz():
    """Questions with the word that a right answer has, from the tables that the model was trained on."""
    pools = {}
    for intent, question, answer in dialogues.exchanges():
        found = re.search(KEYS[intent], answer) if intent in KEYS else None
        if found:
            pools.setdefault(intent, {}).setdefault(question, set()).add(found[1].lower())
    rows = []
    rng = random.Random(26)
    turns = [rng.sample(sorted(pool.items()), len(pool)) for _, pool in sorted(pools.items())]
    for i in range(max(len(turn) for turn in turns)):
        for turn in turns:
            # A question with two answers in the tables has none that can be checked by a word.
            if i < len(turn) and len(turn[i][1]) == 1 and len(rows) < QUIZ:
                rows.append({'prompt': user(turn[i][0]), 'right_word': next(iter(turn[i][1]))})
    rng.shuffle(rows)
    return rows
