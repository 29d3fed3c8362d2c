/** English of what a run takes of the GPU's memory. */

export const memoryText = {
  breakdown: 'Breakdown',
  parts: {
    weights: 'Model weights',
    activations: 'Activations',
    logits: 'Logits',
    cache: 'Keys and values of answers',
    gradients: 'Gradients',
    optimizer: 'Optimiser',
    adapter: 'Adapter',
  },
  /** A renderer in software uses the computer's own memory. */
  fits: (software: boolean) => (software ? 'Fits this computer’s memory' : 'Fits this GPU'),
  tight: (software: boolean) => (software ? 'Tight in this computer’s memory' : 'Tight on this GPU'),
  tooBig: (software: boolean) => (software ? 'Too big for this computer’s memory' : 'Too big for this GPU'),
  budget: (bytes: string, how: string) => `About ${bytes} available, ${how}.`,
  budgetUnknown: 'The browser does not report how much memory this GPU has.',
  checkpointing: 'Activations are recomputed instead of stored (gradient checkpointing).',
  together: (count: number) => `Up to ${count} micro-batches of a step go through the model together.`,
  advice: 'Ways to save memory',
  saves: (bytes: string) => `saves ${bytes}`,
  savesEnough: (bytes: string) => `saves ${bytes}, enough to fit`,
  forNextRun: 'Changes apply to the next run.',
};
