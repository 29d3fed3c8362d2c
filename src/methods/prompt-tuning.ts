/** Prompt tuning (Lester et al., 2021): learned embeddings before every text. See src/engine/methods/prompt-tuning.ts. */
import { promptTuningKind } from '../formats/peft/prompt';
import { options } from '../recipe/spec';
import type { MethodDescriptor } from './method';
import { peftFormat } from './peft-format';
import { PEFT_FOLDER } from './shared-facts';
import { INIT_ADAPTER, NUM_VIRTUAL_TOKENS, START_TEXT } from './shared-fields';
import { embeddingsSentence, promptLearning, sizesOf } from './virtual-tokens';

export interface PromptMethod {
  type: 'prompt_tuning';
  num_virtual_tokens: number;
  prompt_tuning_init: 'RANDOM' | 'SAMPLE_VOCAB' | 'TEXT';
  prompt_tuning_init_text: string;
  init_adapter: string | null;
}

export const promptTuning: MethodDescriptor<PromptMethod> = {
  type: 'prompt_tuning',
  order: 50,
  label: 'Prompt tuning',
  trains: 'adapter',
  virtualTokens: true,
  merges: false,
  beginsAsBase: false,
  trainers: ['trl'],
  card: {
    group: 'virtual_tokens',
    text: 'Trains the embeddings of virtual tokens. Works best on large models; small ones learn slowly this way.',
    memory: 'barely more than the model, plus activations',
    file: 'kilobytes',
    speed: 'slow to learn; takes up context',
  },
  facts: {
    trained: 'embeddings of virtual tokens before every text, plus a classifier’s head',
    saved: PEFT_FOLDER,
    papers: [
      {
        by: 'Lester et al., 2021',
        title: 'The Power of Scale for Parameter-Efficient Prompt Tuning',
        arxiv: '2104.08691',
      },
    ],
  },
  fields: {
    num_virtual_tokens: NUM_VIRTUAL_TOKENS,
    prompt_tuning_init: {
      kind: 'select',
      label: 'Initial prompt',
      help: 'What the virtual tokens start as: a text learns much better than random values.',
      default: 'TEXT',
      options: options({ TEXT: 'A text', SAMPLE_VOCAB: 'Random tokens', RANDOM: 'Random values' }),
      source: 'PEFT’s method comparison',
    },
    prompt_tuning_init_text: {
      kind: 'text',
      label: 'Initial text',
      help: 'Text that the prompt starts as with TEXT, repeated or truncated to num_virtual_tokens.',
      default: START_TEXT,
      source: 'Tabtune',
    },
    init_adapter: INIT_ADAPTER,
  },
  defaults: {
    'training.learning_rate': [{ default: 3e-3, usual: [1e-3, 3e-2], source: 'PEFT’s method comparison' }],
  },
  sizes: sizesOf([5, 10, 20, 40, 80]),
  // pirate-chat: validation loss falls from 6.51 to 5.47 in 12 steps.
  tinyModelRate: 3e-2,
  summary: ({ num_virtual_tokens }) => `Prompt tuning ${num_virtual_tokens}`,
  sentence: embeddingsSentence,
  noun: () => 'A learned prompt (prompt tuning)',
  *problems({ prompt_tuning_init, prompt_tuning_init_text }) {
    if (prompt_tuning_init !== 'TEXT' || prompt_tuning_init_text.trim()) return;
    yield {
      where: 'method.prompt_tuning_init_text',
      message: 'is empty, but the prompt starts from this text.',
      action: 'Write one, or choose another prompt_tuning_init.',
    };
  },
  *unused({ prompt_tuning_init, prompt_tuning_init_text }) {
    if (prompt_tuning_init !== 'TEXT' && prompt_tuning_init_text !== '') {
      yield { key: 'prompt_tuning_init_text', message: 'is ignored unless prompt_tuning_init is TEXT.' };
    }
  },
  initText: ({ prompt_tuning_init, prompt_tuning_init_text }) =>
    prompt_tuning_init === 'TEXT' ? prompt_tuning_init_text : '',
  files: peftFormat({
    kind: promptTuningKind,
    section: ({ config: { num_virtual_tokens, prompt_tuning_init, prompt_tuning_init_text } }) => ({
      type: 'prompt_tuning',
      num_virtual_tokens,
      prompt_tuning_init,
      prompt_tuning_init_text: prompt_tuning_init_text ?? '',
      init_adapter: null,
    }),
    config(section, _exported, model, base) {
      const { prompt_tuning_init, prompt_tuning_init_text } = section;
      const text = prompt_tuning_init === 'TEXT';
      return {
        ...promptLearning(section, model),
        prompt_tuning_init,
        prompt_tuning_init_text: text ? prompt_tuning_init_text : null,
        tokenizer_name_or_path: text ? base : null,
      };
    },
  }),
};
