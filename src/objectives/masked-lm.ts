/** Masked language modelling (BERT): some tokens are masked, and the model predicts them. The loss is in src/engine/objectives/masked-lm.ts. */
import { READ_MORE } from './goals';
import type { ObjectiveDescriptor } from './objective';

export interface MaskedLmObjective {
  type: 'masked_lm';
  mlm_probability: number;
}

export const maskedLm: ObjectiveDescriptor<MaskedLmObjective> = {
  type: 'masked_lm',
  label: 'Masked language modelling',
  learns: 'text',
  writes: false,
  models: 'encoder',
  labels: null,
  packs: false,
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
  metrics: [],
  taskType: null,
  autoClass: 'AutoModelForMaskedLM',
  pipelineTag: 'fill-mask',
  python: `inputs = tokenizer(f"Paris is the {tokenizer.mask_token} of France.", return_tensors="pt")
print(model(**inputs).logits)`,
};
