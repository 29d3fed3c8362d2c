"""A grammar of short children's stories: one hero, one friend, one problem, and consistent references."""
from knowledge_world import ANIMALS
from small_talk import BOYS, GIRLS, NAMES

HEROES = [row['name'] for row in ANIMALS] + ['pony', 'dragon', 'robot']
PEOPLE = ['boy', 'girl']
LOOKS = 'little small young brave shy kind clever funny quiet curious cheerful gentle'.split()
FRIEND_LOOKS = 'old wise big tall friendly kind tiny clever slow happy'.split()
THINGS = '''red ball|blue kite|yellow hat|silver bell|wooden boat|green scarf|golden key|small drum|warm blanket|paper star
round stone|old map|red umbrella|little lamp|shiny button|picture book|toy train|big basket|blue cup|white feather
music box|pretty shell|brown bag|pink ribbon|tin whistle'''.replace('\n', '|').split('|')
FOODS = '''an apple|a cake|a pot of soup|some honey|some berries|a loaf of bread|a basket of pears|some nuts|a carrot
a bowl of porridge|a plum pie|some cookies'''.replace('\n', '|').split('|')
PLACES = '''forest|garden|village|park|farm|meadow|valley|mountain|beach|lake|river|hill|town|field|island'''.split('|')
PREPOSITIONS = {'farm': 'on', 'mountain': 'on', 'beach': 'on', 'hill': 'on', 'island': 'on', 'lake': 'near',
                'river': 'near', 'meadow': 'in'}
WEATHERS = ['sunny', 'windy', 'cold', 'warm', 'rainy', 'quiet', 'snowy', 'bright', 'cloudy']
SPOTS = '''under a big tree|behind a rock|near the water|in the tall grass|under an old bridge|beside the path
in a small hole|on top of a hill|behind the barn|next to a fence'''.replace('\n', '|').split('|')
FEARS = ['the dark', 'the deep water', 'loud thunder', 'high places', 'the cold wind', 'big waves', 'new people']
MAKES = ['a small house', 'a wooden bridge', 'a swing', 'a snowman', 'a big tent', 'a boat', 'a sand castle', 'a nest']
SKILLS = ['swim', 'sing', 'dance', 'read', 'paint', 'jump very high', 'bake bread', 'climb a tree', 'play the drum',
          'ride a bike']

# Each line is a step: alternatives are separated by ' / ', and a leading '?' makes the step optional.
OPENINGS = '''
Once upon a time there was {hero}. / There once was {hero}. / One day, {hero} woke up early. / Long ago there lived {hero}.
{H} lived {in_place} with {his} family. / {H} lived {in_place}. / {His} home was {in_place}.
'''
PLOTS = {
    'lost thing': '''
{H} had a {thing}, and {he} loved it very much. / {H} liked to play with a {thing}.
One {weather} day, the {thing} was gone. / On a {weather} morning, {he} could not find the {thing}.
{H} looked everywhere, but {he} could not find it. / {He} looked in the house and in the garden, but it was not there.
?{H} sat down and began to cry. / {H} felt very sad.
Then {friend} came by. "Why are you so sad?" asked {F}. / Soon {H} met {friend}. "What is wrong?" asked {F}.
"I lost my {thing}," said {H}. / {H} told {F} about the {thing}.
"Do not worry," said {F}. "We will look for it together." / "I will help you," said {F}.
They found the {thing} {spot}. / After a long walk, they saw the {thing} {spot}.
{H} was so happy that {he} hugged {F}. / "Thank you, {F}!" said {H} with a big smile.
''',
    'new friend': '''
{H} had no one to play with, and {he} felt lonely. / {H} often played alone, and that made {him} sad.
One {weather} day, {he} saw {friend} {spot}. / On a {weather} day, {H} met {friend} {spot}.
{H} was shy, but {he} said hello. / "Hello, my name is {H}," {he} said softly.
"Would you like to play with me?" asked {F}. / "I am {F}," said the {fspecies}. "Let us play!"
They played with a {thing} until the sun went down. / They ran and laughed all afternoon.
?Then they shared {food}. / When they were hungry, they ate {food} together.
From that day on, {H} was never lonely again. / After that day, {H} and {F} were best friends.
''',
    'fear': '''
{H} was afraid of {fear}. / There was one thing that {H} did not like. {He} was afraid of {fear}.
One {weather} day, {friend} needed help. / On a {weather} day, {he} heard a voice. It was {friend}.
"Please help me!" called {F}. "I am stuck {spot}." / "Help!" cried {F}. "I fell and I cannot get up."
{H} thought of {fear} and began to shake. / {H} wanted to run away because of {fear}.
But {he} took a deep breath and went to help. / But then {he} thought of {F} and felt brave.
{H} pulled and pulled until {F} was free. / Step by step, {he} came closer and pulled {F} out.
"You are very brave," said {F}. / "Thank you! You saved me," said {F}.
After that, {H} was not so afraid of {fear} anymore. / {H} smiled, because {he} was not afraid anymore.
''',
    'sharing': '''
One {weather} day, {H} had {food} for lunch. / On a {weather} day, {H} sat {spot} with {food}.
{He} wanted to eat it all alone. / "This is all for me," thought {H}.
Then {friend} came along and looked hungry. / Just then, {H} saw {friend}, who had nothing to eat.
"I have not eaten all day," said {F}. / "I am so hungry," said {F} quietly.
{H} thought for a moment. / {H} looked at the food and then at {F}.
"We can share," said {H}. / Then {he} gave half of it to {F}.
They ate together and told each other funny stories. / They sat side by side and ate.
The food tasted even better with a friend. / {H} learned that sharing makes everyone happy.
''',
    'making': '''
{H} wanted to make {make}. / One {weather} day, {H} had an idea. {He} wanted to make {make}.
{He} worked hard, but it was too difficult to do alone. / {He} tried and tried, but it fell down.
?"I will never do it," said {H}. / {H} wanted to give up.
{Friend} saw this and came to help. / Then {friend} came to help.
"Let us do it together," said {F}. / "Two can do more than one," said {F}.
{F} held the wood and {H} tied the rope. / They worked all day and sang a song.
In the evening, everything was ready. / When the sun went down, they were done.
They looked at it and felt very proud. / "We did it!" said {H}, and they both laughed.
''',
    'learning': '''
{H} wanted to learn to {skill}. / More than anything, {H} wanted to {skill}.
The others laughed and said that {he} was too small. / {He} tried once, but it did not go well.
{H} felt sad and sat down {spot}. / {H} went home and felt bad.
There {he} met {friend}. "I can teach you," said {F}. / Then {friend} said, "Do not give up. I will show you how."
Every day, {H} and {F} practised together. / They practised every morning, even on {weather} days.
At first it was hard, but slowly it became easy. / Day after day, {H} got a little better.
In the end, {H} could {skill}, and everyone was amazed. / One day {he} could {skill}, and {F} was very proud.
?{H} never forgot how much {F} had helped {him}. / "Never give up," said {H} with a smile.
''',
    'lost way': '''
One {weather} day, {H} went for a long walk. / On a {weather} day, {H} followed a butterfly far from home.
Soon {he} did not know where {he} was. / It got late, and {H} could not find the way home.
"I am lost," said {H}, and {he} felt afraid. / {H} was scared and called for help.
{Friend} heard {him} and came closer. / Then {he} saw {friend} {spot}.
"Where do you live?" asked {F}. / "Do not be afraid," said {F}. "I know the way."
"I live {in_place}," said {H}. / {H} told {F} about {his} home.
They walked together under the stars. / {F} carried a little lamp, and they walked side by side.
Soon {H} saw {his} home and ran to {his} family. / When they came home, the family of {H} was very happy.
?They gave {F} {food} to say thank you. / {H} thanked {F} many times.
''',
    'gift': '''
Tomorrow was the birthday of {friend}. / {H} had a friend. It was {friend}.
?{H} wanted to give {F} something special. / {H} wanted to make {F} happy.
But {H} had no money to buy a present. / But {he} did not know what to give.
So {he} went out on a {weather} morning to look for something nice. / {H} thought about it all night.
{Spot}, {he} found a {thing}. / Then {he} found a {thing} {spot}.
{He} cleaned it and put it in a box. / {H} washed it until it looked like new.
"This is for you," said {H}. / The next day, {he} gave the {thing} to {F}.
"It is the best present of all," said {F}. / {F} was so happy that {fhe} danced.
''',
    'kindness': '''
One {weather} day, {H} saw {friend} {spot}. / On a {weather} morning, {H} met {friend}.
{F} was hurt and could not walk. / {F} was cold and wet.
{H} brought {him_f} home and gave {him_f} {food}. / {H} gave {him_f} a warm blanket and {food}.
"You are very kind," said {F}. / "I will never forget this," said {F}.
Some time later, {H} lost {his} {thing}. / Many days later, {H} was in trouble. {He} had lost {his} {thing}.
{F} heard about it and looked for it all night. / {F} ran as fast as {fhe} could to help.
In the morning, {F} came with the {thing}. / Soon {F} found the {thing} and brought it back.
"You helped me, so I helped you," said {F}. / {H} learned that kindness always comes back.
''',
    'race': '''
{H} was not very fast, but {he} never gave up. / {H} liked to walk slowly and look at the flowers.
{Friend} laughed. "I am much faster than you," said {F}. / One day, {friend} said, "Let us race to the river!"
"Let us see," said {H}. / {H} was not sure, but {he} said yes.
On a {weather} morning, the race began. / All the animals came to watch the race.
{F} ran very fast and was soon far ahead. / {F} was so fast that {fhe} sat down to rest.
{F} fell asleep {spot}. / {F} stopped to eat {food}.
But {H} walked on and on, step by step. / {H} did not stop, not even once.
In the end, {H} came first, and everyone cheered. / {H} won the race, and {F} was very surprised.
"Slow and steady is good too," said {H}. / {F} said sorry, and they became friends.
''',
}
ENDINGS = '''
?And they all lived happily. / That night, {H} slept very well. / It was the best day of the year. / And that was the end of a good day.
'''


def article(words):
    return ('an ' if words[0] in 'aeiou' else 'a ') + words


def capital(text):
    return text[0].upper() + text[1:]


def slots(rng, about=None):
    """One consistent cast. `about` may fix 'species', 'name', 'friend', 'thing' or 'place'."""
    about = about or {}
    name, friend_name = rng.sample(NAMES, 2)
    if 'name' in about:
        name = about['name']
        friend_name = rng.choice([n for n in NAMES if n != name])
    species = about.get('species') or (rng.choice(PEOPLE) if rng.random() < 0.25 else rng.choice(HEROES))
    friend_species = about.get('friend') or rng.choice([kind for kind in HEROES if kind != species])
    if species in PEOPLE and 'name' not in about:
        name = rng.choice([n for n in (BOYS if species == 'boy' else GIRLS) if n != friend_name])
    hero_male = name in BOYS
    friend_male = friend_name in BOYS
    place = about.get('place') or rng.choice(PLACES)
    he, him, his = ('he', 'him', 'his') if hero_male else ('she', 'her', 'her')
    friend = f'{article(rng.choice(FRIEND_LOOKS) + " " + friend_species)} named {friend_name}'
    spot = rng.choice(SPOTS)
    return {
        'hero': f'{article(rng.choice(LOOKS) + " " + species)} named {name}', 'H': name, 'species': species,
        'he': he, 'him': him, 'his': his, 'He': capital(he), 'His': capital(his),
        'friend': friend, 'Friend': capital(friend), 'F': friend_name, 'fspecies': friend_species,
        'fhe': 'he' if friend_male else 'she', 'him_f': 'him' if friend_male else 'her',
        'place': place, 'in_place': f'{PREPOSITIONS.get(place, "in")} {article(rng.choice(["green", "quiet", "big", "small", "pretty"]) + " " + place)}',
        'thing': about.get('thing') or rng.choice(THINGS), 'food': rng.choice(FOODS), 'weather': rng.choice(WEATHERS),
        'spot': spot, 'Spot': capital(spot), 'fear': rng.choice(FEARS), 'make': rng.choice(MAKES),
        'skill': rng.choice(SKILLS),
    }


def article_fixed(text):
    """'a old map' -> 'an old map', since templates have a literal 'a' before things."""
    words = text.split(' ')
    for i in range(len(words) - 1):
        if words[i] in ('a', 'A') and words[i + 1][0] in 'aeiou':
            words[i] += 'n'
    return ' '.join(words)


THING_PLOTS = [name for name, steps in PLOTS.items() if '{thing}' in steps.split('\n')[1] or name in ('gift', 'lost thing')]


def story(rng, about=None, brief=False):
    """Returns (text, key); the key identifies the combination, so that whole combinations can be held out."""
    about = about or {}
    cast = slots(rng, about)
    plot = rng.choice(THING_PLOTS if 'thing' in about else list(PLOTS))
    sentences = []
    for step in (OPENINGS.strip() + '\n' + PLOTS[plot].strip() + '\n' + ENDINGS.strip()).split('\n'):
        if step.startswith('?') and rng.random() < (0.8 if brief else 0.4):
            continue
        sentences.append(rng.choice(step.lstrip('?').split(' / ')).format(**cast))
    key = f'{plot}|{cast["species"]}|{cast["friend"].split(" ")[2]}|{cast["place"]}'
    return article_fixed(' '.join(sentences)), key
