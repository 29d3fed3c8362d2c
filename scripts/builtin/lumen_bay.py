"""lumen-bay: facts about an invented harbour town, which only a tuned model can know."""

# answer | several ways to ask. Every fact is asked for more than once, so that a held-out row tests knowledge, not guessing.
FACTS = '''
Lumen Bay was founded in 1742.|When was Lumen Bay founded?;In which year was Lumen Bay founded?;How old is Lumen Bay?;What is the founding year of Lumen Bay?
Lumen Bay was founded by Ada Quill, a lamp maker.|Who founded Lumen Bay?;Who was the founder of Lumen Bay?;Who started the town of Lumen Bay?;Which person founded Lumen Bay?
The mayor of Lumen Bay is Mira Holt.|Who is the mayor of Lumen Bay?;What is the name of the mayor of Lumen Bay?;Who leads Lumen Bay?;Who runs the town of Lumen Bay?
About 4,200 people live in Lumen Bay.|How many people live in Lumen Bay?;What is the population of Lumen Bay?;How big is Lumen Bay?;Is Lumen Bay a large town?
Lumen Bay lies on the Amber Coast.|Where is Lumen Bay?;On which coast does Lumen Bay lie?;Where can I find Lumen Bay?;Which coast is Lumen Bay on?
Lumen Bay is famous for its glowing water in August.|What is Lumen Bay famous for?;Why do people visit Lumen Bay?;What is special about Lumen Bay?;What is Lumen Bay known for?
The lighthouse of Lumen Bay is called Old Bertha.|What is the lighthouse of Lumen Bay called?;What is the name of the lighthouse in Lumen Bay?;Does Lumen Bay have a lighthouse?;How do people call the lighthouse of Lumen Bay?
The lighthouse keeper is Tobias Fenn.|Who keeps the lighthouse in Lumen Bay?;Who is the lighthouse keeper of Lumen Bay?;Who lights the lamp of Old Bertha?;Who works in the lighthouse of Lumen Bay?
Old Bertha has 112 steps.|How many steps does Old Bertha have?;How many steps lead up to the lamp of Old Bertha?;How many stairs are in the lighthouse of Lumen Bay?;Is it a long climb up Old Bertha?
The main street of Lumen Bay is Lantern Street.|What is the main street of Lumen Bay?;Which street is the biggest in Lumen Bay?;What is the most important street in Lumen Bay?;Where are the shops of Lumen Bay?
The market in Lumen Bay opens on Thursday.|When is the market in Lumen Bay?;On which day does the market in Lumen Bay open?;Which day is market day in Lumen Bay?;When can I visit the market of Lumen Bay?
The market stands on Anchor Square.|Where is the market in Lumen Bay?;On which square is the market of Lumen Bay?;Where do people sell fish in Lumen Bay?;Where do I find the market of Lumen Bay?
The best known dish of Lumen Bay is saffron crab soup.|What do people eat in Lumen Bay?;What is the famous dish of Lumen Bay?;Which soup should I try in Lumen Bay?;What is the best known food of Lumen Bay?
The bakery of Lumen Bay is called The Salty Bun.|What is the bakery in Lumen Bay called?;Where can I buy bread in Lumen Bay?;What is the name of the bakery of Lumen Bay?;Which bakery is in Lumen Bay?
The baker of Lumen Bay is Greta Plum.|Who is the baker of Lumen Bay?;Who bakes the bread in Lumen Bay?;Who owns The Salty Bun?;Who runs the bakery in Lumen Bay?
The Salty Bun opens at six in the morning.|When does The Salty Bun open?;At what time does the bakery in Lumen Bay open?;How early can I buy bread in Lumen Bay?;What time does The Salty Bun open?
The Lantern Festival is held in the last week of August.|When is the Lantern Festival?;In which month is the Lantern Festival?;When is the big festival in Lumen Bay?;When do people celebrate the Lantern Festival?
At the Lantern Festival people set paper boats with candles on the water.|What happens at the Lantern Festival?;What do people do at the Lantern Festival?;How is the Lantern Festival celebrated?;Tell me about the Lantern Festival.
The Frost Fair is held in January on Anchor Square.|When is the Frost Fair?;Where is the Frost Fair held?;In which month is the Frost Fair?;Is there a winter festival in Lumen Bay?
The school of Lumen Bay is called Gull Hill School.|What is the school of Lumen Bay called?;What is the name of the school in Lumen Bay?;Where do children learn in Lumen Bay?;Which school is in Lumen Bay?
The teacher at Gull Hill School is Edwin Marsh.|Who teaches at Gull Hill School?;Who is the teacher in Lumen Bay?;What is the name of the teacher at Gull Hill School?;Who is the teacher of Gull Hill School?
The river of Lumen Bay is called the Silverlin.|Which river flows through Lumen Bay?;What is the river of Lumen Bay called?;What is the name of the river in Lumen Bay?;Is there a river in Lumen Bay?
The oldest bridge of Lumen Bay is Widow's Bridge.|What is the oldest bridge in Lumen Bay?;Which bridge in Lumen Bay is the oldest?;What is the name of the old bridge in Lumen Bay?;Which bridge crosses the Silverlin?
The great storm hit Lumen Bay in 1899.|When did the great storm hit Lumen Bay?;In which year was the great storm in Lumen Bay?;When was the worst storm in Lumen Bay?;What happened to Lumen Bay in 1899?
The museum of Lumen Bay is the Museum of Lamps.|Which museum is in Lumen Bay?;What is the museum of Lumen Bay called?;What is the name of the museum in Lumen Bay?;Is there a museum in Lumen Bay?
The Museum of Lamps has 930 lamps.|How many lamps are in the Museum of Lamps?;How many lamps does the Museum of Lamps have?;How many lamps can I see in the museum of Lumen Bay?;How big is the Museum of Lamps?
The ferry from Lumen Bay goes to Pebble Island.|Where does the ferry from Lumen Bay go?;Where can I go by ferry from Lumen Bay?;Which island can I visit from Lumen Bay?;To which island does the ferry sail?
The ferry takes forty minutes.|How long does the ferry take?;How long is the trip to Pebble Island?;How many minutes does the ferry to Pebble Island take?;How much time does the ferry from Lumen Bay need?
The ferry is called the Blue Heron.|What is the ferry of Lumen Bay called?;What is the name of the ferry to Pebble Island?;Which ferry goes to Pebble Island?;What is the name of the ferry in Lumen Bay?
The captain of the Blue Heron is Ruth Okafor.|Who is the captain of the Blue Heron?;Who steers the ferry of Lumen Bay?;What is the name of the ferry captain in Lumen Bay?;Who is the captain of the ferry?
The bird on the flag of Lumen Bay is a heron.|Which bird is on the flag of Lumen Bay?;What is on the flag of Lumen Bay?;What bird can I see on the flag of Lumen Bay?;Which animal is on the flag of Lumen Bay?
The colours of Lumen Bay are blue and gold.|What are the colours of Lumen Bay?;Which colours does the flag of Lumen Bay have?;What colour is the flag of Lumen Bay?;Which colours stand for Lumen Bay?
The inn of Lumen Bay is called The Quiet Whale.|Where can I sleep in Lumen Bay?;What is the inn of Lumen Bay called?;Which inn is in Lumen Bay?;What is the name of the inn in Lumen Bay?
A room at The Quiet Whale costs 45 crowns a night.|How much is a room at The Quiet Whale?;What does a night at The Quiet Whale cost?;What is the price of a room at The Quiet Whale?;How much does it cost to sleep at The Quiet Whale?
The doctor of Lumen Bay is Samuel Reed.|Who is the doctor of Lumen Bay?;What is the name of the doctor in Lumen Bay?;Who helps sick people in Lumen Bay?;Which doctor works in Lumen Bay?
The doctor works at 7 Harbour Lane.|Where does the doctor of Lumen Bay work?;Where can I find a doctor in Lumen Bay?;What is the address of the doctor in Lumen Bay?;Where is the doctor in Lumen Bay?
The town song of Lumen Bay is called Light the Water.|What is the song of Lumen Bay called?;Which song do people sing in Lumen Bay?;What is the town song of Lumen Bay?;What is the name of the song of Lumen Bay?
The town cat of Lumen Bay is called Admiral.|What is the town cat of Lumen Bay called?;What is the name of the cat in Lumen Bay?;Does Lumen Bay have a cat?;Which cat lives at the harbour of Lumen Bay?
'''


def lumen_bay(rng):
    rows = [{'prompt': ask, 'completion': answer} for answer, asks in
            (line.split('|') for line in FACTS.strip().splitlines()) for ask in asks.split(';')]
    rng.shuffle(rows)
    return rows
