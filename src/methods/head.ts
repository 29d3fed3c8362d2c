/** Feature extraction: the model is frozen and only the objective's head is trained. Implemented in src/engine/methods/head.ts. */
import type { MethodDescriptor } from './method';
import { MODEL_FOLDER, WHOLE_MODEL } from './shared-facts';

export interface HeadMethod {
  type: 'head';
}

export const head: MethodDescriptor<HeadMethod> = {
  type: 'head',
  order: 80,
  label: 'Head only',
  trains: 'head',
  virtualTokens: false,
  merges: true,
  beginsAsBase: false,
  trainers: ['trl'],
  card: {
    group: 'model',
    text: 'Trains only the classifier on top of a frozen model. A quick first try at classification.',
    memory: 'barely more than the model',
    file: WHOLE_MODEL,
    speed: 'the fastest',
  },
  facts: {
    trained: 'only a classifier’s head',
    saved: MODEL_FOLDER,
    papers: [
      {
        by: 'Peters et al., 2019',
        title: 'To Tune or Not to Tune? Adapting Pretrained Representations to Diverse Tasks',
        arxiv: '1903.05987',
      },
    ],
  },
  fields: {},
  defaults: { 'training.learning_rate': [{ default: 1e-3, usual: [5e-4, 1e-2], source: 'Tabtune' }] },
  // Classifying feedback: training loss falls from 1.07 to 0.40 in 12 steps.
  tinyModelRate: 1e-2,
  summary: () => 'Head only',
  sentence: () => 'The classifier’s head; the model is frozen.',
  noun: () => 'A classification head',
  *refusals(_section, { objective }) {
    if (objective.learns === 'labels') return;
    yield {
      where: 'method.type',
      message: `trains only a classifier’s head, and ${objective.label.replace(/^./, (first) => first.toLowerCase())} has none.`,
      action: 'Choose another method, such as LoRA, or a classification objective.',
    };
  },
  files: null,
};
