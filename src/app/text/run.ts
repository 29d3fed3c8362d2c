/** English of the run card and of its strip on narrow screens. */
import type { Phase } from '../../stores/training';

/** What the run is doing when it is not taking a step. */
const phases: Partial<Record<Phase, string>> = {
  starting: 'Preparing the run',
  evaluating: 'Evaluating',
  sampling: 'Generating sample answers',
  saving: 'Saving a checkpoint',
  paused: 'Paused',
  stopping: 'Stopping after this step',
};

export const runText = {
  phases,
  startTraining: 'Start training',
  preparing: 'The run is being prepared.',
  stopping: 'Stopping after this step.',
  starting: 'Starting',
  stepsDone: 'Steps completed',
  whatItTakes: 'What it takes',
  gettingReady: 'Getting ready',
  willTrain: 'What will be trained',
  parametersWord: 'parameters',
  shareOf: (share: string, total: string) => `${share} of ${total}. `,
  willTake: 'What it will take',
  steps: 'Steps',
  tokens: 'Tokens',
  time: 'Time',
  notMeasured: 'not measured yet',
  blocksStart: (one: boolean) => (one ? 'This blocks the start' : 'These block the start'),
  goTo: (page: string) => `Go to ${page}`,
  meanwhile: 'You can look at other pages or another tab meanwhile. Changes to the recipe are for the next run.',
  compare: 'Compare base and tuned',
  summary: (steps: string, parameters: string, time: string | null) =>
    `${steps}, ${parameters} parameters${time === null ? '' : `, about ${time}`}`,
};

export const memoryText = {
  breakdown: 'Breakdown',
  parts: {
    weights: 'Model weights',
    activations: 'Activations',
    logits: 'Logits',
    gradients: 'Gradients',
    optimizer: 'Optimiser',
    adapter: 'Adapter',
  },
  fits: 'Fits this GPU',
  tight: 'Tight on this GPU',
  tooBig: 'Too big for this GPU',
  budget: (bytes: string, how: string) => `About ${bytes} available, ${how}.`,
  budgetUnknown: 'The browser does not report how much memory this GPU has.',
  checkpointing: 'Activations are recomputed instead of stored (gradient checkpointing).',
  advice: 'Ways to save memory',
  saves: (bytes: string) => `saves ${bytes}`,
  savesEnough: (bytes: string) => `saves ${bytes}, enough to fit`,
  forNextRun: 'Changes apply to the next run.',
};
