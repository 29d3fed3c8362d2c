/** Metrics that several objectives have, and how to read them. */
import type { MetricInfo } from './objective';

export const TOKEN_LOSS =
  'Mean cross-entropy per predicted token, in nats: lower is better, and 0 means that every token was predicted with certainty.';

export const PERPLEXITY: MetricInfo = {
  name: 'perplexity',
  label: 'Perplexity',
  help: 'The number of equally likely tokens that the model hesitates between on average: lower is better, and 1 is the least.',
  open: true,
};

/** Measured in any run with base text, whatever the objective. */
export const BASE_TEXT_LOSS: MetricInfo = {
  name: 'base_text_loss',
  label: 'Loss on base text',
  help: 'Mean loss per token on text like the base model’s training data: the more it rises during a run, the more the model has forgotten.',
  open: true,
};

interface Classified {
  /** What a prediction is about: `texts`, `words`. */
  things: string;
  /** What it can be: `class`, `kind`. */
  one: string;
  many: string;
}

/** The averages over classes, most telling first. */
export function averages({ things, one, many }: Classified): MetricInfo[] {
  const precision = `Share of the predictions of a ${one} that are right`;
  const recall = `Share of the ${things} of a ${one} that were found`;
  const equal = `averaged over the ${many} with equal weight`;
  const bySize = `averaged over the ${many} in proportion to their size`;
  return [
    {
      name: 'f1_macro',
      label: 'Macro F1',
      help: `F1 of each ${one}, ${equal}: rare ones count as much as frequent ones.`,
    },
    { name: 'precision_macro', label: 'Macro precision', help: `${precision}, ${equal}.` },
    { name: 'recall_macro', label: 'Macro recall', help: `${recall}, ${equal}.` },
    {
      name: 'f1_micro',
      label: 'Micro F1',
      help: `F1 of all predictions counted together: frequent ${many} decide it.`,
    },
    { name: 'f1_weighted', label: 'Weighted F1', help: `F1 of each ${one}, ${bySize}.` },
    {
      name: 'matthews_correlation',
      label: 'Matthews correlation',
      help: `1 is perfect and 0 no better than chance, however uneven the ${many} are.`,
    },
    { name: 'precision_weighted', label: 'Weighted precision', help: `${precision}, ${bySize}.` },
    { name: 'recall_weighted', label: 'Weighted recall', help: `${recall}, ${bySize}.` },
  ];
}
