/** The runs that scripts/interop/trl.mjs compares: tiny models of the fixtures, and made-up rows. */

import { IGNORE_INDEX } from '../../src/base/ignore-index';
import type { TaskData } from '../../src/base/task';
import type { NextTokenExample, PairExample, TokenizedExample } from '../../src/data/types';
import type { RecipeInput } from '../../src/recipe/types';

export interface TrlCase {
  name: string;
  /** A folder of tests/fixtures with config.json and model.safetensors. */
  base: string;
  /** Changes of config.json. */
  config?: Record<string, unknown>;
  tokens: { pad: number; eos: number; mask?: number };
  recipe: Omit<RecipeInput, 'version' | 'name'>;
  train: TokenizedExample[];
  validation: TokenizedExample[];
  task?: TaskData;
  baseText?: TokenizedExample[];
  initText?: number[];
  /** Numbers of processes that the script is run on; one if left out. */
  processes?: number[];
  /** A checkpoint that the script goes on from, in a second run. */
  resumes?: number;
  /** The adapter is opened here, and trained on. */
  reopens?: true;
  /** Tried only if TRL_CASES names it, or is `all`. */
  rare?: true;
  /** Made by TRL's command line, and not by the script. */
  commandLine?: true;
}

/** Numbers below `n`, the same each time. */
function numbers(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor(((state >>> 8) / 2 ** 23) * n);
  };
}

/** Texts of 4 to 14 tokens, of which the first are not learned. */
function answers(count: number, vocab: number, seed: number): TokenizedExample[] {
  const next = numbers(seed);
  return Array.from({ length: count }, (_, row) => {
    const length = 4 + next(11);
    const prompt = 1 + next(3);
    // Repetitive, so that there is something to learn.
    const ids = Int32Array.from({ length }, (_, i) => 5 + (((row % 4) * 7 + i * 3 + next(2)) % (vocab - 5)));
    const labels = ids.map((id, i) => (i < prompt ? IGNORE_INDEX : id));
    return { kind: 'next_token', row: row + 1, ids, labels, starts: null, truncatedBy: 0 };
  });
}

/** The same text with another end, which alone is a target. */
function otherwise(example: NextTokenExample): NextTokenExample {
  const { ids } = example;
  const end = ids.length - 1;
  const other = ids.map((id, i) => (i === end ? (id % 120) + 6 : id));
  return { ...example, ids: other, labels: other.map((id, i) => (i === end ? id : IGNORE_INDEX)) };
}

/** Two texts to a row. */
function packs(rows: readonly TokenizedExample[]): TokenizedExample[] {
  const texts = rows as NextTokenExample[];
  return Array.from({ length: texts.length / 2 }, (_, i): TokenizedExample => {
    const [a, b] = [texts[2 * i]!, texts[2 * i + 1]!];
    const joined = (key: 'ids' | 'labels') => Int32Array.from([...a[key], ...b[key]]);
    const starts = Int32Array.from({ length: a.ids.length + b.ids.length }, (_, at) =>
      at < a.ids.length ? 0 : a.ids.length,
    );
    return { ...a, row: i + 1, ids: joined('ids'), labels: joined('labels'), starts };
  });
}

/** A prompt with two answers, of which the better one goes on as its prompt began. */
function pairs(count: number, vocab: number, seed: number): PairExample[] {
  const next = numbers(seed);
  return Array.from({ length: count }, (_, row) => {
    const promptLength = 2 + next(3);
    const prompt = Array.from({ length: promptLength }, (_, i) => 5 + (((row % 4) * 7 + i * 3) % (vocab - 5)));
    const answer = (step: number) =>
      Array.from({ length: 2 + next(6) }, (_, i) => 5 + (((row % 4) * 7 + (promptLength + i) * step) % (vocab - 5)));
    const sequence = (step: number) => Int32Array.from([...prompt, ...answer(step), 2]);
    const made = { row: row + 1, promptLength, margin: 0, truncatedBy: 0 };
    return { kind: 'pair', ids: sequence(3), rejected: sequence(5), ...made };
  });
}

/** Answers of pairs, each by itself; the longest are cut off. */
function judged(count: number, vocab: number, seed: number, limit = 11): TokenizedExample[] {
  return pairs(count, vocab, seed).map(({ row, promptLength, ids, rejected }, i) => {
    const good = i % 3 !== 1;
    const whole = good ? ids : rejected;
    const made = { row, promptLength, good, limit, truncatedBy: Math.max(0, whole.length - limit) };
    const beyond = whole.length > limit ? { beyond: whole.slice(limit) } : {};
    return { kind: 'judged', ids: whole.slice(0, limit), ...made, ...beyond };
  });
}

/** Texts whose first token tells what `targets` makes of it. */
function texts(count: number, vocab: number, seed: number, targets: (group: number) => number[]): TokenizedExample[] {
  const next = numbers(seed);
  return Array.from({ length: count }, (_, row) => {
    const ids = Int32Array.from(
      { length: 3 + next(8) },
      (_, i) => 5 + (((row % 3) * 11 + i * 3 + next(3)) % (vocab - 5)),
    );
    return { kind: 'text_targets', row: row + 1, ids, targets: Float32Array.from(targets(row % 3)), truncatedBy: 0 };
  });
}

const TRAINING = {
  max_steps: 20,
  ...{ learning_rate: 1e-2, per_device_train_batch_size: 2, gradient_accumulation_steps: 4 },
  ...{ eval_steps: 8, save_steps: 0, weight_decay: 0.1, model_dropout: false },
} as const;

const LORA = { type: 'lora', r: 4, lora_alpha: 8 } as const;
const LLAMA = { base: 'llama/gqa-tied', tokens: { pad: 0, eos: 2 } };
const BERT = { base: 'families/bert', tokens: { pad: 0, eos: 2 } };
/** Steps of seven and eight rows. */
const ROWS = 37;

/** What a file for TRL's command line can carry: the order of the file, whole steps, and a start that nobody draws. */
const BY_COMMAND = {
  dataset: { shuffle: false },
  method: { type: 'full' },
  training: { ...TRAINING, learning_rate: 1e-3, eval_steps: 10, save_steps: 10 },
} as const;

/** Texts whose words have labels that their numbers tell; the second halves of words have none. */
function words(count: number, vocab: number, seed: number): TokenizedExample[] {
  const next = numbers(seed);
  return Array.from({ length: count }, (_, row) => {
    const ids = Int32Array.from({ length: 3 + next(8) }, () => 5 + next(vocab - 5));
    const labels = ids.map((id, i) => (i > 0 && id % 5 === 0 ? IGNORE_INDEX : id % 3));
    return { kind: 'token_labels', row: row + 1, ids, labels, truncatedBy: 0 };
  });
}

/** Texts between two special tokens. */
const hidden = (count: number, vocab: number, seed: number): TokenizedExample[] =>
  answers(count, vocab, seed).map(({ row, ids }): TokenizedExample => {
    const special = new Uint8Array(ids.length).map((_, i) => Number(i === 0 || i === ids.length - 1));
    return { kind: 'hidden_tokens', row, ids, special, truncatedBy: 0 };
  });

const PAIRS = { ...LLAMA, train: pairs(ROWS, 128, 3), validation: pairs(5, 128, 4) };
const one = ['a', 'b', 'c'];
const CLASSES: TaskData = { problemType: 'single_label_classification', labels: one };

export const CASES: TrlCase[] = [
  {
    name: 'sft-lora',
    reopens: true,
    processes: [1, 2],
    ...LLAMA,
    recipe: { method: LORA, objective: { type: 'sft' }, training: TRAINING },
    train: answers(ROWS, 128, 1),
    validation: answers(5, 128, 2),
  },
  {
    // The validation rows end otherwise than those that are learned, so that every step makes them less likely.
    name: 'sft-resumed',
    resumes: 12,
    ...LLAMA,
    recipe: {
      method: LORA,
      objective: { type: 'sft' },
      training: { ...TRAINING, eval_steps: 4, save_steps: 12 },
    },
    train: answers(16, 128, 1),
    validation: answers(16, 128, 1).map((row) => otherwise(row as NextTokenExample)),
  },
  {
    name: 'dpo-lora',
    processes: [1, 2],
    ...PAIRS,
    recipe: { method: LORA, objective: { type: 'dpo' }, training: TRAINING },
  },
  {
    name: 'dpo-full-losses',
    rare: true,
    ...PAIRS,
    recipe: {
      method: { type: 'full' },
      objective: { type: 'dpo', loss_type: ['sigmoid', 'bco_pair', 'sft'], loss_weights: [0.8, 0.2, 1], ld_alpha: 0.5 },
      training: { ...TRAINING, learning_rate: 1e-3 },
    },
  },
  {
    name: 'kto-lora',
    processes: [2],
    ...LLAMA,
    recipe: { method: LORA, objective: { type: 'kto', desirable_weight: 1.2 }, training: TRAINING },
    train: judged(ROWS, 128, 5),
    validation: judged(5, 128, 6),
  },
  {
    name: 'orpo-lora',
    reopens: true,
    processes: [1, 2],
    rare: true,
    ...PAIRS,
    recipe: { method: LORA, objective: { type: 'orpo' }, training: TRAINING },
  },
  {
    name: 'cpo-lora',
    processes: [1],
    ...PAIRS,
    recipe: { method: LORA, objective: { type: 'cpo' }, training: TRAINING },
  },
  {
    name: 'simpo-full',
    rare: true,
    processes: [1, 2],
    ...PAIRS,
    recipe: {
      method: { type: 'full' },
      objective: { type: 'cpo', loss_type: 'simpo', alpha: 0.1 },
      training: { ...TRAINING, learning_rate: 1e-3 },
    },
  },
  {
    name: 'reward-lora',
    processes: [1, 2],
    rare: true,
    ...LLAMA,
    task: { problemType: 'regression', labels: ['reward'] },
    recipe: {
      method: LORA,
      objective: { type: 'reward', center_rewards_coefficient: 0.01 },
      training: TRAINING,
    },
    train: pairs(ROWS, 128, 3).map((pair, i) => ({ ...pair, margin: i % 2 })),
    validation: pairs(5, 128, 4),
  },
  {
    name: 'classes-full',
    rare: true,
    ...BERT,
    processes: [1, 2],
    task: CLASSES,
    recipe: {
      method: { type: 'full' },
      objective: { type: 'sequence_classification' },
      training: { ...TRAINING, learning_rate: 1e-3, label_smoothing_factor: 0.1 },
    },
    train: texts(ROWS, 67, 7, (group) => [group]),
    validation: texts(5, 67, 8, (group) => [group]),
  },
  {
    name: 'numbers-lora',
    ...LLAMA,
    task: { problemType: 'regression', labels: ['score'] },
    recipe: { method: LORA, objective: { type: 'sequence_classification' }, training: TRAINING },
    train: texts(ROWS, 128, 7, (group) => [group / 2]),
    validation: texts(5, 128, 8, (group) => [group / 2]),
  },
  ...(
    [
      ['prompt', { type: 'prompt_tuning', num_virtual_tokens: 4, prompt_tuning_init: 'RANDOM' }],
      ['prefix', { type: 'prefix_tuning', num_virtual_tokens: 4, prefix_projection: true, encoder_hidden_size: 16 }],
      ['prefix-plain', { type: 'prefix_tuning', num_virtual_tokens: 4, prefix_projection: false }],
      ['p-tuning', { type: 'p_tuning', num_virtual_tokens: 4, encoder_hidden_size: 16 }],
    ] as const
  ).map(
    ([name, method]): TrlCase => ({
      name: `sft-${name}`,
      ...(name === 'prefix' ? {} : { rare: true }),
      ...(name === 'p-tuning' ? { processes: [1, 2] } : {}),
      // A network starts from new values, and only its output is in the file.
      ...(name === 'prompt' || name === 'prefix-plain' ? { reopens: true } : {}),
      ...LLAMA,
      recipe: { method, objective: { type: 'sft' }, training: TRAINING } as TrlCase['recipe'],
      train: answers(ROWS, 128, 1),
      validation: answers(5, 128, 2),
    }),
  ),
  {
    name: 'words-lora',
    processes: [2],
    ...BERT,
    task: { problemType: 'token_classification', labels: ['O', 'B', 'I'] },
    recipe: { method: LORA, objective: { type: 'token_classification' }, training: TRAINING },
    train: words(ROWS, 67, 9),
    validation: words(5, 67, 10),
  },
  {
    name: 'words-p-tuning',
    rare: true,
    ...BERT,
    task: { problemType: 'token_classification', labels: ['O', 'B', 'I'] },
    recipe: {
      method: { type: 'p_tuning', num_virtual_tokens: 3 },
      objective: { type: 'token_classification' },
      training: TRAINING,
    },
    train: words(ROWS, 67, 9),
    validation: words(5, 67, 10),
  },
  {
    name: 'masked-lora',
    ...BERT,
    tokens: { ...BERT.tokens, mask: 3 },
    recipe: { method: LORA, objective: { type: 'masked_lm', mlm_probability: 0.3 }, training: TRAINING },
    train: hidden(ROWS, 67, 11),
    validation: hidden(5, 67, 12),
  },
  {
    name: 'several-head',
    ...BERT,
    task: { problemType: 'multi_label_classification', labels: one },
    recipe: { method: { type: 'head' }, objective: { type: 'sequence_classification' }, training: TRAINING },
    train: texts(ROWS, 67, 7, (group) => [1, Number(group === 1), Number(group === 2)]),
    validation: texts(5, 67, 8, (group) => [1, Number(group === 1), Number(group === 2)]),
  },
  ...(
    [
      ['classes-prompt', { type: 'prompt_tuning', num_virtual_tokens: 3, prompt_tuning_init: 'RANDOM' }, BERT, 67],
      ['classes-prefix', { type: 'prefix_tuning', num_virtual_tokens: 3, prefix_projection: false }, LLAMA, 128],
    ] as const
  ).map(
    ([name, method, base, vocab]): TrlCase => ({
      ...{ name, ...base, rare: true, task: CLASSES },
      recipe: { method, objective: { type: 'sequence_classification' }, training: TRAINING },
      train: texts(ROWS, vocab, 7, (group) => [group]),
      validation: texts(5, vocab, 8, (group) => [group]),
    }),
  ),
  {
    name: 'command-sft',
    commandLine: true,
    ...LLAMA,
    recipe: { ...BY_COMMAND, objective: { type: 'sft' } },
    train: answers(40, 128, 1),
    validation: answers(6, 128, 2),
  },
  {
    name: 'command-sft-packed',
    rare: true,
    commandLine: true,
    ...LLAMA,
    recipe: { ...BY_COMMAND, objective: { type: 'sft' } },
    train: packs(answers(80, 128, 1)),
    validation: packs(answers(8, 128, 2)),
  },
  {
    name: 'command-dpo',
    commandLine: true,
    ...LLAMA,
    recipe: { ...BY_COMMAND, objective: { type: 'dpo', beta: 0.2 } },
    train: pairs(40, 128, 3),
    validation: pairs(6, 128, 4),
  },
  {
    name: 'command-kto',
    rare: true,
    commandLine: true,
    ...LLAMA,
    recipe: { ...BY_COMMAND, objective: { type: 'kto' } },
    train: judged(40, 128, 5, 32),
    validation: judged(6, 128, 6, 32),
  },
  ...(
    [
      ['pissa', { ...LORA, init_lora_weights: 'pissa', use_rslora: true, rank_pattern: { q_proj: 2 } }],
      ['dora-plus', { ...LORA, use_dora: true, loraplus_lr_ratio: 4, alpha_pattern: { v_proj: 16 } }],
      ['ia3', { type: 'ia3' }],
    ] as const
  ).map(
    ([name, method]): TrlCase => ({
      name: `sft-${name}`,
      rare: true,
      reopens: true,
      ...LLAMA,
      recipe: { method, objective: { type: 'sft' }, training: TRAINING } as TrlCase['recipe'],
      train: answers(ROWS, 128, 1),
      validation: answers(5, 128, 2),
    }),
  ),
];
