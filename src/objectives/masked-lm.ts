/** Masked language modelling (BERT): some tokens are masked, and the model predicts them. The loss is in src/engine/objectives/masked-lm.ts. */

import { encodeAround } from '../data/encode-text';
import { plainText } from '../data/example-kinds';
import { answered, imitationWarnings, unwanted } from '../data/imitated';
import type { Encoded } from '../data/loss-mask';
import { templateWarnings } from '../data/model-warnings';
import { type ObjectiveData, unlabelled } from '../data/objective-data';
import { lastOf, roomFor } from '../data/truncate';
import type { HiddenTokensExample } from '../data/types';
import { READ_MORE } from './goals';
import { PERPLEXITY, TOKEN_LOSS } from './metrics';
import type { ObjectiveDescriptor } from './objective';

export interface MaskedLmObjective {
  type: 'masked_lm';
  mlm_probability: number;
}

export const maskedLm: ObjectiveDescriptor<MaskedLmObjective> = {
  type: 'masked_lm',
  label: 'Masked language modelling',
  order: 50,
  learns: 'text',
  writes: false,
  trainers: ['trl'],
  models: 'encoder',
  labels: null,
  packs: false,
  data,
  goal: READ_MORE,
  fields: {
    mlm_probability: {
      kind: 'number',
      label: 'Masked tokens',
      help: 'Share of the tokens that are masked and have to be predicted.',
      default: 0.15,
      min: 0,
      max: 1,
      above: true,
      below: true,
      step: 0.01,
      usual: [0.15, 0.4],
      source: 'BERT, transformers',
    },
  },
  *modelRefusals(_section, model) {
    if (model.kind === 'decoder') {
      yield {
        where: 'objective.type',
        message: `${model.title} reads a text from left to right and cannot predict masked words from both sides.`,
        action: 'Use pretraining, or an encoder such as BERT.',
      };
    } else if (model.hasHead === false) {
      yield {
        where: 'objective.type',
        message: `${model.title} comes without the head that predicts masked words.`,
        action: 'Choose a model with a masked-language-model head.',
      };
    }
  },
  loss: TOKEN_LOSS,
  metrics: [PERPLEXITY],
  taskType: null,
  autoClass: 'AutoModelForMaskedLM',
  pipelineTag: 'fill-mask',
  python: `inputs = tokenizer(f"Paris is the {tokenizer.mask_token} of France.", return_tensors="pt")
print(model(**inputs).logits)`,
};

function data({ mlm_probability }: MaskedLmObjective): ObjectiveData {
  return {
    needs: answered,
    counts: 'labelled',
    longTexts: 'split',
    warnings: (examples, options) => [...imitationWarnings(examples), ...templateWarnings(examples, options)],
    refuse: unwanted,
    encode(example, options, tokenizer) {
      const { row } = example;
      const plain = plainText(example);
      const { text, notes } =
        plain === null ? options.render(example, { ...options, assistantOnlyLoss: false }) : { text: plain, notes: [] };
      const encoded = encodeAround(row, text, tokenizer);
      const trained = new Uint8Array(encoded.ids.length).fill(1, encoded.before, encoded.ids.length - encoded.behind);
      return { rendered: text, encoded: { ...encoded, trained }, notes };
    },
    label: () => unlabelled((encoded, { maxLength }) => maskedPieces(encoded, maxLength)),
    targetTokens: (targets) => Math.round(targets * mlm_probability),
  };
}

/** Pieces of a text, each between the special tokens. */
function maskedPieces(encoded: Encoded, maxLength: number): HiddenTokensExample[] {
  const { row, ids, before = 0, behind = 0 } = encoded;
  const body = ids.length - before - behind;
  const size = roomFor(encoded, maxLength);
  const pieces: HiddenTokensExample[] = [];
  for (let from = 0; from < body; from += size) {
    const span = ids.subarray(before + from, before + Math.min(body, from + size));
    const kept = Int32Array.from([...ids.subarray(0, before), ...span, ...lastOf(ids, behind)]);
    const special = new Uint8Array(kept.length).fill(1, 0, before);
    special.fill(1, kept.length - behind);
    pieces.push({ kind: 'hidden_tokens', row, ids: kept, truncatedBy: 0, special });
  }
  return pieces;
}
