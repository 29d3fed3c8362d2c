/**
 * Runs of tiny models here, and the same runs written as TRL scripts, for scripts/interop/trl.mjs to run in Python. The engine, the
 * loop and the writer are the app's; tensors are computed by the CPU references.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { partsOfBaseText } from '../../src/data/base-text-parts';
import { paddedLengthIn, stepOptions, stepRows } from '../../src/data/batches';
import type { TokenizedExample } from '../../src/data/types';
import type { WrittenRow } from '../../src/data/written-row';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { loadModel } from '../../src/engine/models';
import { freshState, trainLoop } from '../../src/engine/run/loop';
import type { ExportSource } from '../../src/exports/export';
import type { TrainingData } from '../../src/exports/trainers/training-data';
import { trlObjective, write as writeTrl } from '../../src/exports/trainers/trl/write';
import type { AdapterFiles } from '../../src/formats/adapter-format';
import { checkModelFolder } from '../../src/hub/check';
import { droppedModelFolder } from '../../src/hub/folder';
import { settleTies } from '../../src/hub/ties';
import { openWeights } from '../../src/hub/weights';
import { paceOf } from '../../src/objectives';
import { resolveRecipe } from '../../src/recipe/defaults';
import { totalSteps } from '../../src/recipe/forecast';
import type { RecipeInput } from '../../src/recipe/types';
import type { TrainJob } from '../../src/workers/engine/api';
import { assembleJob, batchesOf, tokensOf } from '../../src/workers/engine/assemble-job';
import { startOfRun } from '../../src/workers/engine/start-of-run';
import { CASES, type TrlCase } from './trl-cases';

/** What a run came to: one entry a step, and one an evaluation. */
export interface Curve {
  losses: number[];
  rates: number[];
  norms: number[];
  evaluations: { step: number; loss: number }[];
}

export interface MadeRun {
  name: string;
  /** Of the script. */
  folder: string;
  curve: Curve;
  /** Numbers of processes to run the script on. */
  processes: number[];
  /** A checkpoint that the script goes on from; null without. */
  resumes: number | null;
  reopens: boolean;
  /** For TRL's command line; empty where it cannot make the run. */
  command: string;
  notes: string[];
}

const fixtures = path.join(import.meta.dirname, '../fixtures');

/** None begins as another ends, so that a special token is not found inside one. */
const word = (id: number) => `t${id}.`;

/** Tokens as the words of that tokenizer, as the data layer would read them from a file. */
function writtenRow(example: TokenizedExample): WrittenRow[] {
  const text = (ids: Int32Array, from = 0, to?: number) => [...ids.slice(from, to)].map(word).join(' ');
  switch (example.kind) {
    case 'pair': {
      const { ids, rejected, promptLength: at } = example;
      const written = { prompt: text(ids, 0, at), chosen: ` ${text(ids, at)}`, rejected: ` ${text(rejected, at)}` };
      return [{ kind: 'pair', written, ...written }];
    }
    case 'judged': {
      const { ids, promptLength: at, good } = example;
      const written = { prompt: text(ids, 0, at), completion: ` ${text(ids, at)}` };
      return [{ kind: 'judged', good, written, ...written }];
    }
    default:
      return [];
  }
}

/** A tokenizer with a word for each id, which transformers opens. */
function tokenizerFiles(vocab: number, { pad, eos, mask }: TrlCase['tokens']): Record<string, string> {
  const added = [...new Set([pad, eos, ...(mask === undefined ? [] : [mask])])].map((id) => ({
    ...{ id, content: word(id), single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
  }));
  const model = {
    type: 'WordLevel',
    vocab: Object.fromEntries(Array.from({ length: vocab }, (_, id) => [word(id), id])),
    unk_token: word(0),
  };
  const pre_tokenizer = { type: 'WhitespaceSplit' };
  const nothing = { normalizer: null, post_processor: null, decoder: null, truncation: null, padding: null };
  return {
    'tokenizer.json': JSON.stringify({ version: '1.0', ...nothing, added_tokens: added, pre_tokenizer, model }),
    'tokenizer_config.json': JSON.stringify({
      tokenizer_class: 'PreTrainedTokenizerFast',
      ...{ pad_token: word(pad), eos_token: word(eos) },
      ...(mask === undefined ? {} : { mask_token: word(mask) }),
    }),
  };
}

async function openBase({ base, tokens, config: changes }: TrlCase) {
  const at = path.join(fixtures, base);
  const config = JSON.parse(readFileSync(path.join(at, 'config.json'), 'utf8')) as Record<string, unknown>;
  const files: Record<string, string | Uint8Array> = {
    ...tokenizerFiles(config.vocab_size as number, tokens),
    'config.json': JSON.stringify({ ...config, ...changes }),
    'model.safetensors': readFileSync(path.join(at, 'model.safetensors')),
  };
  const folder = droppedModelFolder(
    'file:tiny',
    Object.entries(files).map(([name, content]) => ({ path: name, file: new Blob([content as BlobPart]) })),
  );
  const checked = await settleTies(await checkModelFolder(folder));
  const weights = openWeights(checked);
  return { folder, checked, weights, model: await loadModel(checked.json, weights) };
}

function jobOf(one: TrlCase, initAdapter: AdapterFiles | null): TrainJob {
  const recipe = resolveRecipe({
    version: 1,
    name: one.name,
    ...one.recipe,
    dataset: { packing: false, ...one.recipe.dataset },
  } as RecipeInput);
  const { pad, eos, mask } = one.tokens;
  return {
    run: { id: one.name } as TrainJob['run'],
    recipe,
    train: one.train,
    validation: one.validation,
    maxLength: 32,
    samplePrompts: [],
    stopTokenIds: [eos],
    padTokenId: pad,
    maskTokenId: mask ?? null,
    task: one.task ?? null,
    baseText: one.baseText ?? [],
    initText: Int32Array.from(one.initText ?? []),
    initAdapter,
    checkpointing: false,
    together: 1,
    resume: false,
  };
}

type Open = Awaited<ReturnType<typeof openBase>>;

/** The run here, as the engine worker makes it. */
async function ourRun({ model, weights }: Open, job: TrainJob): Promise<Curve> {
  const { assembled, recipe } = await assembleJob(model, { source: weights }, job, null, () => false);
  const curve: Curve = { losses: [], rates: [], norms: [], evaluations: [] };
  try {
    const { attached, optimizer, objective, reference, value } = assembled;
    await trainLoop(
      {
        ...{ model: attached.model, method: attached.method, objective, reference, value, optimizer },
        ...{ batches: batchesOf(job, recipe), settings: recipe.training, tokens: tokensOf(job) },
        pace: paceOf(recipe.objective, recipe.training),
        totalSteps: totalSteps(job.train.length, recipe),
      },
      freshState(),
      {
        pauseRequested: () => false,
        stopRequested: () => false,
        takeSaveRequest: () => false,
        resumed: async () => {},
      },
      {
        phase: () => {},
        step({ loss, gradNorm, learningRate }) {
          curve.losses.push(loss);
          curve.norms.push(gradNorm);
          curve.rates.push(learningRate);
        },
        evaluation: ({ step, loss }) => void curve.evaluations.push({ step, loss }),
        samples: async () => {},
        checkpoint: async () => {},
        saved: () => {},
      },
    );
  } finally {
    assembled.dispose();
    disposeInputs();
  }
  return curve;
}

/** What the session gives to the writer. */
function sourceOf({ folder, checked, model, weights }: Open, job: TrainJob, base: ExportSource['model']['base']) {
  const { recipe, train, validation, task, maxLength, initAdapter, initText } = job;
  const { replay_ratio: ratio } = recipe.training;
  const replayed: TokenizedExample[] = ratio > 0 ? [...partsOfBaseText(job.baseText).learned] : [];
  const rows = stepRows(
    train.length,
    stepOptions(recipe, paceOf(recipe.objective, recipe.training)),
    ratio > 0 ? { count: replayed.length, ratio } : undefined,
  );
  const data: TrainingData = {
    ...{ recipe, train, validation, replayed, task, maxLength, ...rows },
    tokens: { pad: job.padTokenId, mask: job.maskTokenId, stop: job.stopTokenIds },
    steps: totalSteps(train.length, recipe),
    example: () => null,
    paddedLength: paddedLengthIn(train, validation, replayed),
    written: async () => ({ train: train.flatMap(writtenRow), validation: validation.flatMap(writtenRow) }),
    start: () => startOfRun(model, { source: weights }, { recipe, task, initAdapter, initText }, base),
  };
  const source: Pick<ExportSource, 'name' | 'fileName' | 'training' | 'exported'> & {
    model: Partial<ExportSource['model']>;
  } = {
    ...{ name: recipe.name, fileName: recipe.name },
    exported: { method: recipe.method, objective: recipe.objective.type, family: model.family },
    model: { folder, config: checked.json, base },
    training: async () => data,
  };
  return source as ExportSource;
}

/**
 * Runs the cases here, and writes each as a script below `out`: those that are made by the script, or those that TRL's command line
 * makes.
 */
export async function makeRuns(
  out: string,
  names: readonly string[],
  by: 'script' | 'command' = 'script',
): Promise<MadeRun[]> {
  await tf.setBackend('cpu');
  const made: MadeRun[] = [];
  const wanted = ({ name, rare, commandLine }: TrlCase) =>
    (commandLine === true) === (by === 'command') &&
    (names.includes('all') || (names.length === 0 ? !rare : names.includes(name)));
  for (const one of CASES.filter(wanted)) {
    const open = await openBase(one);
    const job = jobOf(one, null);
    const curve = await ourRun(open, job);
    const { files, notes } = await writeTrl(sourceOf(open, job, { name: 'tiny', revision: null }), {
      onProgress: () => {},
    });
    const folder = path.join(out, one.name);
    for (const { path: name, blob } of files) {
      await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
      await writeFile(path.join(folder, name), new Uint8Array(await blob.arrayBuffer()));
    }
    open.model.dispose();
    const { name, processes = [1], resumes = null, reopens = false } = one;
    const { command } = trlObjective(job.recipe.objective)!;
    made.push({
      ...{ name, folder, curve, processes, resumes, reopens, notes },
      command: command ? `trl ${command.name} --config ${job.recipe.objective.type}.yaml` : '',
    });
  }
  return made;
}

/** The adapter that a script left, as Tabtune reads it: where its loss is, and how it goes on. */
export async function goesOn(name: string, adapterFolder: string): Promise<Curve> {
  await tf.setBackend('cpu');
  const one = CASES.find((each) => each.name === name)!;
  const open = await openBase(one);
  const files = readdirSync(adapterFolder)
    .filter((file) => /^(adapter_config\.json|adapter_model\.safetensors)$/.test(file))
    .map((file) => ({ path: file, bytes: new Uint8Array(readFileSync(path.join(adapterFolder, file))) }));
  const curve = await ourRun(open, jobOf(one, files));
  open.model.dispose();
  return curve;
}
