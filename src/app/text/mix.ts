/** English of mixing several datasets. */
export const mixText = {
  title: 'Mix with other datasets',
  description:
    'Each epoch takes weight × the training examples of a dataset: 2 uses each twice, 0.5 uses a random half. Held-out examples are evaluated once, whatever the weight.',
  table: 'Datasets of the mix',
  columns: {
    dataset: 'Dataset',
    weight: 'Weight',
    train: 'Training examples',
    epoch: 'In an epoch',
    share: 'Share',
    held: 'Held out',
  },
  weightOf: (name: string) => `Weight of ${name}`,
  add: 'Add a dataset',
  choose: 'Choose a dataset',
  none: 'To add something, open another file or choose a built-in dataset.',
  remove: (name: string) => `Take ${name} out of the mix`,
  alone: 'Train on the first only',
  badWeight: 'Enter a number above 0, at most 100.',
};
