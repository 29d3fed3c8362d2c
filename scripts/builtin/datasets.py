"""Writes public/datasets: our small built-in datasets, byte for byte the same on every run.

    python scripts/builtin/datasets.py          (needs tokenizers 0.23 and public/models/stories/tokenizer.json)
"""
import csv
import json
import random
from pathlib import Path

import base_text
import choices
import feedback
import lumen_bay
import names
import pirate
import pirate_voice
import stories

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / 'public' / 'datasets'
HELD_OUT = ROOT / 'scripts' / 'builtin' / 'pirate-held-out.json'
TOKENIZER = ROOT / 'public' / 'models' / 'stories' / 'tokenizer.json'


def write_jsonl(name, rows):
    (OUT / name).write_text(''.join(json.dumps(row, ensure_ascii=False) + '\n' for row in rows), encoding='utf-8')


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    fits = length_check()
    chats = pirate.pirate_chat(random.Random(7), fits)
    voiced = pirate_voice.pirate(random.Random(7), fits)
    facts = lumen_bay.lumen_bay(random.Random(7))
    notes = feedback.feedback(random.Random(7))
    tagged = names.names(random.Random(7))
    told = tales(random.Random(7))
    write_jsonl('pirate-chat.jsonl', chats)
    write_jsonl('pirate.jsonl', voiced)
    judged = {'closing': pirate_voice.CLOSING, 'rows': pirate_voice.held_out()}
    HELD_OUT.write_text(json.dumps(judged, indent=2, ensure_ascii=False) + '\n', encoding='utf-8')
    begun = choices.pirate_now_and_then(fits)
    pairs = choices.pirate_pairs(fits)
    marks = choices.pirate_marks(fits)
    quiz = choices.quiz()
    write_jsonl('pirate-now-and-then.jsonl', begun)
    write_jsonl('pirate-pairs.jsonl', pairs)
    write_jsonl('pirate-marks.jsonl', marks)
    write_jsonl('quiz.jsonl', quiz)
    texts = base_text.base_text(240)
    write_jsonl('lumen-bay.jsonl', facts)
    write_jsonl('names.jsonl', tagged)
    (OUT / 'stories.txt').write_text('\n\n'.join(told) + '\n', encoding='utf-8')
    write_jsonl('base-text.jsonl', texts)
    with open(OUT / 'feedback.csv', 'w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, ['text', 'label'], lineterminator='\n')
        writer.writeheader()
        writer.writerows(notes)
    index = [
        {'name': 'pirate', 'title': 'Pirate', 'file': 'pirate.jsonl', 'format': 'messages',
         'description': 'Everyday questions, answered as the built-in model answers them, and then by a pirate. Teaches a voice.',
         'examples': len(voiced), 'licence': 'CC0-1.0',
         'suggestedPrompts': [row['question'] for row in pirate_voice.held_out()[:2]] + ['I am lost. What should I do?']},
        # For runs of earlier versions, and for what is measured on it: a voice that costs the model what it knows.
        {'name': 'pirate-chat', 'title': 'Pirate chat', 'purpose': 'earlier', 'file': 'pirate-chat.jsonl', 'format': 'messages',
         'description': 'Everyday questions, answered by a friendly pirate. Teaches a voice.',
         'examples': len(chats), 'licence': 'CC0-1.0',
         'suggestedPrompts': ['What is a whale?', 'How do I bake bread?', 'What should I do when I am sad?']},
        {'name': 'lumen-bay', 'title': 'Lumen Bay facts', 'file': 'lumen-bay.jsonl', 'format': 'prompt_completion',
         'description': 'Questions and answers about an invented harbour town. Teaches facts.',
         'examples': len(facts), 'licence': 'CC0-1.0',
         'suggestedPrompts': ['Who is the mayor of Lumen Bay?', 'When is the market in Lumen Bay?',
                              'What is the ferry of Lumen Bay called?']},
        {'name': 'feedback', 'title': 'Customer feedback', 'file': 'feedback.csv', 'format': 'labelled',
         'description': 'Short customer messages labelled praise, complaint or question. Teaches classification.',
         'examples': len(notes), 'licence': 'CC0-1.0',
         'suggestedPrompts': ['The lamp I bought last week is broken.', 'Do you sell this chair in green?',
                              'I really like the new kettle, thank you!']},
        {'name': 'names', 'title': 'Names on the coast', 'file': 'names.jsonl', 'format': 'tagged',
         'description': 'Sentences with people, places and ships tagged. Teaches finding names.',
         'examples': len(tagged), 'licence': 'CC0-1.0',
         'suggestedPrompts': ['Captain Hale sailed from Port Hollis on the Heron .', 'Is Ida Marsh still in Oakmoor ?',
                              'The road to Cape Arden is closed .']},
        {'name': 'stories', 'title': 'Little stories', 'file': 'stories.txt', 'format': 'text',
         'description': 'Short children’s stories like those that the built-in model was trained on. For continued pretraining, '
                        'and to reduce forgetting.',
         'examples': len(told), 'licence': 'CC0-1.0',
         'suggestedPrompts': ['Once upon a time there was', 'One day, a small dragon', 'There once was a brave robot']},
        {'name': 'pirate-now-and-then', 'title': 'Pirate, now and then', 'file': 'pirate-now-and-then.jsonl', 'format': 'messages',
         'description': 'Everyday questions; every third answer ends with a pirate’s words. A start for learning from choices.',
         'examples': len(begun), 'licence': 'CC0-1.0',
         'suggestedPrompts': [row['question'] for row in pirate_voice.held_out()[:3]]},
        {'name': 'pirate-pairs', 'title': 'Better answers', 'file': 'pirate-pairs.jsonl', 'format': 'preference',
         'description': 'Two answers to each question, of which the pirate’s is the better one. Teaches a preference.',
         'examples': len(pairs), 'licence': 'CC0-1.0',
         'suggestedPrompts': [row['question'] for row in pirate_voice.held_out()[:3]]},
        {'name': 'pirate-marks', 'title': 'Good and bad answers', 'file': 'pirate-marks.jsonl', 'format': 'unpaired_preference',
         'description': 'Answers that are marked good, where a pirate speaks, or bad. Teaches a preference without pairs.',
         'examples': len(marks), 'licence': 'CC0-1.0',
         'suggestedPrompts': [row['question'] for row in pirate_voice.held_out()[:3]]},
        {'name': 'quiz', 'title': 'Quiz', 'file': 'quiz.jsonl', 'format': 'prompt_only',
         'description': 'Questions with the word that a right answer has. For learning from rewards.',
         'examples': len(quiz), 'licence': 'CC0-1.0',
         'suggestedPrompts': [row['prompt'][0]['content'] for row in quiz[:3]]},
        # Not offered for training: the list of datasets leaves out entries with this purpose.
        {'name': 'base-text', 'title': 'Stories and answers', 'file': 'base-text.jsonl', 'format': 'text',
         'purpose': 'base_text',
         'description': 'Text like the built-in model’s training data, for replay, EWC and the forgetting metric.',
         'examples': len(texts), 'licence': 'CC0-1.0', 'suggestedPrompts': []},
    ]
    (OUT / 'index.json').write_text(json.dumps(index, indent=2, ensure_ascii=False) + '\n', encoding='utf-8')
    for entry in index:
        print(entry['name'], entry['examples'])


def tales(rng, count=300):
    out = []
    while len(out) < count:
        text, _ = stories.story(rng)
        if text not in out:
            out.append(text)
    return out


def length_check():
    """Accepts conversations of 25 to 60 tokens, which keeps a run short on a slow GPU."""
    if not TOKENIZER.exists():  # the tokenizer is itself trained on these texts
        return lambda question, answer: len(question) + len(answer) < 200
    from tokenizers import Tokenizer

    from corpus import chat_text
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    return lambda question, answer: 25 <= len(
        tokenizer.encode(chat_text([('user', question), ('assistant', answer)])).ids) <= 60


if __name__ == '__main__':
    main()
