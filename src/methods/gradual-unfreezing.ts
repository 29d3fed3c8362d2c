/**
 * Gradual unfreezing with discriminative learning rates (ULMFiT, Howard and Ruder, 2018): first the head, then one more block
 * from the top every 1/(L+1) of the run. Implemented in src/engine/methods/gradual-unfreezing.ts.
 */
import type { MethodDescriptor } from './method';
import { everyWeight, MODEL_FOLDER, WHOLE_MODEL } from './shared-facts';
import { WEIGHT_RATES } from './weights';

export interface GradualMethod {
  type: 'gradual_unfreezing';
  /** Each block's learning rate is that of the block above divided by this. */
  layer_lr_divisor: number;
}

export const gradualUnfreezing: MethodDescriptor<GradualMethod> = {
  type: 'gradual_unfreezing',
  order: 90,
  label: 'Gradual unfreezing',
  trains: 'weights',
  virtualTokens: false,
  merges: true,
  beginsAsBase: true,
  card: {
    group: 'model',
    text: 'Unfreezes the model layer by layer from the top (ULMFiT). For little data and less forgetting.',
    memory: everyWeight('up to '),
    file: WHOLE_MODEL,
    speed: 'fast at first, slower towards the end',
  },
  facts: {
    trained:
      'first the head, then one block after another from the top, each at a lower learning rate, until every weight is trained',
    saved: MODEL_FOLDER,
    papers: [
      {
        by: 'Howard and Ruder, 2018',
        title: 'Universal Language Model Fine-tuning for Text Classification',
        arxiv: '1801.06146',
      },
    ],
  },
  fields: {
    layer_lr_divisor: {
      kind: 'number',
      label: 'Layer-wise rate divisor',
      help: 'Each block’s learning rate is that of the block above divided by this (discriminative fine-tuning).',
      default: 2.6,
      min: 1,
      max: 100,
      step: 0.1,
      usual: [1, 3],
      source: 'ULMFiT',
    },
  },
  defaults: {
    ...WEIGHT_RATES,
    'training.lr_scheduler_type': [{ default: 'slanted_triangular', source: 'ULMFiT' }],
  },
  // pirate-chat: validation loss 6.51 before training; training loss 5.35 after 12 steps (6.46 at 5e-4).
  tinyModelRate: 2e-3,
  summary: () => 'Gradual unfreezing',
  sentence: () => 'The head first, then one block after another from the top.',
  noun: () => 'All weights, unfrozen one block after another,',
  files: null,
};
