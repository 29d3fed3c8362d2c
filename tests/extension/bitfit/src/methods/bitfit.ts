/** BitFit (Ben Zaken et al., 2021): only the biases of the model learn. Computed in src/engine/methods/bitfit.ts. */
import type { MethodDescriptor } from './method';
import { MODEL_FOLDER, WHOLE_MODEL } from './shared-facts';

export interface BitFitMethod {
  type: 'bitfit';
}

export const bitfit: MethodDescriptor<BitFitMethod> = {
  type: 'bitfit',
  label: 'BitFit',
  order: 85,
  trains: 'weights',
  virtualTokens: false,
  merges: true,
  beginsAsBase: true,
  card: {
    group: 'model',
    text: 'Trains only the biases. For models that have them and little data.',
    memory: 'little more than the model',
    file: WHOLE_MODEL,
    speed: 'fast; none lost afterwards',
  },
  facts: {
    trained: 'every bias of the model, and the head of a classifier',
    saved: MODEL_FOLDER,
    papers: [
      {
        by: 'Ben Zaken et al., 2021',
        title: 'BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based Masked Language-models',
        arxiv: '2106.10199',
      },
    ],
  },
  fields: {},
  defaults: { 'training.learning_rate': [{ default: 1e-3, usual: [1e-4, 1e-2], source: 'Ben Zaken et al., 2021' }] },
  summary: () => 'BitFit',
  sentence: () => 'The biases of the model; its matrices are frozen.',
  noun: () => 'Biases',
  files: null,
};
