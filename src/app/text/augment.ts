import type { Augmentation } from '../../data/augment';

/** English of augmentation. */
export const augmentText = {
  title: 'Make more examples',
  description:
    'Makes new training examples from yours by small changes that keep their meaning. This helps when a class has a few dozen examples, and little when it has thousands. Held-out examples are never used.',
  prompts:
    'Only prompts are changed, never answers. This is made for classification; for chat, more real examples help more.',
  whyNot: {
    pair: 'Pairs of answers are not augmented: the answers were compared as replies to the prompt as it stands.',
    judged: 'Judged answers are not augmented: they were judged as replies to the prompt as it stands.',
    prompt:
      'Prompts that the model answers itself are not augmented: a changed word could make the expected answer wrong.',
  },
  kinds: {
    swap: 'Swap words',
    delete: 'Leave out words',
    typos: 'Typos',
    case: 'Case and punctuation',
  } satisfies Record<Augmentation, string>,
  changes: 'Changes',
  share: 'Share of words changed (%)',
  copies: 'New examples per example',
  seed: 'Seed',
  preview: 'Preview',
  table: 'Before and after',
  before: 'Original',
  after: 'New',
  how: 'Change',
  of: (row: number) => `row ${row}`,
  write: (count: string) => `Write about ${count} into a new dataset`,
  writing: 'Writing the new dataset',
  cancel: 'Cancel',
  written: 'The new dataset is open. It keeps your split, and a column says which row each new example was made from.',
  none: 'These texts are too short for these changes.',
  chooseOne: 'Choose at least one kind of change.',
  failed: 'The new examples could not be created.',
};
