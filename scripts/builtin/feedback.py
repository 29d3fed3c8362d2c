"""feedback: short customer sentences for an invented shop of household goods, labelled praise, complaint or question."""

THINGS = '''kettle|lamp|desk chair|backpack|toaster|headphones case|rain jacket|bookshelf|water bottle|blender|alarm clock
garden hose|coffee grinder|pillow|bike light|cutting board|umbrella|frying pan|rug|phone stand|vacuum cleaner|tea pot
sofa cover|curtain|notebook|wall shelf|heater|mirror|tent|camping stove|office lamp|keyboard|mouse pad|winter coat
picnic basket|tool box|bath mat|towel set|wine rack|baking tray'''.replace('\n', '|').split('|')
MACHINES = 'kettle|lamp|toaster|blender|alarm clock|coffee grinder|vacuum cleaner|heater|keyboard|bike light'.split('|')
SOFT = 'rain jacket|backpack|pillow|rug|sofa cover|curtain|winter coat|bath mat|towel set|tent'.split('|')
WEEKDAYS = 'Monday Tuesday Wednesday Thursday Friday Saturday'.split()
COLOURS = 'red blue green black white grey yellow brown'.split()

PRAISE = '''The {t} is great, I use it every day.|I love my new {t}!|Very happy with the {m}, it works perfectly.
Fast delivery and the {t} looks even better than in the picture.|Best {t} I have ever had.|Thank you, the {t} arrived on {d} and it is beautiful.
The {t} was worth every cent.|My mother loves the {t} that I gave her.|Great service, they changed my {t} in one day.
The {c} {t} fits our home so well.|Five stars for the {t} and the friendly team.|I bought a second {t} because the first one was so good.
Super easy to set up the {m}, well done.|The quality of the {t} is excellent.|The {s} is light, strong and pretty.
Really kind people, they helped me choose a {t}.|After {n} months the {t} still looks like new.|Wonderful {t}, I told all my friends about it.
The {t} came early and was packed with care.|I am so pleased with this {t}.|What a lovely {c} {t}, thank you!
Good price and a good {t}, I will come back.|The {m} makes my mornings so much easier.|Everything was perfect, from the order to the {t}.
I did not expect such a good {t} for so little money.|Your support team is amazing, my {m} works again.|The {t} is simple and clever, I like it a lot.
Our whole family enjoys the {t}.'''
COMPLAINT = '''The {t} broke after {n} days.|My {t} arrived with a big scratch.|I waited {n} weeks for the {t} and it never came.
The {m} does not work at all.|I ordered a {c} {t} and got the wrong colour.|Very bad quality, the {s} fell apart.
Nobody answers my emails about the {t}.|The {t} is much smaller than in the picture.|I want my money back for this {t}.
The {t} smells terrible.|This is the second {m} that stopped working.|You charged me twice for one {t}.
The box was open and the {t} was missing.|The {m} is too loud and gets very hot.|I am very disappointed with the {t}.
The driver left my {t} in the rain on {d}.|The {t} came with parts missing, so I cannot use it.|Your support was rude when I called about the {t}.
The colour of the {s} came off after one wash.|A part of the {t} was broken when I opened the box.|The {t} is a waste of money.
I sent the {t} back {n} weeks ago and still have no refund.|The {c} {s} looks cheap and feels thin.|The app says delivered, but there is no {t} here.
Worst {t} I have ever bought.|My {s} has a hole on one side, please fix this.|My order of the {t} was cancelled without a word.
The manual of the {m} is useless and the hotline hangs up.'''
QUESTION = '''When will my {t} arrive?|Do you have the {t} in {c}?|How do I clean the {t}?|Can I return the {t} after {n} weeks?
Is the {t} still in stock?|How much does it cost to ship a {t}?|Does the {t} come with a warranty?|Which size of the {t} should I order?
Can I change the address for my {t} order?|Is there a discount if I buy {n} of them, I mean the {t}?|Where can I find the manual for the {m}?|Can I pick up the {t} in the shop on {d}?
What is the {s} made of?|How long is the delivery time for the {t}?|Could you tell me how heavy the {t} is?|Do you sell spare parts for the {m}?
Can I pay for the {t} by invoice?|Is the {c} {t} the same size as the black one?|How do I set up the {m}?|Who do I call about my {t} order?
Does the {t} work outside too?|Will you get more of the {c} {t} soon?|Can I still cancel my order of the {t}?|Is it possible to get the {t} as a gift box?
Do you deliver the {t} on {d}?|Is the {t} safe for small children?|What is the difference between the {c} {t} and the {t} for less money?|How often should I wash the {s}?'''


def feedback(rng, per_label=80):
    rows, seen = [], set()
    for label, patterns in (('praise', PRAISE), ('complaint', COMPLAINT), ('question', QUESTION)):
        shapes = patterns.replace('\n', '|').split('|')
        while sum(row['label'] == label for row in rows) < per_label:
            # Cycle through the templates with a different product each time, so that no two rows are near duplicates.
            shape = shapes[len(rows) % len(shapes)]
            text = shape.format(t=rng.choice(THINGS), m=rng.choice(MACHINES), s=rng.choice(SOFT), d=rng.choice(WEEKDAYS),
                                c=rng.choice(COLOURS), n=rng.randint(2, 9))
            if text not in seen:
                seen.add(text)
                rows.append({'text': text, 'label': label})
    rng.shuffle(rows)
    return rows
