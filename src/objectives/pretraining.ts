/** Continued pretraining: the next token of plain text. The loss is in src/engine/objectives/pretraining.ts. */

import { plainText } from '../data/example-kinds';
import { answered, imitationWarnings, unwanted } from '../data/imitated';
import { encodeRendered } from '../data/loss-mask';
import { writingWarnings } from '../data/model-warnings';
import { type ObjectiveData, unlabelled } from '../data/objective-data';
import { piecesOf, wrapExamples } from '../data/packing';
import { nextTokenLabels } from '../data/truncate';
import type { NextTokenExample } from '../data/types';
import { READ_MORE } from './goals';
import { PERPLEXITY, TOKEN_LOSS } from './metrics';
import type { ObjectiveDescriptor } from './objective';
import { GENERATE } from './python';

export interface PretrainingObjective {
  type: 'pretraining';
}

export const pretraining: ObjectiveDescriptor<PretrainingObjective> = {
  type: 'pretraining',
  label: 'Continued pretraining',
  order: 20,
  learns: 'text',
  writes: true,
  trainers: ['axolotl', 'llamafactory', 'trl'],
  models: 'decoder',
  labels: null,
  packs: true,
  data,
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
      message: `${model.title} reads text but does not generate it, so it cannot learn to continue a text.`,
      action: 'Use masked_lm, which is how such a model reads more of your texts, or a model that generates text.',
    };
  },
  loss: TOKEN_LOSS,
  metrics: [PERPLEXITY],
  taskType: 'CAUSAL_LM',
  autoClass: 'AutoModelForCausalLM',
  pipelineTag: 'text-generation',
  python: GENERATE('Once upon a time'),
};

function data(): ObjectiveData {
  return {
    needs: answered,
    counts: 'shifted',
    longTexts: 'split',
    warnings: (examples, options) => [...imitationWarnings(examples), ...writingWarnings(examples, options)],
    refuse: unwanted,
    encode(example, options, tokenizer) {
      const { row } = example;
      const text = plainText(example);
      const whole = text === null ? example : { kind: 'text' as const, row, text };
      const rendered = options.render(whole, { ...options, assistantOnlyLoss: false });
      const encoded = encodeRendered(row, { ...rendered, spans: 'all' }, tokenizer);
      return { rendered: rendered.text, encoded, notes: rendered.notes };
    },
    label: () =>
      unlabelled((encoded, { maxLength, packing }) => {
        const { row, ids } = encoded;
        const labels = nextTokenLabels(encoded);
        const whole: NextTokenExample = {
          kind: 'next_token',
          row,
          ids: ids.slice(),
          labels,
          starts: null,
          truncatedBy: 0,
        };
        // Packing splits texts where a row ends.
        return packing ? [whole] : piecesOf(whole, maxLength);
      }),
    pack: wrapExamples,
  };
}
