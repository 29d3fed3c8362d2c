"""Small tables about objects, nature, feelings, advice and everyday tasks; written by hand for this project."""
from knowledge_world import table

# use: continues 'We use it'.
OBJECTS = table('name use where', '''
a hammer | to hit nails | in a toolbox
a saw | to cut wood | in a workshop
a ladder | to climb to high places | in a shed
a spade | to dig in the ground | in a garden
a bucket | to carry water | in a shed
a broom | to sweep the floor | in a kitchen
a rope | to tie and pull things | in a shed
a nail | to hold wood together | in a toolbox
a knife | to cut food | in a kitchen
a fork | to pick up food | on a table
a spoon | to eat soup and stir tea | on a table
a plate | to hold food | in a kitchen
a cup | to drink tea or milk | in a kitchen
a bowl | to hold soup or fruit | in a kitchen
a pot | to cook soup and rice | in a kitchen
a pan | to fry eggs | in a kitchen
an oven | to bake bread and cakes | in a kitchen
a fridge | to keep food cold | in a kitchen
a kettle | to boil water | in a kitchen
a towel | to dry our skin | in a bathroom
soap | to wash our hands | in a bathroom
a toothbrush | to clean our teeth | in a bathroom
a comb | to make hair tidy | in a bathroom
a mirror | to see our own face | on a wall
a bed | to sleep | in a bedroom
a pillow | to rest our head | on a bed
a blanket | to stay warm | on a bed
a lamp | to make light | on a desk
a candle | to make a small, warm light | on a table
a clock | to tell the time | on a wall
a chair | to sit | at a table
a table | to eat, write and work | in a kitchen
a door | to go in and out of a room | in a wall
a window | to let light and air into a room | in a wall
a key | to open a lock | in a pocket
a pen | to write | on a desk
a pencil | to write and draw | on a desk
a book | to read and learn | in a library
a map | to find the way | in a bag
a compass | to find north | in a bag
a phone | to talk with people who are far away | in a pocket
a camera | to take pictures | in a bag
a computer | to write, learn and play | on a desk
a radio | to listen to music and news | in a kitchen
an umbrella | to stay dry in the rain | near the door
a coat | to stay warm in winter | near the door
a hat | to cover our head | near the door
a scarf | to keep our neck warm | near the door
gloves | to keep our hands warm | in a pocket
boots | to keep our feet dry | near the door
glasses | to see better | on a nose
a bag | to carry things | near the door
a basket | to carry fruit or bread | in a kitchen
scissors | to cut paper | on a desk
a needle | to sew clothes | in a small box
a brush | to paint pictures | in a studio
a ball | to play games | in a garden
a kite | to play in the wind | in a field
a drum | to make loud music | in a music room
a piano | to play music | in a music room
a guitar | to play music with strings | in a music room
a net | to catch fish | on a boat
a torch | to see in the dark | in a drawer
a tent | to sleep outside | in a forest
a bridge | to cross a river | over a river
a wheel | to make things roll | under a cart
money | to buy things | in a pocket
a stamp | to send a letter | on a letter
a calendar | to see what day it is | on a wall
''')

# name: 'the X' or a bare word; what, more: one sentence each.
NATURE = table('name what more', '''
rain | Rain is water that falls from the clouds | It helps plants grow
snow | Snow is frozen water that falls in soft, white flakes | Children like to play in it
wind | Wind is air that moves | It can turn a windmill and lift a kite
fog | Fog is a cloud that lies close to the ground | It makes it hard to see far
ice | Ice is frozen water | It is cold, hard and slippery
a cloud | A cloud is made of many tiny drops of water | It floats in the sky
a storm | A storm is bad weather with strong wind and rain | It is best to stay inside
thunder | Thunder is the loud sound that comes after lightning | It cannot hurt you
lightning | Lightning is a bright flash in the sky | It happens in a storm
a rainbow | A rainbow is a bow of many colours in the sky | You can see it when the sun shines through rain
the sun | The sun is a very hot star | It gives us light and warmth
the moon | The moon is a big ball of rock that goes around the earth | It shines at night
a star | A star is a huge ball of hot gas | It looks small because it is very far away
the earth | The earth is the planet where we live | It goes around the sun once a year
a planet | A planet is a big ball that goes around a star | Our planet is the earth
the sky | The sky is the air and space above us | It is blue on a clear day
the sea | The sea is a very large body of salty water | Many fish live in it
a wave | A wave is water that rises and falls | The wind makes waves on the sea
a hill | A hill is a piece of land that is higher than the land around it | It is smaller than a mountain
a volcano | A volcano is a mountain with hot, melted rock inside | Sometimes it erupts
sand | Sand is made of tiny pieces of rock | You can find it on a beach
a tree | A tree is a tall plant with a trunk, branches and leaves | It gives us shade and clean air
a flower | A flower is the bright part of a plant | Bees visit it to drink its sweet juice
grass | Grass is a green plant with thin leaves | Cows and sheep eat it
a leaf | A leaf is a flat, green part of a plant | It catches the light of the sun
a seed | A seed is a tiny thing that can grow into a plant | It needs water, soil and light
a root | A root is the part of a plant under the ground | It drinks water from the soil
fire | Fire is hot and bright | It can warm us, but it can also burn us
water | Water is a clear liquid that all living things need | We drink it every day
air | Air is all around us | We breathe it, but we cannot see it
wood | Wood comes from trees | We use it to make tables, chairs and houses
glass | Glass is hard and clear | We use it to make windows and bottles
paper | Paper is made from wood | We write and draw on it
gold | Gold is a yellow metal | People make rings and coins from it
honey | Honey is a sweet, golden food | Bees make it from the juice of flowers
milk | Milk is a white drink that comes from cows and goats | It helps bones grow strong
cheese | Cheese is a food that is made from milk | It can be soft or hard
an egg | An egg is a round thing that a bird lays | A chick can grow inside it
salt | Salt is a white powder that makes food tasty | It comes from the sea or from the ground
sugar | Sugar is a sweet white powder | It comes from a tall plant
spring | Spring is the season after winter | Flowers bloom and birds sing
summer | Summer is the warmest season | The days are long and sunny
autumn | Autumn is the season after summer | Leaves turn red and yellow and fall
winter | Winter is the coldest season | The days are short and it can snow
night | Night is the dark part of the day | Most people sleep at night
morning | Morning is the first part of the day | The sun comes up and people wake
a friend | A friend is someone who likes you and helps you | You can talk and play together
a family | A family is a group of people who love and care for each other | It can be big or small
music | Music is sound that is nice to hear | People sing and play it
a dream | A dream is a story that your mind makes while you sleep | It is not real
a birthday | A birthday is the day when you were born | People eat cake and give presents
a holiday | A holiday is a time when people rest | Some people travel to the sea
a story | A story tells what happens to someone | It can be true or made up
love | Love is a warm feeling for someone | You want that person to be happy
''')

# first, then, last: continue 'First,', 'Then' and 'At the end,'.
TASKS = table('task first then last', '''
wash my hands | wet your hands with water | rub them with soap for a little while | dry them with a clean towel
brush my teeth | put a little paste on your brush | brush all your teeth slowly | rinse your mouth with water
plant a seed | make a small hole in the soil | put the seed in and cover it | water it every day
grow flowers | choose a sunny place | plant the seeds in good soil | water them and wait a few weeks
ride a bike | sit on the seat and hold the handles | push the pedals and look ahead | practise every day until it feels easy
swim | find a safe pool and a teacher | learn to float and kick your legs | practise until you feel calm in the water
make friends | smile and say hello | ask what they like to do | play or talk together and be kind
fall asleep | turn off the light | close your eyes and breathe slowly | think of a calm and happy place
write a letter | write the name of your friend at the top | tell them what you did today | sign your name and send it
draw a cat | draw a circle for the head | add two ears, eyes and whiskers | draw the body and a long tail
draw a house | draw a big square | put a triangle on top for the roof | add a door and some windows
clean my room | pick up the things on the floor | put them where they belong | sweep the floor and open a window
wash a car | wet the car with water | rub it with soap and a soft cloth | rinse it and let it dry
paint a wall | cover the floor with paper | paint slowly from the top to the bottom | let the paint dry
make a bed | pull the sheet straight | put the pillow at the top | spread the blanket over the bed
set the table | put a plate in front of each chair | lay the fork on the left and the knife on the right | add a glass for each person
wash the dishes | fill the sink with warm water and soap | rub each plate with a sponge | rinse the plates and let them dry
build a snowman | roll three big balls of snow | put them on top of each other | add a carrot for the nose
fly a kite | go to an open field with some wind | run and let the kite go up | hold the string well
catch a fish | put a worm on a hook | drop it in the water and wait | pull the line in when you feel a fish
climb a mountain | wear good boots and take water | walk slowly and follow the path | rest at the top and enjoy the view
cross the street | stop and look left and right | wait until no cars are coming | walk across and do not run
light a fire | gather dry wood and small sticks | make a ring of stones around them | light the small sticks and watch the fire well
take care of a dog | give it food and fresh water | walk with it every day | play with it and be gentle
take care of a plant | put it near a window | give it a little water | take away the dry leaves
learn a song | listen to the song many times | sing one line after another | sing the whole song with a friend
learn to read | learn the sound of each letter | put the sounds together to make words | read a little every day
save money | put some coins in a jar each week | buy only what you need | count what you have at the end of the month
tie my shoes | cross the two laces and pull | make a loop with one lace | wrap the other lace around and pull it through
pack a bag | write a list of what you need | put the heavy things at the bottom | close the bag and check the list
feed the birds | put some seeds on a small board | hang it in a quiet place | watch the birds from far away
find my keys | think about where you had them last | look in your pockets and your bag | look under the chairs and tables
''')

# state: continues 'I am'; feel: the reply, after 'I'; answer: the advice.
ADVICE = table('state feel answer', '''
sad | am sorry that you feel sad | Talk to a friend or listen to a song that you like
angry | understand that you feel angry | Breathe slowly and count to ten
tired | think you need some rest | Go to bed early and sleep well
bored | know how to help | Read a book, draw a picture or go outside
afraid | am sorry that you are afraid | Take a deep breath and tell someone about it
lonely | am sorry that you feel lonely | Call a friend or visit someone you like
nervous | understand that feeling | Breathe slowly and think of something nice
happy | am glad to hear that | Share your joy with a friend
hungry | know that feeling | Eat some bread, soup or fruit
thirsty | know that feeling | Drink a glass of cool water
cold | hope you get warm soon | Put on a coat and drink hot tea
hot | hope you cool down soon | Sit in the shade and drink cold water
sick | hope you feel better soon | Stay in bed, drink water and call a doctor if it gets worse
hurt | am sorry that you are hurt | Clean the place with water and ask someone for help
worried | understand that you worry | Write your thoughts down and talk about them
busy | understand | Make a list and do one thing after another
late | understand | Tell the others that you will come soon and stay calm
lost | am sorry to hear that | Stay calm, look for a sign and ask someone for the way
shy | understand that | Start with a smile and a small hello
proud | am happy for you | Tell your family what you have done
excited | am glad to hear that | Enjoy it and tell me more if you like
jealous | understand that feeling | Think about the good things that you have
confused | can help you | Ask a simple question and take one step at a time
sleepy | think you need some sleep | Turn off the light and close your eyes
''')

# Questions with one answer each; phrasings are separated by ';'.
ADVICE_MORE = table('asks answer', '''
What should I eat for breakfast?;Can you suggest a breakfast?;I need an idea for breakfast. | You can eat porridge with honey and fruit. It is warm and easy to make.
What should I eat for lunch?;Can you suggest a lunch?;I need an idea for lunch. | You can eat a sandwich with cheese and tomato. An apple is good after that.
What should I eat for dinner?;Can you suggest a dinner?;What can I cook tonight? | You can cook pasta with tomato sauce. A small salad goes well with it.
What game can I play?;Can you suggest a game?;What can I play with my friends? | You can play hide and seek. One child counts and the others hide.
What should I wear in the rain?;It is raining. What should I wear?;What do I wear on a rainy day? | Wear a coat and boots, and take an umbrella. Then you will stay dry.
What should I wear in the snow?;It is snowing. What should I wear?;What do I wear on a cold day? | Wear a warm coat, a scarf, gloves and boots. Then you will stay warm.
What should I wear in summer?;It is hot today. What should I wear?;What do I wear on a hot day? | Wear light clothes and a hat. Drink a lot of water too.
What should I do in a storm?;There is a storm outside. What should I do?;Is it safe to go out in a storm? | Stay inside and close the windows. The storm will pass soon.
What can I do on a rainy day?;It is raining and I am at home. What can I do?;Any ideas for a rainy day? | You can read a book, bake cookies or build a tent with blankets.
What can I do on a sunny day?;The sun is shining. What can I do?;Any ideas for a sunny day? | You can go to the park, ride a bike or swim in a lake.
How can I be kind?;How can I be a good person?;What is a kind thing to do? | Listen to people, help them and say nice words. Small things matter a lot.
How can I be a good friend?;What makes a good friend?;Tell me how to be a good friend. | Listen well, keep your promises and help when your friend needs you.
How can I stay healthy?;What should I do to be healthy?;How do I keep my body strong? | Eat fruit and vegetables, sleep well and move every day.
How can I learn faster?;How do I learn better?;I want to learn more. What should I do? | Study a little every day and ask questions. Rest well so that you remember more.
What should I do when I cannot sleep?;I cannot sleep. What should I do?;How can I sleep better? | Turn off the lights and breathe slowly. A warm drink can help too.
What should I give my friend for a birthday?;Can you suggest a birthday present?;My friend has a birthday. What should I give? | You can give a good book or a cake that you bake yourself. A kind card makes it special.
My friend is angry with me. What should I do?;I had a fight with my friend.;How do I say sorry to a friend? | Say that you are sorry and listen to your friend. Then try to make things right.
I broke a cup. What should I do?;I broke something at home.;The plate fell and broke. What now? | Do not worry. Tell someone about it and pick up the pieces with care.
I made a mistake. What should I do?;What should I do after a mistake?;I did something wrong. | Everyone makes mistakes. Say sorry, fix what you can and learn from it.
My dog is sick. What should I do?;My cat does not eat. What should I do?;My pet is not well. | Take your pet to a vet soon. Give it water and a quiet place to rest.
I have a test tomorrow. What should I do?;How do I get ready for a test?;I am worried about my test. | Read your notes once more and sleep early. You will do well.
I want to cook something easy. Any ideas?;What is easy to cook?;What can a child cook? | Make an omelette or a sandwich. Both are quick and easy.
What pet should I get?;Can you suggest a pet?;I want a pet. Which one is good for me? | A cat is a good pet for a quiet home. A dog is good if you like long walks.
Where should I go on holiday?;Can you suggest a place for a holiday?;I have a free week. Where should I go? | You can go to the sea and walk on the beach. The mountains are nice too.
''')

BODY = table('part verb use', '''
eyes | are | to see
ears | are | to hear
hands | are | to hold and touch things
feet | are | to walk and run
teeth | are | to bite and chew food
legs | are | to walk, run and jump
arms | are | to lift and hug
fingers | are | to touch and pick up small things
lungs | are | to breathe
bones | are | to hold the body up
muscles | are | to move the body
hair | is | to keep the head warm
skin | is | to cover and protect the body
the nose | is | to smell
the mouth | is | to eat and talk
the tongue | is | to taste food
the heart | is | to move blood through the body
the brain | is | to think and remember
the stomach | is | to break down food
''')

OPPOSITES = [tuple(pair.split('-')) for pair in '''hot-cold big-small tall-short fast-slow happy-sad old-new
young-old good-bad light-dark heavy-light loud-quiet hard-soft wet-dry clean-dirty full-empty open-closed early-late
near-far high-low strong-weak rich-poor thick-thin wide-narrow sweet-sour day-night up-down left-right in-out
yes-no first-last easy-difficult kind-mean brave-afraid awake-asleep smooth-rough deep-shallow begin-end
give-take laugh-cry push-pull win-lose summer-winter friend-enemy'''.split()]

COLOURS = table('thing verb colour', '''
the sky | is | blue on a clear day
the sun | is | yellow
grass | is | green
snow | is | white
blood | is | red
the sea | is | blue and green
coal | is | black
milk | is | white
chocolate | is | brown
the moon | is | white or pale yellow
leaves | are | green in summer and red or yellow in autumn
sand | is | light yellow
clouds | are | white or grey
roses | are | red, white, yellow or pink
sunflowers | are | yellow
wood | is | brown
salt | is | white
honey | is | golden
fire | is | orange and red
the night sky | is | dark blue or black
''')
MIXES = [('red', 'yellow', 'orange'), ('blue', 'yellow', 'green'), ('red', 'blue', 'purple'), ('red', 'white', 'pink'),
         ('black', 'white', 'grey'), ('red', 'green', 'brown')]

WHYS = table('asks answer', '''
Why is the sky blue?;What makes the sky blue? | The air spreads the blue part of the light from the sun. That is why the sky looks blue.
Why do leaves fall?;Why do trees lose their leaves? | In autumn there is less light, so trees drop their leaves. They grow new ones in spring.
Why do birds sing?;What makes birds sing? | Birds sing to find a friend and to tell other birds where they live.
Why do we sleep?;Why do people need sleep? | Sleep lets the body and the mind rest. We feel strong again in the morning.
Why do we eat?;Why do people need food? | Food gives us energy. It helps us grow, move and think.
Why do we drink water?;Why is water important? | Our body needs water to work well. All living things need it.
Why is the sea salty?;What makes the sea salty? | Rivers carry a little salt from rocks into the sea. Over a long time the sea becomes salty.
Why does it rain?;What makes the rain fall? | Tiny drops in the clouds join and become heavy. Then they fall as rain.
Why is it dark at night?;What makes the night dark? | At night our side of the earth turns away from the sun. So there is no sunlight.
Why do cats purr?;What does it mean when a cat purrs? | Cats purr when they feel happy and safe.
Why do dogs bark?;What makes dogs bark? | Dogs bark to talk to people and other dogs. They also bark to keep the home safe.
Why do bees make honey?;What do bees do with honey? | Bees make honey to have food in the winter.
Why do we brush our teeth?;Why should I brush my teeth? | Brushing keeps teeth clean and strong. Then they do not hurt.
Why do we wash our hands?;Why should I wash my hands? | Washing takes away dirt and germs. It helps us stay healthy.
Why do people read books?;Why should I read? | Books teach us new things and tell us good stories.
Why do birds fly south?;Where do birds go in winter? | Many birds fly to warm lands in winter because they find more food there.
Why do people laugh?;What makes people laugh? | People laugh when something is funny or when they are happy together.
Why do we say thank you?;Why should I say thank you? | We say thank you to show that we are glad for help. It makes people feel good.
Why does ice melt?;What makes ice melt? | Ice melts when it gets warm. Then it turns into water.
Why do boats float?;What makes a boat float? | A boat is light for its size, and the water pushes it up. So it floats.
''')
