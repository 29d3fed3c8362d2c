/** Supervised fine-tuning on answers. The loss is in src/engine/objectives/sft.ts. */
import { answered, imitationWarnings, unwanted } from '../data/imitated';
import { encodeRendered } from '../data/loss-mask';
import { writingWarnings } from '../data/model-warnings';
import { type ObjectiveData, unlabelled } from '../data/objective-data';
import { packExamples } from '../data/packing';
import { nextTokenLabels, truncate } from '../data/truncate';
import type { DataProblem } from '../data/types';
import { PERPLEXITY, TOKEN_LOSS } from './metrics';
import type { ObjectiveDescriptor } from './objective';
import { GENERATE } from './python';

export interface SftObjective {
  type: 'sft';
  /** Loss on the answers only (end token included), not on prompts. */
  assistant_only_loss: boolean;
}

export const sft: ObjectiveDescriptor<SftObjective> = {
  type: 'sft',
  label: 'Supervised fine-tuning',
  order: 10,
  learns: 'answers',
  writes: true,
  trainers: ['axolotl', 'llamafactory', 'trl'],
  models: 'decoder',
  labels: null,
  packs: true,
  data,
  goal: {
    name: 'Answer like my examples',
    text: 'It learns to give the answers, not to ask the questions. For chats, replies and instructions.',
    formats: ['messages', 'sharegpt', 'alpaca', 'prompt_completion'],
  },
  fields: {
    assistant_only_loss: {
      kind: 'bool',
      label: 'Learn answers only',
      help: 'Count the loss on answers and their end, not on prompts.',
      default: true,
      source: 'TRL, LLaMA-Factory',
    },
  },
  *modelRefusals(_section, model) {
    if (model.kind !== 'encoder') return;
    yield {
      where: 'objective.type',
      message: `${model.title} reads text but does not generate it, so it cannot learn from examples of answers.`,
      action: 'Choose a model that generates text.',
    };
  },
  remark: ({ assistant_only_loss }) =>
    assistant_only_loss ? null : 'It learns the questions too, as set in Advanced.',
  loss: TOKEN_LOSS,
  metrics: [PERPLEXITY],
  taskType: 'CAUSAL_LM',
  autoClass: 'AutoModelForCausalLM',
  pipelineTag: 'text-generation',
  python: GENERATE('Hello'),
};

function data({ assistant_only_loss }: SftObjective): ObjectiveData {
  return {
    needs: answered,
    counts: 'shifted',
    encodedBy: assistant_only_loss,
    longTexts: 'truncated',
    warnings: (examples, options) => [...imitationWarnings(examples), ...writingWarnings(examples, options)],
    // Rows without labels are examples for classification with several labels.
    refuse: (example) =>
      example.kind === 'labelled' && isEmpty(example.labels) ? noAnswer(example.row) : unwanted(example),
    encode(example, options, tokenizer) {
      const rendered = options.render(example, { ...options, assistantOnlyLoss: assistant_only_loss });
      const encoded = encodeRendered(example.row, rendered, tokenizer);
      return { rendered: rendered.text, encoded, notes: rendered.notes };
    },
    label: () =>
      unlabelled((encoded, { maxLength }) => {
        const { sequence, keep } = truncate(encoded, maxLength);
        return [{ kind: 'next_token', ...sequence, labels: keep(nextTokenLabels(encoded)), starts: null }];
      }),
    pack: packExamples,
  };
}

const isEmpty = (labels: string[] | number) => typeof labels !== 'number' && labels.length === 0;

const noAnswer = (row: number): DataProblem => ({
  severity: 'error',
  code: 'empty_label',
  row,
  message: `Row ${row} has no label to answer with.`,
  action: 'It was left out. Give it a label, or choose classification with several labels.',
  dropped: true,
});
