/** English of the test drive and of the rate finder. */
export const driveText = {
  title: 'Test drive',
  intro:
    'Measures one step on this device and discards it: how much time and memory it needs, and whether the run learns.',
  start: 'Test drive',
  again: 'Repeat the test drive',
  running: 'Test drive in progress',
  preparing: 'Preparing',
  part: (done: number, total: number) => `Part ${done} of ${total}`,
  stale: 'The recipe has changed since the last test drive.',
  ticks: 'What the test drive found',
  states: { good: 'Good', warn: 'Look at this', bad: 'Wrong' },
  inUse: 'Another test is in progress.',

  step: (seconds: string, whole: string | null) =>
    `A step takes ${seconds}${whole === null ? '' : `: ${whole} in all`}.`,
  memory: (bytes: string, planned: string | null) =>
    `The first batch uses ${bytes} of memory${planned === null ? '' : `; the plan is ${planned} for the longest`}.`,
  tight: 'That is tight here.',
  tightAction: 'Use one of the ways to save memory above.',
  notFinite: 'The loss or its gradients are not finite numbers.',
  notFiniteAction: 'Lower the learning rate, and look for unusual rows in the data.',
  stepTaken:
    'A whole step worked: answers, their rewards and the update. The reward, not the loss, will say whether it learns.',
  attached: (before: string, after: string) =>
    `The trained weights affect the output: on the first batch the loss went from ${before} to ${after}.`,
  detached: 'The trained weights do not affect the output, so nothing would be learned.',
  detachedAction: 'Choose other layers to adapt, or another method.',
  rises: (before: string, after: string) =>
    `The trained weights affect the output, but two steps raised the loss on their own batch from ${before} to ${after}.`,
  risesAction: 'Lower the learning rate, or find one.',
  ends: 'Every answer ends with a token that is learned, so the model learns to stop.',
  noEnds: 'No answer ends with a token that is learned: the model would not learn to stop.',
  noEndsAction: 'Allow longer examples, or choose a model with a chat template that ends its answers.',
  someEnds: (count: string, all: string) => `${count} of ${all} examples are cut before the end of their answer.`,
  someEndsAction: 'Allow longer examples, or shorten these.',
  learned: 'Something is learned from every example.',
  masked: (count: string, all: string) =>
    `Nothing is learned from ${count} of ${all} examples: none of their tokens counts towards the loss.`,
  maskedAction: 'Their answers may be cut off. Allow longer examples, or leave these out.',
  usual: (rate: string, low: string, high: string) => `The learning rate ${rate} is usual (${low} to ${high}).`,
  suggested: (rate: string, low: string, high: string) =>
    `The learning rate ${rate} suits this model, which is far smaller than those that usually take ${low} to ${high}.`,
  unusual: (rate: string, low: string, high: string) => `The learning rate ${rate} is unusual (${low} to ${high}).`,
  unusualAction: 'Find a rate with a range test.',
  quicker: (rows: number, batches: number, seconds: string) =>
    `As ${batches} batches of ${rows}, the same step takes ${seconds}.`,
  takeQuicker: (rows: number, batches: number) => `Use batch size ${rows}, accumulation ${batches}`,
  longer: 'Set the length automatically',
};

export const rateText = {
  open: 'Find a learning rate',
  title: 'Find a learning rate',
  description:
    'A range test after Smith (2017): real steps at a rate that grows from 1e-6 to 1, until the loss diverges. They are discarded afterwards.',
  start: 'Start the test',
  again: 'Test again',
  chart: 'Loss by learning rate',
  loss: 'Loss',
  smoothed: 'Smoothed',
  empty: 'Nothing measured yet.',
  at: (rate: string) => `Rate ${rate}`,
  column: 'Rate',
  running: (done: number, total: number) => `Step ${done} of at most ${total}`,
  mark: 'suggested',
  now: 'now',
  suggestion: (rate: string) => `Suggested: ${rate}`,
  why: (lowest: string, steepest: string) =>
    `A tenth of ${lowest}, where the smoothed loss is lowest, as fastai suggests: the loss still falls there, well below the rates at which it diverges. It falls fastest at ${steepest}.`,
  use: (rate: string) => `Use ${rate}`,
  none: 'The loss never fell, so there is nothing to suggest. Look at the data, or adapt more layers.',
  early: 'The loss diverged here.',
  notEarly: 'The loss did not diverge, even at the highest rate.',
};
