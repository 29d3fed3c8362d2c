/** Runs that are written as configs for Axolotl and LLaMA-Factory: each way of training that they have, on data of each shape. */
import type { RecipeInput } from '../../src/recipe/types';

export interface ConfigCase {
  name: string;
  /** A folder of tests/fixtures/tokenizers. */
  tokenizer: string;
  /** The model's chat template, of tests/fixtures/templates; left out if it has none. */
  template?: string;
  /** Lines of a dataset. */
  lines: readonly object[];
  recipe: Omit<RecipeInput, 'version'>;
  trainers: readonly ('axolotl' | 'llamafactory')[];
}

const BOTH = ['axolotl', 'llamafactory'] as const;

const system = { role: 'system', content: 'You answer like a pirate.' };
const chats = [
  ['Where is the ship?', 'Arr, she lies in the bay.'],
  ['What is 2 + 2?', 'Four, says I — as sure as tides.'],
  ['Who is the captain?', 'That be Anne.\nShe has no fear.'],
  ['Naïve question: où?', 'Là-bas, 🏴‍☠️ matey!'],
  ['Sing!', 'Yo ho ho,\n\nand a bottle of rum.'],
  ['How many sails?', 'Three, and a torn one.'],
].map(([question, answer], i) => ({
  messages: [
    ...(i % 2 === 0 ? [system] : []),
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
    ...(i % 3 === 0
      ? [
          { role: 'user', content: 'Again?' },
          { role: 'assistant', content: `Aye: ${answer}` },
        ]
      : []),
  ],
}));

const completions = [
  ['The colour of the sea is', ' blue.'],
  ['Ahoy means', ' hello.'],
  ['A ship has', ' sails and a mast.'],
  ['Rum is made of', ' sugar cane.'],
  ['The tide', ' comes twice a day.'],
].map(([prompt, completion]) => ({ prompt, completion }));

const alpaca = chats.map(({ messages }, i) => ({
  instruction: messages.find(({ role }) => role === 'user')!.content,
  input: i % 2 === 0 ? 'The bay.' : '',
  output: messages.at(-1)!.content,
}));

const texts = [
  'The sea is wide.',
  'A ship sails far away, past every cape.',
  'Rum.',
  'The captain sleeps until noon.',
].map((text) => ({ text }));

const pairs = chats.map(({ messages }) => ({
  prompt: messages.slice(0, -1),
  chosen: [messages.at(-1)!],
  rejected: [{ role: 'assistant', content: 'I do not know.' }],
}));
const plainPairs = completions.map(({ prompt, completion }) => ({ prompt, chosen: completion, rejected: ' wet.' }));
const judged = pairs.flatMap(({ prompt, chosen, rejected }) => [
  { prompt, completion: chosen, label: true },
  { prompt, completion: rejected, label: false },
]);

const sums = [2, 3, 4, 5, 6, 7].map((n) => ({ prompt: `What is ${n} and ${n}?`, answer: String(2 * n), text: 'four' }));

const dataset = { source: 'file:data.jsonl', validation_split: 0.34, max_length: 256 };
const training = { max_steps: 40, eval_steps: 10, save_steps: 20, seed: 7 };
const model = { source: 'hf:org/tiny@0123abc' };
const chatml = { tokenizer: 'smollm2', template: 'chatml' };
const smollm = { tokenizer: 'smollm2', template: 'smollm2' };

export const CONFIG_CASES: readonly ConfigCase[] = [
  {
    ...{ name: 'chat-lora', ...smollm, lines: chats, trainers: BOTH },
    recipe: { model, dataset, method: { type: 'lora' }, objective: { type: 'sft' }, training },
  },
  {
    ...{ name: 'chat-cut-off', ...chatml, lines: chats, trainers: BOTH },
    recipe: {
      ...{ model, dataset: { ...dataset, max_length: 48 }, method: { type: 'lora' }, objective: { type: 'sft' } },
      training: { ...training, eval_steps: 15, save_steps: 20 },
    },
  },
  {
    ...{ name: 'chat-lora-all-learned', tokenizer: 'llama3', template: 'llama3', lines: chats, trainers: BOTH },
    recipe: {
      ...{ model, dataset, method: { type: 'lora', target_modules: ['q_proj', 'v_proj'] } },
      objective: { type: 'sft', assistant_only_loss: false },
      training: { ...training, lr_scheduler_type: 'polynomial', lr_power: 2, lr_end_ratio: 0.1, optim: 'lion' },
    },
  },
  {
    ...{ name: 'chat-gemma', tokenizer: 'gemma2', template: 'gemma2', lines: chats, trainers: BOTH },
    recipe: {
      ...{ model, dataset, method: { type: 'lora' }, objective: { type: 'sft' } },
      training: { ...training, lr_scheduler_type: 'cosine_with_restarts', lr_num_cycles: 3, max_grad_norm: 0 },
    },
  },
  {
    ...{ name: 'chat-qwen', tokenizer: 'qwen2', template: 'qwen2.5', lines: chats, trainers: BOTH },
    recipe: { model, dataset, method: { type: 'lora' }, objective: { type: 'sft' }, training },
  },
  {
    ...{ name: 'chat-mistral', tokenizer: 'mistral', template: 'mistral', lines: chats, trainers: BOTH },
    recipe: { model, dataset, method: { type: 'lora' }, objective: { type: 'sft' }, training },
  },
  {
    ...{ name: 'chat-without-template', tokenizer: 'llama2', lines: chats, trainers: BOTH },
    recipe: { model, dataset, method: { type: 'lora' }, objective: { type: 'sft' }, training },
  },
  {
    ...{ name: 'completion-dora-rslora', tokenizer: 'gpt2', lines: completions, trainers: BOTH },
    recipe: {
      ...{ model, dataset, objective: { type: 'sft' }, training: { ...training, optim: 'adamw_8bit' } },
      method: { type: 'lora', r: 4, lora_alpha: 8, use_dora: true, use_rslora: true, lora_dropout: 0.05 },
    },
  },
  {
    ...{ name: 'alpaca-pissa', ...chatml, lines: alpaca, trainers: BOTH },
    recipe: {
      ...{ model, dataset, objective: { type: 'sft' }, training: { ...training, optim: 'sgd', weight_decay: 0 } },
      method: { type: 'lora', init_lora_weights: 'pissa', modules_to_save: ['lm_head'] },
    },
  },
  {
    ...{ name: 'qlora-loraplus', ...chatml, lines: chats, trainers: BOTH },
    recipe: {
      ...{ model: { ...model, quantization: 'nf4' }, dataset, objective: { type: 'sft' } },
      method: { type: 'lora', loraplus_lr_ratio: 16 },
      training: { ...training, neftune_noise_alpha: 5, gradient_checkpointing: false },
    },
  },
  {
    ...{ name: 'eight-bit', ...chatml, lines: chats, trainers: BOTH },
    recipe: {
      model: { ...model, quantization: 'q8' },
      dataset,
      method: { type: 'lora' },
      objective: { type: 'sft' },
      training,
    },
  },
  {
    ...{ name: 'full', ...chatml, lines: chats, trainers: BOTH },
    recipe: {
      ...{ model, dataset: { ...dataset, shuffle: false }, method: { type: 'full' }, objective: { type: 'sft' } },
      training: { ...training, max_steps: -1, num_train_epochs: 1.5, lr_scheduler_type: 'warmup_stable_decay' },
    },
  },
  {
    ...{ name: 'packed', ...chatml, lines: chats, trainers: BOTH },
    recipe: {
      model,
      dataset: { ...dataset, packing: true },
      method: { type: 'lora' },
      objective: { type: 'sft' },
      training,
    },
  },
  {
    ...{ name: 'pretraining-packed', tokenizer: 'gpt2', lines: texts, trainers: BOTH },
    recipe: {
      ...{ model, dataset: { ...dataset, packing: true, max_length: 16 }, method: { type: 'lora' } },
      ...{ objective: { type: 'pretraining' }, training: { ...training, learning_rate: 1e-7 } },
    },
  },
  {
    ...{ name: 'dpo', ...chatml, lines: pairs, trainers: BOTH },
    recipe: { model, dataset, method: { type: 'lora' }, objective: { type: 'dpo', beta: 0.2 }, training },
  },
  {
    ...{ name: 'dpo-mpo', ...chatml, lines: pairs, trainers: ['axolotl'] },
    recipe: {
      ...{ model, dataset, method: { type: 'lora' }, training: { ...training, lr_scheduler_type: 'inverse_sqrt' } },
      objective: {
        ...{ type: 'dpo', loss_type: ['sigmoid', 'bco_pair', 'sft'], loss_weights: [0.8, 0.2, 1] },
        ...{ use_weighting: true, precompute_ref_log_probs: true },
      },
    },
  },
  {
    ...{ name: 'dpo-plain', tokenizer: 'gpt2', lines: plainPairs, trainers: BOTH },
    recipe: {
      ...{ model, dataset, method: { type: 'full' }, training },
      objective: { type: 'dpo', loss_type: ['ipo'], ld_alpha: 0.5 },
    },
  },
  {
    ...{ name: 'kto', ...chatml, lines: judged, trainers: BOTH },
    recipe: {
      ...{ model, dataset, method: { type: 'lora' }, training },
      objective: { type: 'kto', beta: 0.3, desirable_weight: 1.2, undesirable_weight: 0.7 },
    },
  },
  {
    ...{ name: 'orpo', ...chatml, lines: pairs, trainers: BOTH },
    recipe: { model, dataset, method: { type: 'lora' }, objective: { type: 'orpo', beta: 0.15 }, training },
  },
  {
    ...{ name: 'simpo', ...chatml, lines: pairs, trainers: BOTH },
    recipe: {
      ...{ model, dataset, method: { type: 'lora' }, training },
      objective: { type: 'cpo', loss_type: 'simpo', beta: 2, simpo_gamma: 0.8, cpo_alpha: 0.25 },
    },
  },
  {
    ...{ name: 'reward', ...chatml, lines: pairs, trainers: BOTH },
    recipe: {
      ...{ model, dataset, method: { type: 'lora' }, training },
      objective: { type: 'reward', center_rewards_coefficient: 0.01 },
    },
  },
  {
    ...{ name: 'grpo', ...chatml, lines: sums, trainers: ['axolotl'] },
    recipe: {
      ...{ model, method: { type: 'lora' }, training },
      dataset: { ...dataset, format: 'prompt_only' },
      objective: {
        ...{ type: 'grpo', num_generations: 4, top_k: 20, epsilon_high: 0.28, loss_type: 'dr_grpo', beta: 0.04 },
        rewards: [
          { type: 'exact_answer' },
          { type: 'exact_answer', compare: 'text', column: 'text', weight: 0.5, name: 'same-words' },
          { type: 'exact_answer', tolerance: 0.01, ignore_case: false, name: 'near' },
          { type: 'regex', pattern: '^(?<sum>\\d+)\\b', flags: 'm' },
          { type: 'regex', pattern: '^\\d+$', flags: '', name: 'digits' },
          { type: 'regex', pattern: 'four|vier', flags: 'i', match: 'whole', name: 'whole' },
          { type: 'json_valid' },
          { type: 'json_valid', schema: '{"type": "object", "required": ["sum"]}', partial: 0.5, name: 'of-a-shape' },
          { type: 'contains', words: ['four', 'sum is'], column: 'text', count: 'share' },
          { type: 'contains', words: ['FOUR'], ignore_case: false, whole_words: false, name: 'capitals' },
          { type: 'avoids', words: ['maybe', 'été'] },
          { type: 'length', unit: 'words', min: 2, max: 4, slope: 3 },
          { type: 'length', unit: 'characters', min: 1, max: 6, slope: 0, name: 'letters' },
          { type: 'length', unit: 'tokens', min: 3, max: 5, slope: 4, name: 'tokens' },
          { type: 'think_format' },
          { type: 'think_format', answer_tag: 'answer', name: 'tagged' },
          { type: 'repetition_penalty', ngram_size: 2 },
        ],
      } as unknown as NonNullable<RecipeInput['objective']>,
    },
  },
];

/** Answers to try rewards on, with the columns of their prompt. */
export const ANSWERS: readonly { completion: string; tokens: number[]; columns: Record<string, unknown> }[] = [
  '4',
  'four',
  ' Four. ',
  'The sum is 4.00',
  '<think>2 + 2</think>4',
  '<think>a</think><answer>4</answer>',
  '<think>a<think>b</think>4',
  '{"sum": 4}',
  '```json\n{"sum": 4}\n```',
  '[1, NaN]',
  'maybe four, or ete',
  'ÉTÉ and 3.995',
  '1 1/2 or \\frac{8}{2}',
  'It costs $1,234.50, or 400% of it',
  'a b a b a b a b',
  '-4',
  'minus −4 #### 4',
  '\\boxed{16/4} is not 5',
  'fourteen',
  '12\n',
  '٣',
  'a\n7 b',
  '',
  'Ｆｏｕｒ  sum\u00a0is',
].map((completion, i) => ({
  completion,
  tokens: Array.from({ length: (i * 3) % 8 }, (_, at) => at % ((i % 3) + 1)),
  columns: {
    answer: ['4', 4, null, '#### 400%', '1.5', ' '][i % 6],
    text: ['four', 'The sum is', null, ['4', 'sum']][i % 4],
  },
}));

/** Rows that an objective learns from. */
export function linesFor(objective: string): readonly object[] {
  if (objective === 'kto') return judged;
  if (objective === 'pretraining') return texts;
  if (objective === 'grpo') return sums;
  return objective === 'sft' ? chats : pairs;
}
