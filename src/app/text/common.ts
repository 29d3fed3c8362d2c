/**
 * English that several pages share. Every sentence that a person reads on a screen is in this folder, one file for each
 * folder of components. Files beside each page would have left no place for the shell and the run card, which are on
 * all pages, and the wording is easiest to review and translate in one folder.
 */
export const common = {
  cancel: 'Cancel',
  close: 'Close',
  dismiss: 'Dismiss',
  details: 'Details',
  where: 'Where:',
  pause: 'Pause',
  resume: 'Resume',
  stop: 'Stop',
  noValue: '–',
  trainingLoss: 'Training loss',
  validationLoss: 'Validation loss',
  bestValidationLoss: 'Best validation loss',
  latestValidationLoss: 'Latest validation loss',
  validationLossBefore: 'Validation loss before training',
  speed: 'Speed',
  gpuMemory: 'GPU memory',
  tokensPerSecond: (rate: string) => `${rate} tokens/s`,
  timeLeft: (duration: string) => `${duration} left`,
  stepOf: (step: number, total: number) => `Step ${step} of ${total}`,
  parameters: (count: string) => `${count} parameters`,
  tokens: (count: string) => `${count} tokens`,
  about: (amount: string) => `about ${amount}`,
  notDuringRun: 'Not available during a run.',
  runInProgress: 'A run is in progress.',
  stopRunFirst: 'A run is in progress. Stop it first.',
  modelInUse: 'A run is using the open model.',
  noAdapterYet: 'No adapter yet: train one first.',
  tryAgain: 'Try again',
  useBuiltinModel: 'Use the built-in model',
  zipArchive: 'Zip archive',
  ggufFile: 'GGUF file',
  archiveFailed: 'The archive could not be written.',
};
