/** The runs that scripts/interop/trl.mjs compares: tiny models of the fixtures, and made-up rows. */

import { IGNORE_INDEX } from '../../src/base/ignore-index';
import type { TaskData } from '../../src/base/task';
import type { TokenizedExample } from '../../src/data/types';
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

const TRAINING = {
  max_steps: 20,
  ...{ learning_rate: 1e-2, per_device_train_batch_size: 2, gradient_accumulation_steps: 4 },
  ...{ eval_steps: 8, save_steps: 0, weight_decay: 0.1 },
} as const;

export const CASES: TrlCase[] = [
  {
    name: 'sft-lora',
    processes: [1, 2],
    base: 'llama/gqa-tied',
    tokens: { pad: 0, eos: 2 },
    recipe: { method: { type: 'lora', r: 4, lora_alpha: 8 }, objective: { type: 'sft' }, training: TRAINING },
    // Steps of seven and eight rows.
    train: answers(37, 128, 1),
    validation: answers(5, 128, 2),
  },
];
