/** Supervised fine-tuning on answers. The loss is in src/engine/objectives/sft.ts. */
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
  learns: 'answers',
  writes: true,
  models: 'decoder',
  labels: null,
  packs: true,
  goal: {
    name: 'Answer like my examples',
    text: 'It learns to give the answers, not to ask the questions. Right for chats, replies and instructions.',
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
      message: `${model.title} reads text and does not write any, so it cannot learn from examples of answers.`,
      action: 'Choose a model that generates text.',
    };
  },
  remark: ({ assistant_only_loss }) =>
    assistant_only_loss ? null : 'It learns the questions too: chosen in Advanced.',
  metrics: [],
  taskType: 'CAUSAL_LM',
  autoClass: 'AutoModelForCausalLM',
  pipelineTag: 'text-generation',
  python: GENERATE('Hello'),
};
