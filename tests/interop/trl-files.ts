/** Runs at random with files for TRL's command line, for scripts/interop/trl-more.mjs to open with TRL's own parser. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as objectiveParts from '../../src/exports/trainers/trl/objectives/all';
import type { TrlObjective } from '../../src/exports/trainers/trl/part';
import { write } from '../../src/exports/trainers/trl/write';
import { typesIn } from '../../src/recipe/conversion/registry';
import type { Recipe } from '../../src/recipe/types';
import { recipeAtRandom } from '../unit/recipe/conversion/recipes';
import { linesFor } from './trainer-cases';
import { sourceOf } from './trainer-configs';

export interface TrlFile {
  name: string;
  folder: string;
  file: string;
  /** `trl COMMAND` */
  command: string;
  reads: 'tokens' | 'text';
  recipe: Recipe;
  facts: { maxLength: number; steps: number; rows: Record<'train' | 'validation', number> };
}

const SEEDS = 4;

/** Writes a folder for each below `out`. */
export async function makeTrlFiles(out: string): Promise<TrlFile[]> {
  const made: TrlFile[] = [];
  for (const { type, command } of Object.values(objectiveParts) as TrlObjective<{ type: string }>[]) {
    if (command === null) continue;
    for (const { type: method } of typesIn('trl', 'method')) {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const { model, dataset, ...rest } = recipeAtRandom(method, type, seed);
        const name = `${type}-${method}-${seed}`;
        const recipe: Recipe = {
          ...{ ...rest, name },
          model: { ...model, source: 'hf:org/tiny@0123abc' },
          dataset: { ...dataset, validation_split: 0.34, max_samples: null, format: 'auto' },
        };
        const lines = linesFor(type);
        const { source } = await sourceOf({
          name,
          tokenizer: 'smollm2',
          template: 'chatml',
          lines,
          recipe,
          trainers: [],
        });
        const { files } = await write(source, { onProgress: () => {} });
        const folder = path.join(out, name);
        const file = `${type}.yaml`;
        for (const { path: at, blob } of files.filter(({ path: at }) => at === file || /^(data|text)\//.test(at))) {
          await mkdir(path.dirname(path.join(folder, at)), { recursive: true });
          await writeFile(path.join(folder, at), new Uint8Array(await blob.arrayBuffer()));
        }
        const { maxLength, steps, train, validation } = await source.training!({ onProgress: () => {} });
        const rows = { train: train.length, validation: validation.length };
        made.push({
          name,
          folder,
          file,
          command: command.name,
          reads: command.reads,
          recipe,
          facts: { maxLength, steps, rows },
        });
      }
    }
  }
  return made;
}
