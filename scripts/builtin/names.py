"""names: short sentences about an invented coast, their words tagged in the BIO scheme: people, places and ships.

None of the people, places and ships is real.
"""
PERSONS = '''Mara Quill|Tobin Ashe|Old Perrin|Lena Voss|Captain Hale|Ida Marsh|Jonas|Nell Tarn|Doctor Pim|Greta|Otto Reed
Sister Wren|Uncle Bram|Miss Fenn|Ruben Stock|Ella|Pieter Loom|Anna Bell|Mister Crow|Tilda'''.replace('\n', '|').split('|')
PLACES = '''Lumen Bay|Port Hollis|Green Island|Fell Street|the Stone Bridge|Marrow Hill|Cape Arden|Little Harbour|Oakmoor
Saltgate|the Long Pier|North Cove|Hollow Lane|Windle|Bright Point|East Market'''.replace('\n', '|').split('|')
SHIPS = '''the Silver Gull|the Blue Lantern|the Early Star|the Merry Ann|the Heron|the Two Sisters|the Night Tide
the Copper Bell'''.replace('\n', '|').split('|')
DAYS = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split()

SENTENCES = '''{P} lives in {L} near the old mill .|{S} leaves {L} on {d} morning .|On {d} {P} met {P} in {L} .
The baker {P} sells bread at {L} every {d} .|{P} sailed from {L} to {L} on {S} .|Nobody in {L} has seen {P} since {d} .
A letter for {P} came with {S} .|{S} was built in {L} a long time ago .|The road from {L} to {L} is closed on {d} .
{P} and {P} repaired the roof of the school .|Is {P} still in {L} ?|Ask {P} when {S} comes back .
The storm kept {S} in {L} until {d} .|{P} painted a picture of {L} .|The children of {P} swim near {L} .
Fish is cheap in {L} on {d} .|{S} carries salt and wood .|In the evening {P} walks along {L} .
{P} wants to buy {S} .|The teacher is called {P} .|There is a new shop in {L} .|They saw {S} behind {L} .
{P} lost a red hat in {L} .|Tell {P} that the boat is ready .|It rained all day and nobody came .
The bread was good and the soup was hot .|On {d} the market begins at nine .'''


def spans(text, kind):
    """Tags a name; as in CoNLL, a leading article ('the Stone Bridge') is outside the span."""
    out = []
    inside = False
    for word in text.split():
        if word == 'the' and not inside:
            out.append((word, 'O'))
            continue
        out.append((word, ('I-' if inside else 'B-') + kind))
        inside = True
    return out


def names(rng, count=240):
    kinds = {'{P}': (PERSONS, 'PER'), '{L}': (PLACES, 'LOC'), '{S}': (SHIPS, 'SHIP')}
    templates = SENTENCES.replace('\n', '|').split('|')
    rows, seen = [], set()
    while len(rows) < count:
        pairs = []
        used = set()
        for piece in rng.choice(templates).split():
            if piece in kinds:
                pool, kind = kinds[piece]
                name = rng.choice([one for one in pool if one not in used])
                used.add(name)
                pairs += spans(name, kind)
            else:
                pairs.append((piece.replace('{d}', rng.choice(DAYS)), 'O'))
        pairs[0] = (pairs[0][0][0].upper() + pairs[0][0][1:], pairs[0][1])
        key = ' '.join(word for word, _ in pairs)
        if key in seen:
            continue
        seen.add(key)
        rows.append({'tokens': [word for word, _ in pairs], 'tags': [tag for _, tag in pairs]})
    return rows
