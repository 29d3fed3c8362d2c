/**
 * Runs written as configs for Axolotl and LLaMA-Factory, for scripts/interop/trainers.mjs to open with their own code. The data layer,
 * the start and the writers are the app's.
 */
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { paddedLengthIn, stepOptions, stepRows } from '../../src/data/batches';
import type { TokenizedDataset, TokenizedExample } from '../../src/data/types';
import type { WrittenRows } from '../../src/data/written-row';
import { loadModel } from '../../src/engine/models';
import type { ExportedFile, ExportSource, ExportWriter } from '../../src/exports/export';
import type { TrainingData } from '../../src/exports/trainers/training-data';
import { writeAxolotl } from '../../src/exports/trainers/write-axolotl';
import { writeLlamaFactory } from '../../src/exports/trainers/write-llamafactory';
import { checkModelFolder } from '../../src/hub/check';
import { droppedModelFolder } from '../../src/hub/folder';
import { settleTies } from '../../src/hub/ties';
import { openWeights } from '../../src/hub/weights';
import { paceOf } from '../../src/objectives';
import { typesIn } from '../../src/recipe/conversion/registry';
import { recipeRefusal } from '../../src/recipe/conversion/write';
import { resolveRecipe } from '../../src/recipe/defaults';
import { totalSteps } from '../../src/recipe/forecast';
import type { Recipe } from '../../src/recipe/types';
import { rewardOf } from '../../src/rewards';
import { createDataApi } from '../../src/workers/data/service';
import { startOfRun } from '../../src/workers/engine/start-of-run';
import { recipeAtRandom } from '../unit/recipe/conversion/recipes';
import { ANSWERS, CONFIG_CASES, type ConfigCase, linesFor } from './trainer-cases';

const fixtures = path.join(import.meta.dirname, '../fixtures');

const templateNamed = (name: string) => readFileSync(path.join(fixtures, `templates/${name}.jinja`), 'utf8');

/** What a template's own model has for special tokens, where its tokenizer has others. */
const specialOf = (name: string) =>
  (JSON.parse(readFileSync(path.join(fixtures, `templates/${name}.json`), 'utf8')) as { special: object }).special;

/** A tiny model whose tokenizer is a real one: tokens are looked at here, and nothing is computed with them. */
async function openBase({ tokenizer, template, recipe }: ConfigCase) {
  const at = path.join(fixtures, 'tokenizers', tokenizer);
  const tiny = path.join(fixtures, 'llama/mha-untied');
  const config = JSON.parse(readFileSync(path.join(at, 'tokenizer_config.json'), 'utf8')) as Record<string, unknown>;
  const files: Record<string, string | Uint8Array> = {
    'tokenizer.json': readFileSync(path.join(at, 'tokenizer.json'), 'utf8'),
    'tokenizer_config.json': JSON.stringify({
      ...config,
      ...(template && { ...specialOf(template), chat_template: templateNamed(template) }),
    }),
    'config.json': readFileSync(path.join(tiny, 'config.json'), 'utf8'),
    'model.safetensors': readFileSync(path.join(tiny, 'model.safetensors')),
  };
  const folder = droppedModelFolder(
    recipe.model!.source!,
    Object.entries(files).map(([name, content]) => ({ path: name, file: new Blob([content as BlobPart]) })),
  );
  const checked = await settleTies(await checkModelFolder(folder));
  return { folder, checked, files };
}

interface Made {
  source: ExportSource;
  tokenized: TokenizedDataset;
  recipe: Recipe;
}

/** What the session gives to a writer. */
export async function sourceOf(one: ConfigCase): Promise<Made> {
  const recipe = resolveRecipe({ version: 1, name: one.name, ...one.recipe });
  const { folder, checked, files } = await openBase(one);
  const api = createDataApi();
  const { padTokenId, stopTokenIds } = api.openTokenizer({
    tokenizerJson: files['tokenizer.json'] as string,
    tokenizerConfig: files['tokenizer_config.json'] as string,
    chatTemplate: null,
    specialTokensMap: null,
    generationConfig: null,
  });
  const text = one.lines.map((line) => JSON.stringify(line)).join('\n');
  await api.parse('data.jsonl', new TextEncoder().encode(text).buffer as ArrayBuffer, recipe.dataset);
  const tokenized = api.tokenize(recipe.dataset, recipe.objective, 2048, recipe.training.seed);
  const { train, validation, maxLength, task, rows } = tokenized;
  const side = (wanted: Int32Array) => api.writeRows(wanted, recipe.dataset, recipe.objective);
  const written: WrittenRows = { train: side(rows.train), validation: side(rows.validation) };
  const weights = openWeights(checked);
  const data: TrainingData = {
    ...{ recipe, train, validation, replayed: [], task, maxLength },
    ...stepRows(train.length, stepOptions(recipe, paceOf(recipe.objective, recipe.training))),
    tokens: { pad: padTokenId, mask: null, stop: stopTokenIds },
    steps: totalSteps(train.length, recipe),
    example: () => null,
    paddedLength: paddedLengthIn(train, validation),
    written: async () => written,
    async start() {
      await tf.setBackend('cpu');
      const model = await loadModel(checked.json, weights);
      return startOfRun(
        model,
        { source: weights },
        { recipe, task, initAdapter: null, initText: new Int32Array() },
        { name: 'org/tiny', revision: '0123abc' },
      );
    },
  };
  const source = {
    exported: { method: recipe.method, objective: recipe.objective.type, family: 'llama' },
    ...{ name: recipe.name, fileName: recipe.name, hasAdapter: false, recipe },
    model: {
      ...{ folder, config: checked.json, base: { name: 'org/tiny', revision: '0123abc' } },
      info: { dtype: 'F32' },
    },
    training: async () => data,
  } as unknown as ExportSource;
  return { source, tokenized, recipe };
}

const WRITERS: Record<ConfigCase['trainers'][number], ExportWriter> = {
  axolotl: writeAxolotl,
  llamafactory: writeLlamaFactory,
};

export async function writtenFor(
  trainer: ConfigCase['trainers'][number],
  source: ExportSource,
): Promise<{ files: ExportedFile[]; notes: string[] }> {
  return WRITERS[trainer](source, { onProgress: () => {} });
}

export interface MadeConfig {
  name: string;
  trainer: ConfigCase['trainers'][number];
  folder: string;
  /** The tokenizer, for the trainer's own code. */
  tokenizer: string;
  recipe: Recipe;
  /** What became of the run. */
  facts: { maxLength: number; steps: number };
  notes: string[];
  /** What rewards give to answers, a list for each reward; null without rewards. */
  scores: { answers: typeof ANSWERS; rewards: (number | null)[][] } | null;
  /** The rows are there as messages too. */
  chat: boolean;
  /** Ids and labels of both sides, in the order of the rows; null where rows are packed or compared. */
  tokens: Record<'train' | 'validation', { ids: number[]; labels: number[] }[]> | null;
}

const nextTokens = (examples: readonly TokenizedExample[]) =>
  examples.flatMap((one) => (one.kind === 'next_token' ? [{ ids: [...one.ids], labels: [...one.labels] }] : []));

async function scoresOf({ objective }: Recipe): Promise<MadeConfig['scores']> {
  if (!('rewards' in objective)) return null;
  const rewards = await Promise.all(
    objective.rewards.map(async (section) => {
      const score = await rewardOf(section).scorer!(section);
      return ANSWERS.map((answer) => score({ ...answer, prompt: '', finished: true }));
    }),
  );
  return { answers: ANSWERS, rewards };
}

/** Recipes at random for every method and objective of a trainer: what its own code refuses, it must not be given. */
function* casesAtRandom(): Generator<ConfigCase> {
  for (const trainer of ['axolotl', 'llamafactory'] as const) {
    for (const { type: method } of typesIn(trainer, 'method')) {
      for (const { type: objective } of typesIn(trainer, 'objective')) {
        for (let seed = 1; seed <= SEEDS; seed++) {
          const { model, dataset, training, ...recipe } = recipeAtRandom(method, objective, seed);
          const name = `random-${method}-${objective}-${seed}`;
          const changed: Recipe = {
            ...{ ...recipe, name, training },
            model: { ...model, source: 'hf:org/tiny@0123abc' },
            dataset: {
              ...{ ...dataset, validation_split: 0.34, max_samples: null },
              format: objective === 'grpo' ? 'prompt_only' : 'auto',
            },
          };
          if (recipeRefusal(trainer, changed) !== null) continue;
          const lines = linesFor(objective);
          yield { name, tokenizer: 'smollm2', template: 'chatml', lines, recipe: changed, trainers: [trainer] };
        }
      }
    }
  }
}

const SEEDS = 6;

/** Writes the cases below `out`, a folder for each trainer. */
export async function makeConfigs(out: string): Promise<MadeConfig[]> {
  const made: MadeConfig[] = [];
  for (const one of [...CONFIG_CASES, ...casesAtRandom()]) {
    const { source, tokenized, recipe } = await sourceOf(one);
    const tokenizer = path.join(out, one.name, 'tokenizer');
    const compared = recipe.objective.type === 'sft' && !recipe.dataset.packing && !one.name.startsWith('random');
    if (compared) {
      await mkdir(tokenizer, { recursive: true });
      for (const name of ['tokenizer.json', 'tokenizer_config.json']) {
        await writeFile(path.join(tokenizer, name), await source.model.folder.text(name));
      }
    }
    for (const trainer of one.trainers) {
      const { files, notes } = await writtenFor(trainer, source);
      const folder = path.join(out, one.name, trainer);
      for (const { path: name, blob } of files) {
        await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
        await writeFile(path.join(folder, name), new Uint8Array(await blob.arrayBuffer()));
      }
      const data = await source.training!({ onProgress: () => {} });
      made.push({
        ...{ name: one.name, trainer, folder, tokenizer, recipe, notes },
        facts: { maxLength: data.maxLength, steps: data.steps },
        scores: await scoresOf(recipe),
        chat: compared && files.some(({ path: name }) => name.startsWith('data/chat/')),
        tokens: compared ? { train: nextTokens(tokenized.train), validation: nextTokens(tokenized.validation) } : null,
      });
    }
  }
  return made;
}
