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
import type { LanguageModel } from '../../src/engine/models/model';
import { type ExportId, exportBy } from '../../src/exports';
import type { Proof } from '../../src/exports/export';
import { mlxRefusal } from '../../src/exports/mlx';
import { writeMlxAdapter } from '../../src/exports/mlx/write';
import { adapterPython, modelPython } from '../../src/exports/python';
import { adapterReaders } from '../../src/exports/readers';
import { mergedWriter } from '../../src/exports/write-merged';
import { families, readFamilyConfig } from '../../src/families';
import type { AdapterFiles } from '../../src/formats/adapter-format';
import { writeMlx } from '../../src/formats/mlx';
import { readPeftAs, readPeftFolder } from '../../src/formats/peft';
import { loraKind, type PeftLoraConfig } from '../../src/formats/peft/lora';
import { checkModelFolder } from '../../src/hub/check';
import { droppedModelFolder } from '../../src/hub/folder';
import { settleTies } from '../../src/hub/ties';
import { openWeights } from '../../src/hub/weights';
import { methodOf } from '../../src/methods';
import { objectiveOf } from '../../src/objectives';
import { combinationProblem } from '../../src/recipe/compatibility';
import { resolveRecipe } from '../../src/recipe/defaults';
import type { RecipeInput } from '../../src/recipe/types';
import { adapterFiles } from '../../src/workers/engine/adapter-files';
import { type OpenAdapter, openAdapter, openMethod } from '../../src/workers/engine/adapters';
import { quietJob, sourceOf } from './source';

export interface Made {
  name: string;
  family: string;
  /** The base model's folder. */
  base: string;
  /** Null for a model that was trained or merged. */
  adapter: string | null;
  /** The model with the adapter merged in, and the adapter for mlx-lm; null if it was not asked for. */
  merged: string | null;
  mlx: string | null;
  /** Why there is none for mlx-lm. */
  mlxRefusal: string | null;
  /** What the exports say of themselves. */
  notes: string[];
  ids: number[][];
  logits: number[][];
  /** Lines of the card about who reads the adapter, and the card of the merged model. */
  readers: string[];
  card: string;
  /** vLLM's --max-lora-rank as the card has it; null if it says that vLLM refuses the adapter. */
  maxRank: number | null;
  snippets: { name: string; code: string }[];
  /** By id: paths of the files, and what was said of them. */
  exports: Record<string, { files: string[]; notes: string[]; proof: Proof | null }>;
}

const write = async (folder: string, files: readonly { path: string; bytes: Uint8Array }[]) => {
  await mkdir(folder, { recursive: true });
  for (const { path: name, bytes } of files) await writeFile(path.join(folder, name), bytes);
};

const bytesOf = (files: readonly { path: string; blob: Blob }[]) =>
  Promise.all(
    files.map(async ({ path: name, blob }) => ({ path: name, bytes: new Uint8Array(await blob.arrayBuffer()) })),
  );

/** The logits of an adapter's files on its base. */
export async function logitsOf(base: LanguageModel, files: AdapterFiles, ids: number[][]): Promise<number[][]> {
  const { model, method, dispose } = await openAdapter(base, files);
  const hooks = method.hooks(inference());
  const logits: number[][] = [];
  for (const row of ids) logits.push([...(await textLogits(model, hooks, Int32Array.from(row)))]);
  dispose();
  return logits;
}

/** The logits of an adapter's folder, whoever wrote it. */
export async function openedLogits(base: string, folder: string, ids: number[][]): Promise<number[][]> {
  await tf.setBackend('cpu');
  const { checked } = await openFolder(base);
  const model = await loadModel(checked.json, openWeights(checked));
  const files = readdirSync(folder).map((name) => ({
    path: name,
    bytes: new Uint8Array(readFileSync(path.join(folder, name))),
  }));
  try {
    return await logitsOf(model, files, ids);
  } finally {
    model.dispose();
    disposeInputs();
  }
}

/** Which models cards say that vLLM puts adapters onto. */
export const vllmFamilies = () =>
  families.flatMap(({ modelType, architectures, kind, vllm }) =>
    kind === 'decoder'
      ? [{ name: `${modelType}: adapters in vLLM`, architecture: architectures[0], takes: vllm === null }]
      : [],
  );

/** A PEFT folder converted for mlx-lm without asking whether it can be; returns the new folder. */
export async function convertedMlx(folder: string, layers: number): Promise<string> {
  const names = ['adapter_config.json', 'adapter_model.safetensors'];
  const files = names.map((name) => ({ path: name, bytes: new Uint8Array(readFileSync(path.join(folder, name))) }));
  const written = writeMlx(readPeftAs<PeftLoraConfig>(readPeftFolder(files), loraKind), layers, 'base');
  await write(`${folder}-mlx`, written.files);
  return `${folder}-mlx`;
}

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
  mlx?: boolean;
  /** As training begins: the adapter changes nothing. */
  untrained?: boolean;
  /** Further exports. */
  exports?: ExportId[];
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

/** A run's figures, for cards. */
const CARD = {
  ...{ licence: null, initialEvalLoss: null, bestEvalLoss: null, bestStep: null, finalLoss: null },
  ...{ steps: 1, tokens: 1, seconds: 1, trainableParameters: 1, totalParameters: 2, device: 'CPU', version: 'interop' },
};

/** One export, from a base model's folder. */
export async function make({
  name,
  base: baseFolder,
  out,
  method,
  objective,
  task = null,
  merge,
  mlx,
  untrained = false,
  exports: wanted = [],
  ids,
}: Wanted): Promise<Made> {
  await tf.setBackend('cpu');
  const { checked } = await openFolder(baseFolder);
  const weights = openWeights(checked);
  const base = await loadModel(checked.json, weights);
  const recipe = resolveRecipe({ version: 1, name, method, objective, dataset: { packing: false } });
  const open = await openMethod(base, recipe.method, {
    ...{ objective: recipe.objective.type, task, seed: 1, head: { source: weights } },
    initText: Int32Array.from(ids[0]!.slice(0, 2)),
  });
  if (!untrained) randomise(open);
  const family = checked.config.model_type;
  const own = path.join(out, name);
  const hooks = open.method.hooks(inference());
  const logits: number[][] = [];
  for (const row of ids) {
    const input = Int32Array.from(row);
    logits.push([...(task ? await textScores(open.model, hooks, input) : await textLogits(open.model, hooks, input))]);
  }
  const made: Made = {
    ...{ name, family, base: baseFolder, adapter: null, merged: null, mlx: null, notes: [], ids, logits, card: '' },
    mlxRefusal: mlxRefusal({ method: recipe.method, objective: recipe.objective.type, family }),
    readers: adapterReaders({
      ...{ method: recipe.method, objective: recipe.objective.type, family },
      ...{ base: baseFolder, name: recipe.name },
    }),
    maxRank: null,
    snippets: [],
    exports: {},
  };
  const rank = /--max-lora-rank (\d+)/.exec(made.readers.join())?.[1];
  if (rank) made.maxRank = Number(rank);
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
  const texts = ids.map((row) => Int32Array.from(row));
  const on = { base, checked, head: { source: weights }, baseName: baseFolder, recipe, texts };
  if (mlx) {
    made.mlx = path.join(own, 'mlx');
    const card = { ...CARD, recipe, name, family, baseModel: baseFolder };
    const { files, notes } = await writeMlxAdapter({ ...(await sourceOf(open, on)), card }, quietJob);
    made.notes.push(...notes);
    await write(made.mlx, await bytesOf(files));
  }
  if (merge) {
    made.merged = path.join(own, 'merged');
    const { files } = await mergedWriter('F32')(await sourceOf(open, on), quietJob);
    await write(made.merged, await bytesOf(files));
    made.card = readFileSync(path.join(made.merged, 'README.md'), 'utf8');
    made.snippets.push({ name: 'merged model', code: modelPython(recipe.objective.type, family, made.merged) });
  }
  for (const id of wanted) {
    const source = await sourceOf(open, on);
    const one = exportBy(id);
    const refusal = one.refusal(source.exported);
    if (refusal !== null) throw new Error(`${name} as ${id}: ${refusal}`);
    const { files, notes, proof } = await (await one.writer())(source, quietJob);
    await write(path.join(own, id), await bytesOf(files));
    made.exports[id] = { files: files.map(({ path: file }) => path.join(own, id, file)), notes, proof };
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
