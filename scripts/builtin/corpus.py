"""The built-in model's training corpus: an endless, seeded stream of chats and stories from our own generators.

A twentieth of all questions and story combinations, chosen by a hash, is held out, so that held-out perplexity is measured on
combinations that the model has never read.
"""
import random
import zlib
from collections import defaultdict

import dialogues
import knowledge_world as world
import small_talk as talk
import stories

END = '<|endoftext|>'


def held_out(key):
    return zlib.crc32(key.encode()) % 20 == 0


def chat_text(messages):
    """The text that the tokenizer's chat template renders."""
    return ''.join(f'<|im_start|>{role}\n{content}<|im_end|>\n' for role, content in messages)


class Corpus:
    """`Corpus(seed)` streams training documents; `Corpus(seed, held=True)` only held-out combinations."""

    def __init__(self, seed, held=False):
        self.rng = random.Random(f'{seed}/{held}')
        self.held = held
        by_intent = defaultdict(list)
        for intent, question, answer in dialogues.exchanges():
            # The list of small talk is too short to hold any of it out.
            if intent == 'talk' or held_out(intent + question) == held:
                by_intent[intent].append((question, answer))
        if held:
            by_intent.pop('talk', None)
        self.pools = list(by_intent.values())
        # A compromise between equal weight per intent and per question, so that small intents are seen often enough.
        self.weights = [len(pool) ** 0.6 * (3 if intent == 'talk' else 1) for intent, pool in by_intent.items()]

    def exchange(self):
        pool = self.rng.choices(self.pools, self.weights)[0]
        return self.rng.choice(pool)

    def phrase(self, question):
        """Varies a question as people type it: greetings, lower case, missing punctuation, American spelling."""
        rng = self.rng
        roll = rng.random()
        if roll < 0.06:
            question = rng.choice(['Hi! ', 'Hello! ', 'Hey, ', 'Please help me. ', 'I have a question. ', 'Tell me, ']) + question
        elif roll < 0.09:
            question = question[:-1] + rng.choice([', please?', ' please?']) if question.endswith('?') else question
        if rng.random() < 0.12:
            question = question.lower()
        if rng.random() < 0.08:
            question = question.rstrip('?.!')
        if rng.random() < 0.3:
            question = question.replace('colour', 'color').replace('favourite', 'favorite')
        return question

    def turn(self):
        question, answer = self.exchange()
        return [('user', self.phrase(question)), ('assistant', answer)]

    def story(self, about=None, brief=False):
        while True:
            text, key = stories.story(self.rng, about, brief)
            if held_out(key) == self.held:
                return text

    def story_request(self):
        rng = self.rng
        kind = rng.choice(['any', 'species', 'species', 'species', 'name', 'thing', 'place', 'pair'])
        species = rng.choice(stories.HEROES + stories.PEOPLE * 4)
        one = dialogues.article(species)
        about, topic = {}, ''
        if kind == 'species':
            about, topic = {'species': species}, f' about {one}'
        elif kind == 'name':
            names = talk.BOYS if species == 'boy' else talk.GIRLS if species == 'girl' else talk.NAMES
            about = {'species': species, 'name': rng.choice(names)}
            topic = f' about {one} {rng.choice(["named", "called"])} {about["name"]}'
        elif kind == 'thing':
            about = {'thing': rng.choice(stories.THINGS)}
            topic = f' about {rng.choice(["a lost ", "a "])}{about["thing"]}'
        elif kind == 'place':
            about = {'species': species, 'place': rng.choice(stories.PLACES)}
            topic = f' about {one} {stories.PREPOSITIONS.get(about["place"], "in")} the {about["place"]}'
        elif kind == 'pair':
            friend = rng.choice([animal for animal in stories.HEROES if animal != species])
            about = {'species': species, 'friend': friend}
            topic = f' about {one} and {dialogues.article(friend)}'
        ask = rng.choice(['Tell me a story{}.', 'Tell me a short story{}.', 'Can you tell me a story{}?', 'Write a story{}.',
                          'Please tell me a story{}.', 'I would like to hear a story{}.', 'Do you know a story{}?'])
        return [('user', self.phrase(stories.article_fixed(ask.format(topic)))), ('assistant', self.story(about, brief=True))]

    def unknown(self):
        rng = self.rng
        places = rng.sample(talk.UNKNOWN_PLACES, 2)
        ask = rng.choice(talk.UNKNOWN_ASKS.replace('\n', ';').split(';')).format(
            place=places[0], other=places[1], thing=rng.choice(talk.UNKNOWN_THINGS), person=rng.choice(talk.UNKNOWN_PEOPLE),
            machine=rng.choice(talk.UNKNOWN_MACHINES), science=rng.choice(talk.UNKNOWN_SCIENCE), big=rng.randint(12, 999))
        return [('user', self.phrase(ask)), ('assistant', rng.choice(talk.UNKNOWN_ANSWERS))]

    def names_and_likes(self):
        """Exchanges in which the answer must copy or pick up a word of the question."""
        rng = self.rng
        name = rng.choice(talk.NAMES)
        animal, fruit = rng.choice(world.ANIMALS), rng.choice(world.PRODUCE)
        pet = rng.choice(['cat', 'dog', 'rabbit', 'hamster', 'parrot', 'horse'])
        kind = rng.randrange(5)
        if kind == 0:
            hello = rng.choice(['Hello! My name is {}.', 'Hi, I am {}.', 'My name is {}.', 'I am {}. Who are you?', 'Hello, I am {}.'])
            answer = f'Hello, {name}! It is nice to meet you. ' + (
                'I am a small language model.' if 'Who' in hello else 'How can I help you?')
            turns = [('user', hello.format(name)), ('assistant', answer)]
            if rng.random() < 0.5:
                turns += [('user', rng.choice(['What is my name?', 'Do you know my name?'])), ('assistant', f'Your name is {name}.')]
            return turns
        if kind == 1:
            return [('user', rng.choice([f'I have a {pet} named {name}.', f'My {pet} is called {name}.'])),
                    ('assistant', f'{name} is a nice name for a {pet}.')]
        if kind == 2:
            return [('user', rng.choice([f'I like {animal["plural"]}.', f'I love {animal["plural"]}.',
                                         f'My favourite animal is the {animal["name"]}.'])),
                    ('assistant', f'That is nice! {animal["fact"]}.')]
        if kind == 3:
            return [('user', rng.choice([f'I like {fruit["plural"]}.', f'My favourite food is {fruit["plural"]}.'])),
                    ('assistant', dialogues.capital(f'{fruit["plural"]} are good for you. They taste {fruit["taste"]}.'))]
        return [('user', rng.choice([f'Give me a name for my {pet}.', f'What should I call my {pet}?'])),
                ('assistant', f'You can call your {pet} {name}.')]

    def document(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.05:
            return self.story() + END
        if roll < 0.13:
            messages = self.story_request()
        elif roll < 0.17:
            messages = self.unknown()
        elif roll < 0.21:
            messages = self.names_and_likes()
        elif roll < 0.27:
            messages = self.turn() + self.turn() + (self.turn() if rng.random() < 0.3 else [])
        else:
            messages = self.turn()
        if rng.random() < 0.04:
            system = rng.choice(['You are a helpful assistant.', 'You are a kind friend.', 'Answer in simple words.'])
            messages = [('system', system)] + messages
        return chat_text(messages) + END

    def documents(self, count):
        return [self.document() for _ in range(count)]
