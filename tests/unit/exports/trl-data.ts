/** Rows and runs for tests of what is written for TRL. */
import type { NextTokenExample, PairExample } from '../../../src/data/types';
import type { TrainingData } from '../../../src/exports/trainers/training-data';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { RecipeInput } from '../../../src/recipe/types';

export const next = (changes: Partial<NextTokenExample> = {}): NextTokenExample => ({
  ...{ kind: 'next_token', row: 1, ids: Int32Array.of(5, 6, 7), labels: Int32Array.of(-100, 6, 7) },
  ...{ starts: null, truncatedBy: 0 },
  ...changes,
});

export const pair = (changes: Partial<PairExample> = {}): PairExample => ({
  ...{ kind: 'pair', row: 1, ids: Int32Array.of(5, 6, 7), rejected: Int32Array.of(5, 8), promptLength: 1 },
  ...{ margin: 0, truncatedBy: 0 },
  ...changes,
});

export function dataOf(
  input: Omit<RecipeInput, 'version' | 'name'>,
  { train = [], validation = [], task = null }: Partial<TrainingData> = {},
): TrainingData {
  return {
    ...{ recipe: resolveRecipe({ version: 1, name: 'made up', ...input }), train, validation, replayed: [], task },
    ...{ maxLength: 64, tokens: { pad: 9, mask: null, stop: [2] }, steps: 3, stepsPerEpoch: 3 },
    microBatches: () => [[0]],
    paddedLength: () => 16,
    written: async () => ({ train: [], validation: [] }),
    example: () => null,
    start: async () => ({ adapter: null, tensors: new Map() }),
  };
}

export const SAFETENSORS = { id: 'org/name', revision: 'abc', gguf: null };
