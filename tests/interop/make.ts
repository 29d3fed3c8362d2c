/**
 * Everything that Tabtune writes, made in Node from tiny models on the CPU references, for scripts/interop to open in the
 * programs that people use. Adapters and heads have random values: only formats and arithmetic are tried here.
 *
 * Returns what is where, as plain data.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { TaskData } from '../../src/base/task';
import { textScores } from '../../src/engine/classification/classify';
import { textLogits } from '../../src/engine/generation/generate';
import { writeValues } from '../../src/engine/kernels/in-place';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { inference } from '../../src/engine/methods/method';
import { loadModel } from '../../src/engine/models';
import { adapterPython, modelPython } from '../../src/exports/python';
import { adapterReaders } from '../../src/exports/readers';
import { readFamilyConfig } from '../../src/families';
import { checkModelFolder } from '../../src/hub/check';
import { droppedModelFolder } from '../../src/hub/folder';
import { settleTies } from '../../src/hub/ties';
import { openWeights } from '../../src/hub/weights';
import { methodOf } from '../../src/methods';
import { objectiveOf } from '../../src/objectives';
import { combinationProblem } from '../../src/recipe/compatibility';
import { resolveRecipe } from '../../src/recipe/defaults';
import type { RecipeInput } from '../../src/recipe/types';
import { exportMerged, type MergeNeeds } from '../../src/session/export-merged';
import { adapterFiles } from '../../src/workers/engine/adapter-files';
import { type OpenAdapter, openMethod } from '../../src/workers/engine/adapters';
import type { EngineApi } from '../../src/workers/engine/api';
import { checkMerged } from '../../src/workers/engine/check-merged';
import { mergeModel } from '../../src/workers/engine/merge';

export interface Made {
  name: string;
  family: string;
  /** The base model's folder. */
  base: string;
  /** Null for a model that was trained or merged. */
  adapter: string | null;
  /** The model with the adapter merged in; null if it was not asked for. */
  merged: string | null;
  ids: number[][];
  logits: number[][];
  /** Lines of the card about who reads the adapter, and the card of the merged model. */
  readers: string[];
  card: string;
  snippets: { name: string; code: string }[];
}

const write = async (folder: string, files: readonly { path: string; bytes: Uint8Array }[]) => {
  await mkdir(folder, { recursive: true });
  for (const { path: name, bytes } of files) await writeFile(path.join(folder, name), bytes);
};

/** A model's folder, as if it was dropped. */
async function openFolder(folder: string) {
  const dropped = droppedModelFolder(
    'file:tiny',
    readdirSync(folder).map((name) => ({ path: name, file: new Blob([readFileSync(path.join(folder, name))]) })),
  );
  const checked = await settleTies(await checkModelFolder(dropped));
  return { dropped, checked };
}

export interface Wanted {
  name: string;
  base: string;
  out: string;
  method: RecipeInput['method'];
  objective?: RecipeInput['objective'];
  task?: TaskData | null;
  merge?: boolean;
  ids: number[][];
}

/** Whether Tabtune refuses to train this. */
export async function impossible({
  base,
  name,
  method,
  objective,
}: Pick<Wanted, 'base' | 'name' | 'method' | 'objective'>): Promise<boolean> {
  const { checked } = await openFolder(base);
  const { family } = readFamilyConfig(checked.json);
  const recipe = resolveRecipe({ version: 1, name, method, objective, dataset: { packing: false } });
  const model = { title: 'tiny', kind: family.kind, dtype: 'F32', hasHead: true, architecture: family.modelType };
  return combinationProblem(recipe, model as never) !== null;
}

/** One export, from a base model's folder. */
export async function make({
  name,
  base: baseFolder,
  out,
  method,
  objective,
  task = null,
  merge,
  ids,
}: Wanted): Promise<Made> {
  await tf.setBackend('cpu');
  const { dropped, checked } = await openFolder(baseFolder);
  const weights = openWeights(checked);
  const base = await loadModel(checked.json, weights);
  const recipe = resolveRecipe({ version: 1, name, method, objective, dataset: { packing: false } });
  const open = await openMethod(base, recipe.method, {
    ...{ objective: recipe.objective.type, task, seed: 1, head: { source: weights } },
    initText: Int32Array.from(ids[0]!.slice(0, 2)),
  });
  randomise(open);
  const family = checked.config.model_type;
  const own = path.join(out, name);
  const hooks = open.method.hooks(inference());
  const logits: number[][] = [];
  for (const row of ids) {
    const input = Int32Array.from(row);
    logits.push([...(task ? await textScores(open.model, hooks, input) : await textLogits(open.model, hooks, input))]);
  }
  const made: Made = {
    ...{ name, family, base: baseFolder, adapter: null, merged: null, ids, logits, card: '' },
    readers: adapterReaders({ method: recipe.method, objective: recipe.objective.type, family }),
    snippets: [],
  };
  const { files: format } = methodOf(recipe.method);
  const exported = { method: recipe.method.type, objective: recipe.objective.type, family };
  if (format) {
    made.adapter = path.join(own, 'adapter');
    await write(made.adapter, await adapterFiles(open, { name: baseFolder, revision: null }));
    const names = { base: baseFolder, folder: made.adapter, remark: 'the folder of this file' };
    const { labels } = objectiveOf(recipe.objective);
    made.snippets.push({ name: 'adapter, as on the screen', code: adapterPython(exported, names) });
    if (labels)
      made.snippets.push({
        name: 'adapter, as in the card',
        code: adapterPython(exported, { ...names, labels: task!.labels }),
      });
  }
  if (merge) {
    made.merged = path.join(own, 'merged');
    const { files } = await exportMerged(needs(open, { dropped, checked, family }), 'F32');
    await write(
      made.merged,
      await Promise.all(
        files.map(async ({ path: file, blob }) => ({ path: file, bytes: new Uint8Array(await blob.arrayBuffer()) })),
      ),
    );
    made.card = readFileSync(path.join(made.merged, 'README.md'), 'utf8');
    made.snippets.push({ name: 'merged model', code: modelPython(recipe.objective.type, family, made.merged) });
  }
  open.dispose();
  base.dispose();
  disposeInputs();
  return made;
}

/** Values for all that is trained, of a size that matters and the same each time. */
function randomise({ method }: OpenAdapter): void {
  let state = 7;
  const next = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 8) / 2 ** 22 - 1;
  };
  for (const [name, tensor] of method.trainable) {
    const values = tensor.dataSync() as Float32Array;
    writeValues(
      tensor,
      values.map((value) => (/ia3_l|magnitude/.test(name) ? value * (1 + 0.3 * next()) : value + 0.1 * next())),
    );
  }
}

/** What `exportMerged` asks of a session, with the real engine behind it. */
function needs(
  { model, method, settings, objective }: OpenAdapter,
  {
    dropped,
    checked,
    family,
  }: {
    dropped: ReturnType<typeof droppedModelFolder>;
    checked: Awaited<ReturnType<typeof checkModelFolder>>;
    family: string;
  },
): MergeNeeds {
  const recipe = { name: 'tiny', method: settings, objective: { type: objective } };
  const merged = { checked, model, method };
  const api: Pick<EngineApi, 'mergeModel' | 'checkMerged'> = {
    mergeModel: (...args) => mergeModel(merged, ...args),
    checkMerged: (...args) => checkMerged(merged, ...args),
  };
  const open = {
    folder: dropped,
    tokenizer: null,
    tokens: { padTokenId: 1 },
    source: 'file:tiny',
    info: { architecture: family, title: 'tiny', contextLength: 32, licence: '', dtype: 'F32' },
  };
  return {
    engine: {
      currentAdapter: { kind: 'files', name: recipe.name, files: [] },
      use: (work: (engine: typeof api) => unknown) => work(api),
    },
    data: { encodePrompt: async () => Int32Array.of(3, 9, 4) },
    models: { require: () => open },
    adapters: {},
  } as unknown as MergeNeeds;
}
