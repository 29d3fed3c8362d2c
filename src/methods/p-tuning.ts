/**
 * P-tuning (Liu et al., 2021): prompt tuning with embeddings produced by a small network (PEFT's MLP). Implemented in
 * src/engine/methods/p-tuning.ts.
 */
import { type PeftPTuningConfig, pTuningKind } from '../formats/peft/prompt';
import type { MethodDescriptor } from './method';
import { peftFormat } from './peft-format';
import { NETWORK_FOLDER } from './shared-facts';
import { ENCODER_HIDDEN_SIZE, INIT_ADAPTER, NUM_VIRTUAL_TOKENS } from './shared-fields';
import { embeddingsSentence, promptLearning, sizesOf } from './virtual-tokens';

export interface PTuningMethod {
  type: 'p_tuning';
  num_virtual_tokens: number;
  /** Width of the network; null uses the model's. */
  encoder_hidden_size: number | null;
  init_adapter: string | null;
}

export const pTuning: MethodDescriptor<PTuningMethod> = {
  type: 'p_tuning',
  order: 60,
  label: 'P-tuning',
  trains: 'adapter',
  virtualTokens: true,
  merges: false,
  beginsAsBase: false,
  trainers: ['trl'],
  card: {
    group: 'virtual_tokens',
    text: 'Trains a small network that produces virtual tokens. More stable than prompt tuning; mostly for classification.',
    memory: 'barely more than the model, plus activations',
    file: 'kilobytes',
    speed: 'slow to learn; takes up context',
  },
  facts: {
    trained:
      'a small network that produces the embeddings of virtual tokens before every text, plus a classifier’s head',
    saved: NETWORK_FOLDER,
    papers: [{ by: 'Liu et al., 2021', title: 'GPT Understands, Too', arxiv: '2103.10385' }],
  },
  fields: {
    num_virtual_tokens: NUM_VIRTUAL_TOKENS,
    encoder_hidden_size: ENCODER_HIDDEN_SIZE,
    init_adapter: INIT_ADAPTER,
  },
  defaults: {
    'training.learning_rate': [{ default: 3e-3, usual: [1e-3, 3e-2], source: 'PEFT’s method comparison' }],
  },
  sizes: sizesOf([5, 10, 20, 40, 80]),
  summary: ({ num_virtual_tokens }) => `P-tuning ${num_virtual_tokens}`,
  sentence: embeddingsSentence,
  noun: () => 'A learned prompt (P-tuning)',
  files: peftFormat<PTuningMethod, PeftPTuningConfig>({
    kind: pTuningKind,
    section: ({ config: { num_virtual_tokens, encoder_hidden_size } }) => ({
      type: 'p_tuning',
      num_virtual_tokens,
      encoder_hidden_size,
      init_adapter: null,
    }),
    config: (section, _exported, model) => ({
      ...promptLearning(section, model),
      encoder_reparameterization_type: 'MLP',
      encoder_hidden_size: section.encoder_hidden_size ?? model.hiddenSize,
      encoder_num_layers: 2,
      encoder_dropout: 0,
    }),
  }),
};
