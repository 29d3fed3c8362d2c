"""Questions and answers generated from the fact tables: every exchange of a single turn.

`exchanges()` lists (intent, question, answer). Several phrasings of a question are combined with several wordings of its answer, so
that combinations can be held out and the model has to generalise over phrasing.
"""
import knowledge_life as life
import knowledge_world as world
import small_talk as talk


def article(words):
    return words if words.split(' ')[0] in ('a', 'an', 'the') else ('an ' if words[0] in 'aeiou' else 'a ') + words


def capital(text):
    return text[0].upper() + text[1:]


def cross(intent, asks, answers):
    """Every phrasing combined with every wording."""
    return [(intent, ask, capital(answer)) for ask in asks for answer in answers]


def animals():
    rows = []
    for x in world.ANIMALS:
        n, p, one = x['name'], x['plural'], article(x['name'])
        rows += cross('animal what', [f'What is {one}?', f'Can you tell me what {one} is?', f'What kind of animal is {one}?',
                                      f'Explain what {one} is.'],
                      [f'{one} is {x["what"]}.', f'{one} is {x["what"]}. It lives {x["home"]}.'])
        rows += cross('animal about', [f'Tell me about {p}.', f'Tell me something about {p}.', f'What do you know about {p}?',
                                       f'Can you tell me about the {n}?', f'I want to know more about {p}.'],
                      [f'{one} is {x["what"]}. {x["fact"]}.', f'{p} live {x["home"]}. {x["fact"]}.'])
        rows += cross('animal food', [f'What do {p} eat?', f'What does {one} eat?', f'What can I feed {one}?',
                                      f'What is the food of {p}?'],
                      [f'{p} eat {x["food"]}.', f'{one} eats {x["food"]}.'])
        rows += cross('animal home', [f'Where do {p} live?', f'Where does {one} live?', f'Where can I find {one}?',
                                      f'Where is the home of {p}?'],
                      [f'{p} live {x["home"]}.', f'{one} lives {x["home"]}.'])
        rows += cross('animal sound', [f'What sound does {one} make?', f'How does {one} sound?', f'What noise do {p} make?'],
                      [f'{one} {x["sound"]}.', f'The {n} {x["sound"]}.'])
        rows += cross('animal baby', [f'What is a baby {n} called?', f'What do you call a baby {n}?',
                                      f'What is the name of a young {n}?'],
                      [f'A baby {n} is called {article(x["baby"])}.'])
        rows += cross('animal colour', [f'What colour is {one}?', f'What colour are {p}?', f'Which colour does {one} have?'],
                      [f'{one} is usually {x["colour"]}.', f'{p} are usually {x["colour"]}.'])
        legs = 'no legs' if x['legs'] == 'no' else f'{x["legs"]} legs'
        rows += cross('animal legs', [f'How many legs does {one} have?', f'How many legs do {p} have?'],
                      [f'{one} has {legs}.'])
        rows += cross('animal fact', [f'Tell me a fact about {p}.', f'What is special about {p}?',
                                      f'What is interesting about {one}?', f'Do you know something funny about {p}?'],
                      [f'{x["fact"]}.', f'{x["fact"]}. That is amazing!'])
        flies = x['can'] == 'fly'
        rows += cross('animal fly', [f'Can {one} fly?', f'Do {p} fly?', f'Is {one} able to fly?'],
                      [f'Yes, {one} can fly.' if flies or n in ('duck', 'swan') else f'No, {one} cannot fly.'])
        if x['can'] != 'fly':
            rows += cross('animal can', [f'What can {one} do well?', f'What are {p} good at?'],
                          [f'{one} can {x["can"]} well.', f'{p} can {x["can"]} well.'])
        for y in world.ANIMALS:
            gap = int(x['size']) - int(y['size'])
            if abs(gap) >= 2:
                small, big = (one, article(y['name'])) if gap < 0 else (article(y['name']), one)
                rows += cross('animal size', [f'Is {one} bigger than {article(y["name"])}?'],
                              [f'{"Yes" if gap > 0 else "No"}, {big} is bigger than {small}.'])
                rows += cross('animal size', [f'Which is bigger, {one} or {article(y["name"])}?'],
                              [f'{big} is bigger than {small}.'])
    return rows


def foods():
    rows = []
    for x in world.FOODS:
        full = x['name']
        bare = full.split(' ', 1)[1] if full.startswith(('a ', 'an ')) else full
        be, it = ('are', 'They') if bare in ('pancakes', 'cookies', 'mashed potatoes') else ('is', 'It')
        steps = f'First, {x["first"]}. Then {x["then"]}. At the end, {x["last"]}.'
        rows += cross('food how', [f'How do I make {full}?', f'How can I make {full}?', f'How do you make {full}?',
                                   f'I want to make {full}. What should I do?', f'Tell me how to make {full}.',
                                   f'Can you teach me to make {full}?'],
                      [steps, f'First, {x["first"]}. Then {x["then"]}.' if 'bake' not in x['last'] else steps])
        if full in ('bread', 'cake', 'cookies', 'apple pie', 'pizza'):
            item = 'a cake' if full == 'cake' else full
            rows += cross('food how', [f'How do I bake {item}?', f'How can I bake {item}?', f'Tell me how to bake {item}.'],
                          [steps])
        rows += cross('food what', [f'What {be} {full}?', f'Can you tell me what {full} {be}?', f'Tell me about {bare}.'],
                      [f'{full} {be} {x["what"]}.', f'{full} {be} {x["what"]}. {it} taste{"s" if be == "is" else ""} {x["taste"]}.'])
        rows += cross('food taste', [f'What {"does" if be == "is" else "do"} {bare} taste like?', f'How {"does" if be == "is" else "do"} {bare} taste?'],
                      [f'{full} taste{"s" if be == "is" else ""} {x["taste"]}.'])
        good = x['good'] == 'yes'
        rows += cross('food good', [f'{capital(be)} {bare} good for me?', f'{capital(be)} {bare} healthy?', f'Should I eat a lot of {bare}?'],
                      [f'Yes, {full} can be good for you.' if good else f'A little {bare} is fine, but not every day.'])
    for x in world.PRODUCE:
        n, p, one = x['name'], x['plural'], article(x['name'])
        rows += cross('food what', [f'What is {one}?', f'What are {p}?', f'Tell me about {p}.', f'Can you tell me what {one} is?'],
                      [f'{one} is {x["what"]}.', f'{one} is {x["what"]}. It tastes {x["taste"]}.'])
        rows += cross('produce colour', [f'What colour is {one}?', f'What colour are {p}?', f'Which colour do {p} have?'],
                      [f'{one} is usually {x["colour"]}.', f'{p} are usually {x["colour"]}.'])
        rows += cross('produce grows', [f'Where do {p} grow?', f'How do {p} grow?', f'Where does {one} grow?'],
                      [f'{p} grow {x["grows"]}.'])
        rows += cross('food taste', [f'What does {one} taste like?', f'How do {p} taste?'], [f'{one} tastes {x["taste"]}.'])
        rows += cross('food good', [f'Are {p} good for me?', f'Are {p} healthy?', f'Is it good to eat {p}?'],
                      [f'Yes, {p} are good for you.', f'Yes, {p} are healthy and taste good.'])
    return rows


AT = ('train', 'airport', 'lake', 'river', 'lighthouse', 'school', 'market', 'zoo', 'post')


def world_things():
    rows = []
    for x in world.JOBS:
        n, one, tool = x['name'], article(x['name']), x['tool']
        rows += cross('job does', [f'What does {one} do?', f'What is the job of {one}?', f'What is {one}?', f'Tell me what {one} does.'],
                      [f'{one} {x["does"]}.', f'{one} {x["does"]}. {one} works {x["works"]}.'.replace(f'. {one}', f'. {capital(one)}')])
        rows += cross('job where', [f'Where does {one} work?', f'Where can I find {one}?', f'Where do I meet {one}?'],
                      [f'{one} works {x["works"]}.'])
        rows += cross('job tool', [f'What does {one} use at work?', f'What does {one} need?'], [f'{one} uses {tool}.'])
        rows += cross('job become', [f'I want to be {one}. What do you think?', f'Is it nice to be {one}?', f'Should I become {one}?'],
                      [f'That is a good job. {capital(one)} {x["does"]}.'])
        rows += cross('job who', [f'Who {x["does"]}?', f'Which job is it when someone {x["does"]}?'], [f'{one} {x["does"]}.'])
    for x in world.PLACES:
        n = x['name']
        at = 'on' if n.split()[1] in ('beach', 'farm', 'mountain', 'island', 'playground') else 'at' if n.split()[1] in AT else 'in'
        rows += cross('place what', [f'What is {n}?', f'Can you tell me what {n} is?', f'Explain what {n} is.'],
                      [f'{n} is {x["what"]}.', f'{n} is {x["what"]}. You can {x["do"]} there.'])
        rows += cross('place do', [f'What can I do {at} {n}?', f'Why should I visit {n}?', f'What do people do {at} {n}?'],
                      [f'You can {x["do"]} there.', f'{n} is {x["what"]}. You can {x["do"]} there.'])
    for x in world.VEHICLES:
        n, one = x['name'], article(x['name'])
        rows += cross('vehicle what', [f'What is {one}?', f'Can you tell me what {one} is?', f'Tell me about the {n}.'],
                      [f'{one} is {x["what"]}.', f'{one} is {x["what"]}. You can see it {x["where"]}.'])
        rows += cross('vehicle where', [f'Where can I see {one}?', f'Where does {one} go?'], [f'You can see {one} {x["where"]}.'])
        rows += cross('vehicle fast', [f'Is {one} fast?'], [f'{"No" if x["speed"] == "slow" else "Yes"}, {one} is {x["speed"]}.'])
        rows += cross('vehicle fast', [f'How fast is {one}?'], [f'{one} is {x["speed"]}.'])
    for x in life.OBJECTS:
        n = x['name']
        many = n in ('scissors', 'glasses', 'boots', 'gloves')
        be, it = ('are', 'them') if many else ('is', 'it')
        rows += cross('object what', [f'What {be} {n}?'], [f'{n} {be} {"things" if many else "a thing"} that we use {x["use"]}.'])
        rows += cross('object what', [f'What {be} {n} for?', f'Why do we need {n}?', f'What do people use {n} for?',
                                      f'What can I do with {n}?'],
                      [f'We use {n} {x["use"]}.', f'We use {n} {x["use"]}. You can find {it} {x["where"]}.'])
        rows += cross('object where', [f'Where can I find {n}?', f'Where do people keep {n}?'], [f'You can find {n} {x["where"]}.'])
        rows += cross('object need', [f'What do I need {x["use"].replace("our", "my")}?', f'What do I use {x["use"].replace("our", "my")}?'],
                      [f'You can use {n} {x["use"].replace("our", "your")}.'])
    for x in life.NATURE:
        be = 'is'
        rows += cross('nature what', [f'What {be} {x["name"]}?', f'Can you tell me what {x["name"]} is?', f'Tell me about {x["name"]}.',
                                      f'Explain what {x["name"]} is.'],
                      [f'{x["what"]}.', f'{x["what"]}. {x["more"]}.'])
    for x in life.COLOURS:
        rows += cross('colour', [f'What colour {x["verb"]} {x["thing"]}?', f'Which colour {"does" if x["verb"] == "is" else "do"} {x["thing"]} have?'],
                      [f'{x["thing"]} {x["verb"]} {x["colour"]}.'])
    for a, b, c in life.MIXES:
        for p, q in ((a, b), (b, a)):
            rows += cross('mix', [f'What colour do {p} and {q} make?', f'What happens when I mix {p} and {q}?', f'How can I make {c}?'],
                          [f'{p} and {q} make {c}.'])
    return rows


def people_things():
    rows = []
    for x in life.TASKS:
        task = x['task']
        yours = task.replace('my ', 'your ')
        steps = f'First, {x["first"]}. Then {x["then"]}. At the end, {x["last"]}.'
        rows += cross('task', [f'How do I {task}?', f'How can I {task}?', f'Tell me how to {task}.', f'What is the best way to {task}?',
                               f'I want to {task}. What should I do?', f'Can you help me {task}?'],
                      [steps, f'To {yours}, {x["first"]}. Then {x["then"]}.'])
    for x in life.ADVICE:
        s = x['state']
        rows += cross('advice', [f'What should I do when I am {s}?', f'I am {s}. What should I do?', f'What can I do if I am {s}?',
                                 f'What helps when you are {s}?', f'Can you give me advice? I am {s}.'],
                      [f'{x["answer"]}.'])
        rows += cross('feeling', [f'I am {s}.', f'I feel {s} today.', f'I am so {s} right now.', f'I feel very {s}.'],
                      [f'I {x["feel"]}. {x["answer"]}.'])
        if s in ('busy', 'late', 'proud', 'excited', 'happy', 'confused', 'lost'):
            continue
        rows += cross('friend feels', [f'My friend is {s}. What should I do?', f'My sister is {s}.', f'My brother feels {s}.'],
                      [f'Be kind and listen. Then say: {x["answer"]}.'])
    for x in life.ADVICE_MORE + life.WHYS:
        rows += cross('advice more', x['asks'].split(';'), [x['answer']])
    for x in life.BODY:
        part = x['part']
        rows += cross('body', [f'What {x["verb"]} {part} for?', f'Why do we have {part}?', f'What do we use {part} for?'],
                      [f'We use {part} {x["use"]}.'])
        rows += cross('body', [f'What do I use {x["use"]}?'], [f'You use {part if part.startswith("the") else "your " + part} {x["use"]}.'])
    for a, b in life.OPPOSITES:
        for p, q in ((a, b), (b, a)):
            rows += cross('opposite', [f'What is the opposite of {p}?', f'Tell me the opposite of {p}.', f'What is the opposite word for {p}?'],
                          [f'The opposite of {p} is {q}.'])
    for x in talk.TALK:
        rows += cross('talk', x['asks'].split(';'), x['answers'].split(';'))
    return rows


NUMBERS = '''zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty'''.split()
DAYS = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split()
MONTHS = 'January February March April May June July August September October November December'.split()


def numbers():
    rows = []
    for a in range(11):
        for b in range(11):
            rows += cross('sum', [f'What is {a} plus {b}?', f'How much is {a} + {b}?', f'What is {NUMBERS[a]} plus {NUMBERS[b]}?'],
                          [f'{a} plus {b} is {a + b}.'])
            if b <= a:
                rows += cross('sum', [f'What is {a} minus {b}?', f'How much is {a} - {b}?'], [f'{a} minus {b} is {a - b}.'])
    for n in range(1, 20):
        rows += cross('count', [f'Which number comes after {n}?', f'What comes after {NUMBERS[n]}?'], [f'After {n} comes {n + 1}.'])
        rows += cross('count', [f'Which number comes before {n}?'], [f'Before {n} comes {n - 1}.'])
        if 3 <= n <= 10:
            rows += cross('count', [f'Count to {n}.', f'Can you count to {NUMBERS[n]}?'],
                          [', '.join(str(i) for i in range(1, n + 1)) + '.'])
    for names, unit in ((DAYS, 'day'), (MONTHS, 'month')):
        for i, name in enumerate(names):
            after = names[(i + 1) % len(names)]
            rows += cross('calendar', [f'Which {unit} comes after {name}?', f'What comes after {name}?'], [f'After {name} comes {after}.'])
            rows += cross('calendar', [f'Which {unit} comes before {after}?', f'What comes before {after}?'], [f'Before {after} comes {name}.'])
    rows += cross('calendar', ['How many days are in a week?', 'What are the days of the week?'],
                  ['A week has seven days: ' + ', '.join(DAYS[:-1]) + ' and Sunday.'])
    rows += cross('calendar', ['How many months are in a year?', 'How many months does a year have?'], ['A year has twelve months.'])
    rows += cross('calendar', ['How many hours are in a day?', 'How long is a day?'], ['A day has twenty-four hours.'])
    return rows


def exchanges():
    return animals() + foods() + world_things() + people_things() + numbers()
