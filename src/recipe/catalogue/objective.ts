/** What is learned: the fields of every objective. */
import type { ObjectiveType } from '../types';
import { options, type SectionFields } from './section';

const objectives: Record<ObjectiveType, string> = {
  sft: 'Supervised fine-tuning',
  pretraining: 'Continued pretraining',
  sequence_classification: 'Classification of texts',
  token_classification: 'Classification of words',
  masked_lm: 'Masked language modelling',
};

export const objectiveFields: SectionFields<'objective'> = {
  'objective.type': {
    kind: 'select',
    label: 'Objective',
    help: 'What is learned: answers, plain text, classes of texts, tags of words, or hidden words.',
    default: 'sft',
    options: options(objectives),
    source: 'TRL',
  },
  'objective.assistant_only_loss': {
    kind: 'bool',
    label: 'Learn answers only',
    help: 'Count the loss on answers and their end, not on prompts.',
    default: true,
    source: 'TRL, LLaMA-Factory',
    for: ['sft'],
  },
  'objective.problem_type': {
    kind: 'select',
    label: 'Kind of problem',
    help: 'auto: several labels a row mean multi_label_classification, fractions mean regression.',
    default: 'auto',
    options: options({
      auto: 'Decide from the labels',
      single_label_classification: 'One class a text',
      multi_label_classification: 'Any number of classes a text',
      regression: 'A number a text',
    }),
    source: 'transformers',
    for: ['sequence_classification'],
  },
  'objective.mlm_probability': {
    kind: 'number',
    label: 'Hidden words',
    help: 'Share of the tokens that are hidden and have to be guessed.',
    default: 0.15,
    min: 0,
    max: 1,
    above: true,
    below: true,
    step: 0.01,
    usual: [0.15, 0.4],
    source: 'BERT, transformers',
    for: ['masked_lm'],
  },
};
