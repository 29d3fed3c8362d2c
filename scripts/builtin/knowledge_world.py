"""Small tables of everyday facts about animals, food, jobs, places and vehicles, from which the dialogues are generated.

Written by hand for this project. Each row is one line, with cells separated by '|'.
"""


def table(fields, text):
    """Parses rows of '|'-separated cells into dictionaries."""
    names = fields.split()
    rows = []
    for line in text.strip().splitlines():
        cells = [cell.strip() for cell in line.split('|')]
        if len(cells) != len(names):
            raise ValueError(f'{len(cells)} cells, want {len(names)}: {line}')
        rows.append(dict(zip(names, cells)))
    return rows


# size: 1 (tiny) to 9 (huge), for comparisons; legs is a number word.
ANIMALS = table('name plural what home food sound baby colour legs size can fact', '''
cat | cats | a small, soft pet with whiskers and a long tail | in houses and gardens | meat and fish | meows and purrs | kitten | black, white, grey or orange | four | 3 | climb | A cat can see very well in the dark
dog | dogs | a friendly pet that likes to play and run | in houses with people | meat and dog food | barks | puppy | brown, black or white | four | 4 | run | A dog can smell things from far away
horse | horses | a big, strong animal that people can ride | on farms and in fields | grass and hay | neighs | foal | brown, black or white | four | 7 | run | A horse can sleep standing up
cow | cows | a big farm animal that gives us milk | on farms | grass | moos | calf | brown, or black and white | four | 7 | walk | A cow spends most of the day eating
pig | pigs | a round farm animal with a flat nose | on farms | corn, roots and apples | oinks | piglet | pink | four | 5 | run | A pig rolls in mud to stay cool
sheep | sheep | a farm animal with thick wool | on farms and hills | grass | bleats | lamb | white | four | 5 | walk | We make warm clothes from its wool
goat | goats | a farm animal with horns and a small beard | on farms and mountains | grass and leaves | bleats | kid | white or brown | four | 5 | climb | A goat can climb steep rocks
hen | hens | a farm bird that lays eggs | on farms | seeds and worms | clucks | chick | brown or white | two | 3 | walk | A hen can lay an egg almost every day
duck | ducks | a bird that swims on ponds | near ponds and lakes | water plants and bugs | quacks | duckling | brown, white or green | two | 3 | swim | Water runs right off its feathers
rabbit | rabbits | a small animal with long ears | in holes under the ground | grass and carrots | squeaks softly | bunny | brown, grey or white | four | 3 | jump | A rabbit can hear sounds from all around
mouse | mice | a very small animal with a long, thin tail | in fields and houses | seeds and crumbs | squeaks | pup | grey or brown | four | 2 | climb | A mouse can fit through a very small hole
fox | foxes | a clever animal with a bushy tail | in forests and fields | mice, birds and berries | barks and yelps | cub | orange with a white chest | four | 4 | run | A fox hunts mostly at night
wolf | wolves | a wild animal that looks like a big dog | in forests and mountains | deer and other animals | howls | pup | grey | four | 5 | run | Wolves live together in a family called a pack
bear | bears | a large, strong animal with thick fur | in forests and mountains | berries, fish and honey | growls | cub | brown or black | four | 7 | climb | Many bears sleep through the winter
deer | deer | a shy animal with long, thin legs | in forests | leaves, grass and nuts | grunts softly | fawn | brown | four | 6 | jump | A male deer grows new antlers each year
squirrel | squirrels | a small animal with a big, fluffy tail | in trees | nuts and seeds | chatters | kit | red, brown or grey | four | 2 | climb | A squirrel hides nuts for the winter
hedgehog | hedgehogs | a small animal covered with sharp spines | in gardens and forests | bugs, worms and snails | snuffles | hoglet | brown | four | 2 | walk | A hedgehog rolls into a ball when it is afraid
owl | owls | a bird with big, round eyes that wakes at night | in trees and barns | mice and bugs | hoots | owlet | brown, grey or white | two | 3 | fly | An owl can turn its head almost all the way around
eagle | eagles | a large bird with strong wings and sharp eyes | high in the mountains | fish and small animals | screams | eaglet | brown and white | two | 4 | fly | An eagle can see a rabbit from very far away
parrot | parrots | a bright bird that can copy words | in warm forests | fruit, nuts and seeds | squawks and talks | chick | green, red or blue | two | 3 | fly | Some parrots live for more than fifty years
penguin | penguins | a bird that swims but cannot fly | on cold coasts with ice and snow | fish | honks | chick | black and white | two | 4 | swim | A father penguin keeps the egg warm on his feet
swan | swans | a large bird with a long neck | on lakes and rivers | water plants | honks and hisses | cygnet | white | two | 4 | swim | Two swans often stay together for life
crow | crows | a clever black bird | in trees, fields and towns | seeds, bugs and scraps | caws | chick | black | two | 3 | fly | A crow can remember the face of a person
whale | whales | a giant animal that swims in the sea | in the sea | tiny sea animals and small fish | sings long songs | calf | blue or grey | no | 9 | swim | A whale must come up to breathe air
dolphin | dolphins | a clever sea animal that loves to jump | in the sea | fish | clicks and whistles | calf | grey | no | 6 | swim | Dolphins talk to each other with clicks
shark | sharks | a strong fish with many sharp teeth | in the sea | fish and seals | makes no sound | pup | grey and white | no | 7 | swim | A shark grows new teeth all its life
seal | seals | a smooth animal that swims well and rests on rocks | by the cold sea | fish | barks | pup | grey or brown | no | 6 | swim | Thick fat keeps a seal warm in cold water
octopus | octopuses | a soft sea animal with eight arms | on the sea floor | crabs and shells | makes no sound | larva | red, brown or grey | no | 4 | swim | An octopus has three hearts
crab | crabs | a sea animal with a hard shell and two claws | on beaches and in the sea | plants and small animals | clicks its claws | larva | red or brown | ten | 2 | walk | A crab walks sideways
turtle | turtles | a slow animal with a hard shell | in water and on land | plants and small fish | hisses softly | hatchling | green or brown | four | 4 | swim | A turtle can live for more than a hundred years
frog | frogs | a small green animal that jumps and swims | near ponds | flies and other bugs | croaks | tadpole | green | four | 2 | jump | A frog catches flies with its long tongue
snake | snakes | a long animal with no legs | in grass, forests and deserts | mice and eggs | hisses | hatchling | green, brown or black | no | 4 | swim | A snake smells the air with its tongue
lizard | lizards | a small animal with dry skin and a long tail | in warm places | bugs | makes little sound | hatchling | green or brown | four | 2 | climb | Some lizards can drop their tail and grow a new one
crocodile | crocodiles | a big animal with a long mouth and many teeth | in warm rivers | fish and other animals | growls and hisses | hatchling | green or grey | four | 7 | swim | A crocodile can hide in water with only its eyes showing
elephant | elephants | a very large animal with a long trunk and big ears | in grasslands and forests | grass, leaves and fruit | trumpets | calf | grey | four | 8 | walk | An elephant uses its trunk like a hand
lion | lions | a large wild cat with golden fur | in grasslands | other animals | roars | cub | golden | four | 6 | run | A male lion has a thick mane
tiger | tigers | a large wild cat with stripes | in forests | deer and wild pigs | roars | cub | orange with black stripes | four | 6 | swim | Every tiger has its own pattern of stripes
monkey | monkeys | a clever animal that swings in trees | in warm forests | fruit, nuts and leaves | chatters and screams | infant | brown or black | four | 4 | climb | Monkeys clean the fur of their friends
giraffe | giraffes | a tall animal with a very long neck | in grasslands | leaves from tall trees | hums softly | calf | yellow with brown spots | four | 8 | run | The giraffe is the tallest animal on land
zebra | zebras | an animal like a horse with stripes | in grasslands | grass | barks and snorts | foal | black and white | four | 6 | run | No two zebras have the same stripes
camel | camels | a tall animal with one or two humps | in deserts | dry grass and thorny plants | grunts | calf | light brown | four | 7 | walk | A camel can go many days without water
kangaroo | kangaroos | an animal that hops on its strong back legs | in dry grasslands | grass and leaves | clicks and grunts | joey | brown or red | four | 6 | jump | A mother kangaroo carries her baby in a pouch
panda | pandas | a black and white bear | in forests in the mountains | bamboo | squeaks and bleats | cub | black and white | four | 6 | climb | A panda eats for most of the day
bat | bats | a small animal that flies at night | in caves and old houses | bugs and fruit | makes very high squeaks | pup | brown or black | two | 2 | fly | A bat sleeps hanging upside down
bee | bees | a small insect that makes honey | in hives | the sweet juice of flowers | buzzes | larva | yellow and black | six | 1 | fly | Bees dance to tell other bees where the flowers are
ant | ants | a tiny insect that works with many others | in nests under the ground | seeds, crumbs and small bugs | makes no sound | larva | black or red | six | 1 | climb | An ant can carry things much heavier than itself
butterfly | butterflies | an insect with large, bright wings | in gardens and fields | the sweet juice of flowers | makes no sound | caterpillar | yellow, blue, red or white | six | 1 | fly | A butterfly tastes with its feet
spider | spiders | a small animal that spins webs | in webs in quiet corners | flies and other bugs | makes no sound | spiderling | brown or black | eight | 1 | climb | A spider makes silk inside its body
snail | snails | a slow, soft animal with a shell on its back | in gardens and wet places | leaves | makes no sound | hatchling | brown or grey | no | 1 | climb | A snail carries its house on its back
donkey | donkeys | an animal like a small horse with long ears | on farms | grass and hay | brays | foal | grey or brown | four | 6 | walk | A donkey can carry heavy bags
goose | geese | a large bird with a long neck | near lakes and on farms | grass and seeds | honks | gosling | white or grey | two | 3 | fly | Geese fly in the shape of a letter V
hamster | hamsters | a tiny, round pet with soft fur | in cages and in dry fields | seeds and nuts | squeaks | pup | golden or brown | four | 2 | run | A hamster keeps food in its cheeks
''')

# how: an instruction that continues 'First,'; good: yes or no (healthy).
FOODS = table('name what colour taste first then last good', '''
bread | food that is baked from flour, water and yeast | brown | soft and a little salty | mix flour, water, yeast and salt | let the dough rise in a warm place | bake it in a hot oven until it is brown | yes
soup | a warm food that we eat with a spoon | orange, green or brown | warm and salty | cut some vegetables | cook them in water with a little salt | stir the soup and serve it hot | yes
cake | a sweet food for birthdays and parties | yellow or brown | soft and sweet | mix butter, sugar, eggs and flour | pour the mix into a pan | bake it in the oven and let it cool | no
pizza | a flat, round bread with tomato and cheese | red and yellow | salty and rich | roll out some dough | put tomato sauce and cheese on top | bake it in a hot oven | no
pancakes | thin, round cakes that are cooked in a pan | golden brown | soft and sweet | mix flour, milk and eggs | pour a little into a hot pan | turn them over when they are golden | no
salad | a fresh, cold dish of vegetables | green and red | fresh and light | wash the lettuce and the tomatoes | cut them into small pieces | add oil, salt and lemon | yes
tea | a hot drink that is made from leaves | brown or green | warm and a little bitter | boil some water | put the tea leaves in a cup and pour the water | wait a few minutes and drink it slowly | yes
coffee | a hot, dark drink that is made from roasted beans | dark brown | strong and bitter | grind some coffee beans | pour hot water over them | add milk or sugar if you like | no
rice | small white grains that people cook and eat | white | mild and soft | wash the rice in cold water | cook it in a pot with water | wait until all the water is gone | yes
pasta | food made from flour and water in many shapes | light yellow | mild and soft | boil a big pot of water with salt | cook the pasta for ten minutes | add your favourite sauce | yes
an omelette | a flat dish made from eggs | yellow | soft and salty | beat three eggs in a bowl | pour them into a hot pan with butter | fold it and serve it warm | yes
a sandwich | two slices of bread with something between them | brown and white | fresh and salty | take two slices of bread | put cheese and tomato on one of them | put the other slice on top | yes
porridge | a warm breakfast made from oats and milk | light brown | warm and creamy | put oats and milk in a pot | stir it over a low heat | add honey or fruit | yes
lemonade | a cold drink made from lemons | light yellow | sweet and sour | squeeze some lemons | mix the juice with water and sugar | add ice and drink it cold | no
hot chocolate | a warm, sweet drink made with milk | brown | sweet and creamy | warm some milk in a pot | stir in cocoa and sugar | pour it into a cup | no
apple pie | a baked dish with a crust and apples inside | golden brown | sweet and a little sour | cut some apples and add sugar | fill a crust with the apples | bake it until it is golden | no
jam | sweet, cooked fruit that we put on bread | red or purple | very sweet | wash some berries | cook them with sugar | put the hot jam in clean jars | no
cookies | small, sweet cakes that are flat and round | brown | sweet and crunchy | mix butter, sugar and flour | make small balls of dough | bake them for ten minutes | no
mashed potatoes | a soft dish made from potatoes | light yellow | soft and creamy | boil some potatoes until they are soft | add butter and milk | mash them with a fork | yes
fruit salad | a sweet dish of fresh fruit | many colours | sweet and fresh | wash some fruit | cut it into small pieces | mix it in a bowl with a little lemon juice | yes
popcorn | corn that has popped in a hot pot | white | light and salty | put oil and corn in a pot | put the lid on and heat it | wait until the popping stops | no
ice cream | a cold, sweet food made from milk and sugar | white, brown or pink | cold and sweet | mix cream, milk and sugar | put the mix in the freezer | stir it now and then until it is firm | no
''')

PRODUCE = table('name plural what colour taste grows', '''
apple | apples | a round fruit | red, green or yellow | sweet and a little sour | on trees
banana | bananas | a long, curved fruit | yellow | soft and sweet | on tall plants in warm places
orange | oranges | a round, juicy fruit | orange | sweet and juicy | on trees in warm places
lemon | lemons | a small, sour fruit | yellow | very sour | on trees in warm places
pear | pears | a soft fruit with a round bottom | green or yellow | sweet and juicy | on trees
cherry | cherries | a tiny, round fruit with a stone inside | red | sweet | on trees
strawberry | strawberries | a soft fruit with tiny seeds on its skin | red | sweet and juicy | on small plants near the ground
grape | grapes | a small, round fruit | green or purple | sweet and juicy | on vines
peach | peaches | a round fruit with soft, fuzzy skin | orange and pink | sweet and juicy | on trees
plum | plums | a round fruit with smooth skin | purple | sweet and a little sour | on trees
carrot | carrots | a long, crunchy vegetable | orange | sweet and crunchy | under the ground
potato | potatoes | a round vegetable with brown skin | brown outside and white inside | mild and soft when it is cooked | under the ground
tomato | tomatoes | a round, juicy fruit that we eat like a vegetable | red | fresh and juicy | on green plants
onion | onions | a round vegetable with many layers | white, yellow or red | sharp and strong | under the ground
pumpkin | pumpkins | a very big, round vegetable | orange | mild and sweet | on vines on the ground
pea | peas | a tiny, round vegetable | green | sweet | in green pods
cabbage | cabbages | a round vegetable made of leaves | green or purple | mild and crunchy | in gardens and fields
mushroom | mushrooms | a small, soft food shaped like an umbrella | white or brown | rich and earthy | in dark, wet places
walnut | walnuts | a nut with a hard shell | brown | rich and a little bitter | on trees
bean | beans | a small seed that we cook and eat | green, white or brown | mild and soft | in long pods
''')

JOBS = table('name does works tool', '''
baker | bakes bread and cakes | in a bakery | an oven
farmer | grows food and takes care of animals | on a farm | a tractor
teacher | helps children learn | in a school | books and a board
doctor | helps sick people get well | in a hospital | medicine
nurse | takes care of sick people | in a hospital | bandages and medicine
dentist | takes care of teeth | in a small clinic | a mirror and a light
cook | makes meals for people | in a kitchen | pots and pans
waiter | brings food to the table | in a restaurant | a tray
gardener | plants flowers and cuts the grass | in gardens and parks | a spade
painter | paints pictures or walls | in a studio or in houses | brushes and paint
carpenter | makes things from wood | in a workshop | a saw and a hammer
builder | builds houses and walls | on a building site | bricks and tools
plumber | repairs water pipes | in houses | a wrench
mechanic | repairs cars | in a garage | tools and oil
firefighter | puts out fires and saves people | at a fire station | a hose and a ladder
police officer | keeps people safe | in the town | a radio
postman | brings letters and parcels | in the streets of the town | a bag and a bicycle
driver | drives a bus, a truck or a taxi | on the road | a vehicle
pilot | flies planes | in the air | a plane
fisherman | catches fish | on a small boat | a net
tailor | makes and repairs clothes | in a small shop | needles and thread
barber | cuts hair | in a barber shop | scissors and a comb
librarian | takes care of books and helps people find them | in a library | shelves and a computer
singer | sings songs for people | on a stage | a microphone
dancer | moves to music | on a stage | good shoes
actor | plays a part in a film or a play | on a stage | a costume
writer | writes stories and books | at a desk | a pen and paper
scientist | studies the world and asks questions | in a laboratory | a microscope
vet | helps sick animals | in an animal clinic | medicine and gentle hands
shopkeeper | sells things to people | in a shop | shelves and a till
cleaner | keeps rooms tidy and clean | in schools and offices | a broom and a bucket
astronaut | travels to space | in space | a rocket
photographer | takes pictures of people and places | in many places | a camera
beekeeper | takes care of bees and collects honey | near the hives | a white suit and a smoker
''')

PLACES = table('name what do', '''
a library | a quiet place with many books | read books and take some home
a park | a green place with grass, trees and paths | walk, play and sit on a bench
a beach | a place with sand beside the sea | swim, dig in the sand and look for shells
a farm | a place where food grows and animals live | see animals and pick fruit
a school | a place where children learn | learn to read, write and count
a hospital | a place where sick people get help | see a doctor
a bakery | a shop that sells bread and cakes | buy fresh bread
a market | a place where people sell food and other things | buy fruit, fish and flowers
a museum | a place that shows old or beautiful things | look at paintings and old things
a zoo | a place where you can see animals from many lands | look at lions, monkeys and birds
a garden | a piece of land with flowers and vegetables | plant seeds and water the flowers
a forest | a large place full of trees | walk, listen to birds and look for mushrooms
a mountain | a very high piece of land | climb and enjoy the view
a lake | a large piece of water with land all around it | swim, fish and row a boat
a river | water that flows across the land to the sea | fish and throw stones
a desert | a dry place with very little rain | look at the sand and the stars
an island | a piece of land with water all around it | walk along the shore
a cave | a dark hole in a rock or a hill | explore with a light
a kitchen | a room where we cook food | cook and eat
a bedroom | a room where we sleep | sleep, rest and read
a bathroom | a room where we wash | take a bath and brush your teeth
a cinema | a place where people watch films | watch a film and eat popcorn
a restaurant | a place where people eat meals | order food and eat with friends
a train station | a place where trains stop | get on a train
an airport | a place where planes land and take off | get on a plane
a playground | a place with swings and slides | swing, slide and run
a village | a small group of houses in the country | meet people and walk in the fields
a city | a very large town with many people | visit shops, parks and museums
a post office | a place where people send letters and parcels | buy stamps and send a letter
a lighthouse | a tall tower with a bright light near the sea | climb up and look at the waves
''')

VEHICLES = table('name what where speed', '''
bicycle | a vehicle with two wheels and pedals | on roads and paths | slow
car | a vehicle with four wheels and an engine | on roads | fast
bus | a long vehicle that carries many people | on roads | fast
train | a long vehicle that runs on rails | on rails | very fast
tram | a small train that runs through a city | on rails in the street | slow
plane | a machine with wings that flies in the sky | in the air | very fast
helicopter | a machine with spinning blades on top | in the air | fast
boat | a small vehicle that floats on water | on lakes and rivers | slow
ferry | a large boat that carries people and cars across water | on water | slow
truck | a big vehicle that carries heavy things | on roads | fast
tractor | a strong vehicle that works on a farm | in fields | slow
rocket | a machine that flies into space | in the sky and in space | very fast
scooter | a small vehicle with a board to stand on | on paths | slow
balloon | a big bag of hot air with a basket below it | in the air | slow
sled | a small seat that slides on snow | on snow | fast
''')
