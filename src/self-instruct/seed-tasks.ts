/** Seed tasks of our own, written for this project and dedicated to the public domain (CC0 1.0). */
import type { SeedTask } from './types';

const one = (instruction: string, input: string, output: string): SeedTask => ({
  instruction,
  instances: [{ input, output }],
  classification: false,
});
const classes = (instruction: string, ...examples: [output: string, input: string][]): SeedTask => ({
  instruction,
  instances: examples.map(([output, input]) => ({ input, output })),
  classification: true,
});

export const seedTasks: readonly SeedTask[] = [
  one(
    'Rewrite the sentence so that it sounds polite.',
    'Send me the report now.',
    'Could you please send me the report when you have a moment?',
  ),
  classes(
    'Decide whether the review is positive or negative.',
    ['positive', 'The soup was warm, the bread was fresh, and we will come back soon.'],
    ['negative', 'We waited an hour, and the tea was cold when it came.'],
  ),
  one(
    'Give three reasons why people like to walk in the morning.',
    '',
    'The air is fresh, the streets are quiet, and a walk wakes you up gently before the day begins.',
  ),
  one(
    'Summarise the text in one sentence.',
    'The library opened in spring. At first few people came. Then it began to lend out games, and now families visit every weekend.',
    'The library became popular with families once it began to lend out games.',
  ),
  classes(
    'Tell whether the message is a question, a request or a statement.',
    ['question', 'What time does the market close?'],
    ['request', 'Please water the plants while I am away.'],
    ['statement', 'The train arrives at noon.'],
  ),
  one(
    'Write a short rhyme about rain.',
    '',
    'Rain on the roof and rain on the lane,\nI tap my foot to the song of the rain.',
  ),
  one(
    'Turn the list of words into a sentence.',
    'dog, river, stick',
    'The dog swam across the river to fetch the stick.',
  ),
  one(
    'Explain to a child why leaves fall in autumn.',
    '',
    'In autumn there is less sunlight, so a tree rests. It lets its leaves fall to save water and grows new ones in spring.',
  ),
  classes(
    'Sort the item into fruit, vegetable or grain.',
    ['fruit', 'plum'],
    ['vegetable', 'carrot'],
    ['grain', 'barley'],
  ),
  one('Put the numbers in order from smallest to largest.', '14, 3, 27, 9', '3, 9, 14, 27'),
  one(
    'Suggest a name for a small bakery and say why it fits.',
    '',
    'The Morning Crumb: it is friendly, easy to remember, and makes people think of fresh bread.',
  ),
  one(
    'Change the sentence from present to past tense.',
    'She opens the window and sings.',
    'She opened the window and sang.',
  ),
  classes(
    'Is the statement about the weather true, false or impossible to know?',
    ['true', 'Snow is frozen water.'],
    ['false', 'Thunder comes before every sunrise.'],
    ['impossible to know', 'It will rain in this town a year from today.'],
  ),
  one(
    'Describe how to make a cup of tea, step by step.',
    '',
    '1. Boil fresh water. 2. Put a tea bag into a cup. 3. Pour the water over it. 4. Wait four minutes and take the bag out.',
  ),
  one(
    'Find the name of the person and the place in the sentence.',
    'Last summer Mira stayed with her aunt in Oldhaven.',
    'Person: Mira. Place: Oldhaven.',
  ),
  one(
    'Answer the question with the help of the text.',
    'Text: The ferry leaves at eight and at ten. The first one does not take bicycles.\nQuestion: Which ferry can I take with my bicycle?',
    'You can take the ferry at ten.',
  ),
  classes(
    'Which feeling does the sentence express: joy, anger, fear or sadness?',
    ['joy', 'I have never laughed so much in one evening!'],
    ['anger', 'How dare they cancel it again without a word.'],
    ['fear', 'Something is moving behind the door.'],
    ['sadness', 'The house is so quiet since he left.'],
  ),
  one(
    'Write a reply to the customer who asks for a refund.',
    'The lamp I bought last week does not work any more. I want my money back.',
    'I am sorry that your lamp has stopped working. Please send us your order number, and we will refund you within three days.',
  ),
  one(
    'Correct the spelling mistakes in the sentence.',
    'Tomorow we recieve the new chares.',
    'Tomorrow we receive the new chairs.',
  ),
  one(
    'Compare cats and dogs as pets in two sentences.',
    '',
    'Cats are independent and content to stay at home. Dogs need walks and company, but they are eager to join in with everything.',
  ),
  classes(
    'Decide if the two sentences mean the same thing. Answer yes or no.',
    ['yes', 'The shop is closed on Sunday.\nOn Sunday the shop does not open.'],
    ['no', 'Ben gave Ana the key.\nAna gave Ben the key.'],
  ),
  one('How many minutes are there in the given time?', '2 hours and 15 minutes', 'There are 135 minutes.'),
  one(
    'Plan a cheap weekend trip for two friends who like nature.',
    '',
    'On Saturday take the bus to a nearby lake, swim, and camp. On Sunday walk round the lake, have a picnic, and ride back in the evening.',
  ),
  classes(
    'Say whether the sentence is formal or informal.',
    ['formal', 'We regret to inform you that the office will be closed.'],
    ['informal', 'Hey, wanna grab some lunch later?'],
  ),
  one(
    'Continue the story with two more sentences.',
    'The old clock had not rung for twenty years.',
    'Tonight, at midnight, it rang thirteen times. In the house across the road a light went on.',
  ),
  one('Give a word that means the opposite.', 'generous', 'stingy'),
];
