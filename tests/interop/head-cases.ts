/**
 * The app's half of tests/oracle/head_cases.py: opens its models and PEFT's adapters, trains (every trained tensor is moved, as
 * steps would move it), exports adapters and merges, all with the code that the app runs, on the CPU references of its kernels.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { textScores } from '../../src/engine/classification/classify';
import { rewardScores } from '../../src/engine/classification/reward-scores';
import { textLogits } from '../../src/engine/generation/generate';
import { writeValues } from '../../src/engine/kernels/in-place';
import { inference } from '../../src/engine/methods/method';
import { readFloats } from '../../src/engine/webgpu/backend';
import type { MethodSection } from '../../src/methods';
import { objectiveOfTask } from '../../src/objectives';
import { REWARD_TASK } from '../../src/objectives/reward';
import { adapterFiles } from '../../src/workers/engine/adapter-files';
import { type OpenAdapter, openAdapter, openMethod } from '../../src/workers/engine/adapters';
import { proveModel } from '../../src/workers/engine/prove';
import { type LoadedFolder, mergedFiles, openFolder } from '../parity/matrix/folder';

export interface Job {
  name: string;
  family: string;
  model: string;
  /** A folder that PEFT wrote, to be opened. */
  adapter?: string;
  /** Trained otherwise than with LoRA. */
  method?: 'full' | 'head';
  targets?: string[];
  saved?: string[];
  bf16?: boolean;
  /** A reward model: one label. */
  reward?: boolean;
}

const file = async (...at: string[]) => new Blob([new Uint8Array(await readFile(path.join(...at)))]);

async function openModel(folder: string): Promise<LoadedFolder> {
  const [config, weights] = await Promise.all([file(folder, 'config.json'), file(folder, 'model.safetensors')]);
  return openFolder({ 'config.json': config, 'model.safetensors': weights });
}

const LORA = {
  ...{ type: 'lora', r: 3, lora_alpha: 6, lora_dropout: 0, use_rslora: false, use_dora: false },
  ...{ init_lora_weights: 'default', rank_pattern: {}, alpha_pattern: {}, loraplus_lr_ratio: 1, init_adapter: null },
} as const;

const LABELS = ['a', 'b', 'c'];

async function open({ base, checked }: LoadedFolder, job: Job, folder: string): Promise<OpenAdapter> {
  if (job.adapter) {
    const at = path.join(folder, 'adapters', job.adapter);
    const names = ['adapter_config.json', 'adapter_model.safetensors'];
    const files = names.map(async (name) => ({
      path: name,
      bytes: new Uint8Array(await readFile(path.join(at, name))),
    }));
    return openAdapter(base, await Promise.all(files));
  }
  const task = job.reward
    ? REWARD_TASK
    : job.method === 'head'
      ? { problemType: 'single_label_classification' as const, labels: LABELS }
      : null;
  const section = job.method
    ? { type: job.method }
    : { ...LORA, target_modules: job.targets!, modules_to_save: job.saved! };
  const opened = await openMethod(base, section as MethodSection, {
    objective: objectiveOfTask(task, checked.family.kind).type,
    task,
    seed: 1,
  });
  let index = 0;
  for (const tensor of opened.method.trainable.values()) {
    const values = await readFloats(tensor);
    // The golden ratio's multiples, which do not repeat.
    const moved = values.map((value) => value + 0.4 * (((index++ * 0.618033988749895) % 1) - 0.5));
    writeValues(tensor, moved);
  }
  return opened;
}

async function save(folder: string, files: Record<string, Blob>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, blob] of Object.entries(files)) {
    await writeFile(path.join(folder, name), new Uint8Array(await blob.arrayBuffer()));
  }
}

async function run(job: Job, folder: string, ids: Int32Array): Promise<Record<string, unknown>> {
  const loaded = await openModel(path.join(folder, 'models', job.model));
  const out = path.join(folder, 'out', job.name);
  const opened = await open(loaded, job, folder);
  try {
    const { model, method, settings } = opened;
    const hooks = method.hooks(inference());
    const logits = job.reward
      ? // One number is often close to zero; the error is measured against the largest of three.
        await rewardScores(model, hooks, [ids, ids.slice(0, 4), ids.slice().reverse()])
      : model.heads.classification
        ? await textScores(model, hooks, ids)
        : await textLogits(model, hooks, ids);
    const base = model.heads.classification ? null : Array.from(await textLogits(loaded.base, {}, ids));
    if (settings.type === 'lora') {
      const files = await adapterFiles(opened, { name: 'tiny', revision: null });
      const blobs = files.map(({ path: name, bytes }) => [name, new Blob([bytes as BlobPart])]);
      await save(path.join(out, 'adapter'), Object.fromEntries(blobs));
    }
    const merged = await mergedFiles(opened, loaded.checked);
    await save(path.join(out, 'merged'), { ...merged });
    if (job.bf16) await save(path.join(out, 'bf16'), { ...(await mergedFiles(opened, loaded.checked, 'BF16')) });
    const files = Object.entries({ ...merged, 'tokenizer.json': new Blob(['{}']) });
    const check = await proveModel(
      { model, method, checked: loaded.checked },
      files.map(([name, blob]) => ({ path: name, file: blob })),
      { texts: [ids], tolerance: { logits: 1e-3 } },
    );
    return { logits: Array.from(logits), ...(base && { base }), difference: check.maxLogitDifference };
  } finally {
    opened.dispose();
    loaded.base.dispose();
  }
}

/** Writes results.json, which head_cases.py checks. */
export async function runHeadCases(folder: string, progress: (done: number, of: number) => void): Promise<number> {
  await tf.setBackend('cpu');
  const { ids, jobs } = JSON.parse(await readFile(path.join(folder, 'jobs.json'), 'utf8')) as {
    ids: number[];
    jobs: Job[];
  };
  const results: Record<string, unknown>[] = [];
  for (const job of jobs) {
    const { name, family, model } = job;
    const result = await run(job, folder, Int32Array.from(ids)).catch((error: unknown) => ({
      error:
        error instanceof Error
          ? `${error.message} ${String((error as { details?: string }).details ?? '')}`
          : String(error),
    }));
    results.push({ name, family, model, ...(job.reward && { reward: true }), ...result });
    progress(results.length, jobs.length);
  }
  await writeFile(path.join(folder, 'results.json'), JSON.stringify(results));
  return results.length;
}
