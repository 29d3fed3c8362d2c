/** English of the run card and of its strip on narrow screens. */
import type { Phase } from '../../stores/training';

/** What the run is doing when it is not taking a step. */
const phases: Partial<Record<Phase, string>> = {
  starting: 'Preparing the run',
  preparing: 'Computing the reference',
  evaluating: 'Evaluating',
  sampling: 'Generating sample answers',
  timing: 'Timing kernels on this GPU',
  compiling: 'Compiling kernels for this GPU',
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
  whatItTakes: 'Run details',
  gettingReady: 'Getting ready',
  willTrain: 'What will be trained',
  parametersWord: 'parameters',
  willTake: 'What it needs',
  steps: 'Steps',
  tokens: 'Tokens',
  time: 'Time',
  notMeasured: 'not measured yet',
  blocksStart: (one: boolean) => (one ? 'Fix this before you start' : 'Fix these before you start'),
  goTo: (page: string) => `Go to ${page}`,
  meanwhile: 'You can look at other pages or another tab meanwhile. Changes to the recipe apply to the next run.',
  compare: 'Compare base and tuned',
  toExport: 'Go to export',
};
