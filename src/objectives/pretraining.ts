/** Continued pretraining: the next token of plain text. The loss is in src/engine/objectives/pretraining.ts. */
import { READ_MORE } from './goals';
import type { ObjectiveDescriptor } from './objective';
import { GENERATE } from './python';

export interface PretrainingObjective {
  type: 'pretraining';
}

export const pretraining: ObjectiveDescriptor<PretrainingObjective> = {
  type: 'pretraining',
  label: 'Continued pretraining',
  learns: 'text',
  writes: true,
  models: 'decoder',
  labels: null,
  packs: true,
  goal: READ_MORE,
  fields: {},
  defaults: {
    // Virtual tokens precede only the first text of a row; a head alone learns nothing from text.
    'dataset.packing': [
      {
        when: ({ virtualTokens, trains }) => !virtualTokens && trains !== 'head',
        default: true,
        source: 'TRL, for plain text',
      },
    ],
  },
  *modelRefusals(_section, model) {
    if (model.kind !== 'encoder') return;
    yield {
      where: 'objective.type',
      message: `${model.title} reads text and does not write any, so it cannot learn to continue a text.`,
      action: 'Use masked_lm, which is how such a model reads more of your texts, or a model that generates text.',
    };
  },
  metrics: [],
  taskType: 'CAUSAL_LM',
  autoClass: 'AutoModelForCausalLM',
  pipelineTag: 'text-generation',
  python: GENERATE('Once upon a time'),
};
