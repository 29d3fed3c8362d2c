/** Prefix tuning (Li and Liang, 2021): learned keys and values in every layer. See src/engine/methods/prefix-tuning.ts. */
import { prefixTuningKind } from '../formats/peft/prompt';
import type { MethodDescriptor } from './method';
import { peftFormat } from './peft-format';
import { NETWORK_FOLDER } from './shared-facts';
import { ENCODER_HIDDEN_SIZE, INIT_ADAPTER, NUM_VIRTUAL_TOKENS, START_TEXT } from './shared-fields';
import { promptLearning, sizesOf } from './virtual-tokens';

export interface PrefixMethod {
  type: 'prefix_tuning';
  num_virtual_tokens: number;
  /** Train a small network that produces the prefix instead of the prefix itself. */
  prefix_projection: boolean;
  /** Width of that network; null uses the model's. */
  encoder_hidden_size: number | null;
  /** The prefix starts as the keys and values of this text; if empty, at random. Incompatible with prefix_projection. */
  prefix_tuning_init_text: string;
  init_adapter: string | null;
}

export const prefixTuning: MethodDescriptor<PrefixMethod> = {
  type: 'prefix_tuning',
  order: 40,
  label: 'Prefix tuning',
  trains: 'adapter',
  virtualTokens: true,
  merges: false,
  beginsAsBase: false,
  trainers: ['trl'],
  card: {
    group: 'virtual_tokens',
    text: 'Trains a prefix of keys and values in every layer. Steers style or task without changing a weight.',
    memory: 'barely more than the model, plus activations',
    file: 'under 1 % of a large model, a few per cent of a tiny one',
    speed: 'fast; takes up context',
  },
  facts: {
    trained: 'keys and values of virtual tokens before every text, in every layer, plus a classifier’s head',
    saved: NETWORK_FOLDER,
    papers: [
      {
        by: 'Li and Liang, 2021',
        title: 'Prefix-Tuning: Optimizing Continuous Prompts for Generation',
        arxiv: '2101.00190',
      },
    ],
  },
  fields: {
    num_virtual_tokens: { ...NUM_VIRTUAL_TOKENS, default: 50 } as typeof NUM_VIRTUAL_TOKENS,
    prefix_projection: {
      kind: 'bool',
      label: 'Prefix projection',
      help: 'Train a small network that produces the prefix: slower and larger in training, sometimes more stable.',
      default: false,
      source: 'PEFT',
    },
    encoder_hidden_size: ENCODER_HIDDEN_SIZE,
    prefix_tuning_init_text: {
      kind: 'text',
      label: 'Initial text',
      help: 'The prefix starts as the model’s keys and values for this text; if empty, it starts at random.',
      default: START_TEXT,
      source: 'PEFT’s method comparison',
      // With projection a network produces the prefix, and it cannot start from a text.
      variants: [{ when: { 'method.prefix_projection': [true] }, default: '' }],
    },
    init_adapter: INIT_ADAPTER,
  },
  defaults: {
    'training.learning_rate': [{ default: 5e-3, usual: [1e-3, 1e-2], source: 'PEFT’s method comparison' }],
  },
  sizes: sizesOf([10, 25, 50, 75, 100]),
  // pirate-chat: validation loss falls from 6.51 to 5.80 in 12 steps.
  tinyModelRate: 5e-2,
  summary: ({ num_virtual_tokens }) => `Prefix tuning ${num_virtual_tokens}`,
  sentence: ({ num_virtual_tokens }) =>
    `Keys and values of ${num_virtual_tokens} virtual tokens before every text; the model is frozen.`,
  noun: () => 'A learned prefix (prefix tuning)',
  *problems({ prefix_projection, prefix_tuning_init_text }) {
    if (!prefix_projection || !prefix_tuning_init_text.trim()) return;
    yield {
      where: 'method.prefix_tuning_init_text',
      message: 'does not work with prefix_projection, whose network cannot start from a text.',
      action: 'Leave it empty, or set prefix_projection to false.',
    };
  },
  *modelRefusals(_section, model) {
    if (model.kind !== 'encoder') return;
    yield {
      where: 'method.type',
      message: 'needs a cache of keys and values, which encoders do not have.',
      action: 'Use LoRA or prompt tuning.',
    };
  },
  *unused({ prefix_projection, encoder_hidden_size }) {
    if (!prefix_projection && encoder_hidden_size !== null) {
      yield { key: 'encoder_hidden_size', message: 'is ignored without prefix_projection.' };
    }
  },
  initText: ({ prefix_tuning_init_text }) => prefix_tuning_init_text,
  files: peftFormat({
    kind: prefixTuningKind,
    section: ({ config: { num_virtual_tokens, encoder_hidden_size, prefix_projection } }) => ({
      type: 'prefix_tuning',
      num_virtual_tokens,
      encoder_hidden_size,
      prefix_projection,
      prefix_tuning_init_text: '',
      init_adapter: null,
    }),
    config: (section, _exported, model) => ({
      ...promptLearning(section, model),
      token_dim: model.keyValueWidth!,
      num_attention_heads: model.heads.keyValue,
      encoder_hidden_size: section.encoder_hidden_size ?? model.keyValueWidth!,
      prefix_projection: section.prefix_projection,
    }),
  }),
};
