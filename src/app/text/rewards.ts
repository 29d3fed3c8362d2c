/** English of the editor of rewards. */
export const rewardsText = {
  title: 'Rewards',
  intro: 'What is good about an answer. Each reward gives a number; the answer’s reward is their sum by weight.',
  add: 'Add a reward',
  choose: 'Choose what to reward…',
  readingData: 'Reading the data…',
  remove: (name: string) => `Remove ${name}`,
  name: 'Name',
  weight: 'Weight',

  consent: {
    title: 'This code came with the recipe',
    text: 'It does not run before you allow it. Read it first: it decides what the model learns. It runs apart from the page, without a way to send anything, and with limits on time and memory.',
    allow: 'Allow this code',
  },
  apart:
    'Runs apart from the page: no requests, no imports, at most 5 seconds and 64 MB an answer, no random numbers and no clock.',

  try: {
    title: 'Try on an example',
    text: 'Type what the model could answer, and see what each reward gives.',
    noPrompts: 'The dataset has no prompts with columns, so these prompts are empty.',
    answer: (row: number) => `Answer to row ${row}`,
    own: (n: number) => `Answer ${n}`,
    run: 'Score these answers',
    noModel: 'The model is not open yet, and its tokens are counted by some rewards.',
    sum: 'Sum',
    reward: 'Reward',
    silent: 'says nothing',
    engine: 'known only during a run',
    caption: 'What each reward gives',
  },
};
