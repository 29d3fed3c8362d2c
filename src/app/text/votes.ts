/** English of "which is better?" on Compare. */
import { formatCount, formatPlural } from '../util/format';

export const votesText = {
  title: 'Which is better?',
  description:
    'Compare two answers to the same prompt, say which is better, and train on what you said. Which model wrote which answer is hidden until you have voted.',
  contest: 'Who answers',
  itself: (name: string) => `${name}, twice`,
  against: (a: string, b: string) => `${a} and ${b}`,
  temperature: (name: string) => `Temperature, ${name}`,
  firstAnswer: 'first answer',
  secondAnswer: 'second answer',
  prompts:
    'Prompts come from the examples that were trained on, so that held-out ones stay a fair test. Choose a set under Prompt sets to use its prompts.',
  start: 'Start voting',
  more: 'Vote on more',
  stop: 'Stop voting',
  writing: 'Writing two answers…',
  prompt: 'Prompt',
  answers: 'Two answers: vote with the arrow keys',
  left: 'Left answer',
  right: 'Right answer',
  empty: '(empty answer)',
  votes: { left: 'Left is better', right: 'Right is better', both_good: 'Both good', both_bad: 'Both bad' },
  keys: { left: '←', right: '→', both_good: '↑', both_bad: '↓', skip: 'S', undo: 'Backspace' },
  skip: 'Skip',
  undo: 'Undo the last vote',
  same: (count: number) =>
    count === 1
      ? 'One pair was left out because both answers were the same.'
      : `${formatCount(count)} pairs were left out because both answers were the same.`,
  counted: (pairs: number, others: number) =>
    others === 0 ? `${formatCount(pairs)} decided` : `${formatCount(pairs)} decided, ${formatPlural(others, 'tie')}`,
  standing: (name: string, won: number, of: number) => `${name} was better in ${won} of ${of}`,
  notYet: 'Nothing to compare yet: open a model that writes text.',
  opening: 'An adapter is being opened.',
  reading: 'Your votes are being read.',
  again: 'Try again',
  sorting: 'These models sort texts, so there are no answers to compare.',
  train: 'Train on your votes',
  trainPairs: (count: number) => `Train on ${formatPlural(count, 'pair')}`,
  trainJudged: (count: number) => `Train on ${formatPlural(count, 'marked answer')}`,
  pairsHint: (objective: string) =>
    `${objective}: moves the model towards the better answer of each pair. Ties are left out.`,
  judgedHint: (objective: string) => `${objective}: every answer counts as good or bad, ties too.`,
  continues: (name: string) => `It continues from ${name}, whose answers you voted on.`,
  fromBase: 'It begins from the base model.',
  preparing: 'Reading the votes and planning the run…',
  needPairs: 'Vote on a few pairs first.',
  needBoth: 'Both good and bad answers are needed.',
  exportPairs: 'Export pairs (JSONL)',
  exportJudged: 'Export marked answers (JSONL)',
  list: 'Your votes',
  show: (count: number) => `Show ${formatPlural(count, 'vote')}`,
  columns: { prompt: 'Prompt', a: 'Answer A', b: 'Answer B', verdict: 'Vote' },
  verdictOf: (row: number) => `Vote ${row}`,
  verdicts: { a: 'A is better', b: 'B is better', both_good: 'Both good', both_bad: 'Both bad' },
  remove: (row: number) => `Remove vote ${row}`,
  clear: 'Delete all votes',
  clearQuestion: 'Delete all votes?',
  clearText: 'This cannot be undone. Datasets that were made of them stay on the Data page.',
  settings: 'Change its settings first',
};
