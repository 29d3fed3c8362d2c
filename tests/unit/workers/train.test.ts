/**
 * A whole run in the engine worker: from a job to events, stored metrics, checkpoints and the summary. On the CPU
 * backend.
 */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TokenizedExample } from '../../../src/data/types';
import { disposeInputs } from '../../../src/engine/kernels/inputs';
import { loadModel } from '../../../src/engine/models';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { RecipeInput } from '../../../src/recipe/types';
import { loadCheckpoint } from '../../../src/storage/checkpoints';
import { readMetrics } from '../../../src/storage/runs';
import type { EngineEvent, TrainJob } from '../../../src/workers/engine/api';
import { RunControl } from '../../../src/workers/engine/run-control';
import { runTraining } from '../../../src/workers/engine/train';
import { fixtureJson, fixtureTensors } from '../../fixture-files';
import { freshDatabase, runOf } from '../storage/helpers';

freshDatabase();
beforeAll(async () => {
  await tf.setBackend('cpu');
});

const idsOf = (row: number, length: number) => Int32Array.from({ length }, (_, i) => 6 + ((row * 13 + i * 5) % 40));
const texts = (count: number, from = 0): TokenizedExample[] =>
  Array.from({ length: count }, (_, i) => {
    const ids = idsOf(from + i, 5 + ((from + i) % 4));
    return { kind: 'next_token', row: i + 1, ids, labels: ids.slice(), starts: null, truncatedBy: 0 };
  });
const classified = (count: number): TokenizedExample[] =>
  Array.from({ length: count }, (_, i) => {
    const targets = Float32Array.of(i % 2);
    return { kind: 'text_targets', row: i + 1, ids: idsOf(i, 6), targets, truncatedBy: 0 };
  });

const STEPS = 6;
const jobOf = (input: Partial<RecipeInput>, changes: Partial<TrainJob> = {}): TrainJob => ({
  run: runOf('a run'),
  recipe: resolveRecipe({
    version: 1,
    ...input,
    training: {
      ...{ max_steps: STEPS, per_device_train_batch_size: 2, gradient_accumulation_steps: 2 },
      ...{ learning_rate: 1e-2, eval_steps: 2, save_steps: 3, seed: 7, ...input.training },
    },
  }),
  train: texts(9),
  validation: texts(4, 20),
  maxLength: 16,
  samplePrompts: [Int32Array.of(3, 9, 12)],
  stopTokenIds: [4],
  padTokenId: 0,
  maskTokenId: 5,
  task: null,
  baseText: texts(6, 40),
  initText: new Int32Array(),
  initAdapter: null,
  checkpointing: false,
  together: 1,
  resume: false,
  ...changes,
});

/** Trains on a model of the fixtures; nothing of it may stay. */
async function train(folder: string, job: TrainJob, onEvent: (event: EngineEvent, control: RunControl) => void) {
  const { source } = await fixtureTensors(`${folder}/model.safetensors`);
  const before = tf.memory().numTensors;
  const base = await loadModel(await fixtureJson(`${folder}/config.json`), source);
  const control = new RunControl();
  const events: EngineEvent[] = [];
  const finished = await runTraining(base, { source }, job, control, (event) => {
    events.push(structuredClone(event));
    onEvent(event, control);
  });
  const trained = [...finished.open.method.trainable].map(([name, t]) => [name, t.dataSync().slice()]);
  finished.open.dispose();
  base.dispose();
  disposeInputs();
  expect(tf.memory().numTensors).toBe(before);
  return { ...finished, events, trained };
}

const timeless = <T extends object>(rows: T[]) => rows.map((row) => ({ ...row, seconds: 0, gpu_bytes: 0 }));
const lora = { method: { type: 'lora', r: 3, lora_dropout: 0.2 }, objective: { type: 'sft' } } as const;

test('reports steps, evaluations, answers and checkpoints, and sums up', async () => {
  const { events, summary, run } = await train('llama/gqa-tied', jobOf(lora), () => {});
  const rows = await readMetrics('a run');
  expect(events.flatMap((event) => (event.type === 'metrics' ? [event.row] : []))).toEqual(rows);
  expect(rows.map(({ kind, step }) => `${kind} ${step}`)).toEqual([
    'eval 0',
    'step 1',
    'step 2',
    'eval 2',
    'step 3',
    'step 4',
    'eval 4',
    'step 5',
    'step 6',
    'eval 6',
  ]);
  const [step] = rows.filter(({ kind }) => kind === 'step');
  const columns = ['kind', 'step', 'epoch', 'loss', 'grad_norm', 'learning_rate', 'tokens', 'seconds', 'gpu_bytes'];
  expect(Object.keys(step!)).toEqual(columns);
  for (const row of rows) {
    if (row.kind !== 'eval') continue;
    expect(row.perplexity).toBeCloseTo(Math.exp(row.eval_loss), 10);
    expect(Object.keys(row.metrics!)).toEqual(['base_text_loss']);
  }
  const samples = events.filter((event) => event.type === 'samples');
  expect(samples.map(({ step }) => step)).toEqual([0, 2, 4, 6]);
  // A new adapter is the base, and the base stays as it was.
  expect(samples[0]!.tuned).toEqual(samples[0]!.base);
  expect(samples[3]!.base).toEqual(samples[0]!.base);
  expect(events.flatMap((event) => (event.type === 'checkpoint' ? [event.step] : []))).toContain(STEPS);
  const [first, ...later] = rows.filter((row) => row.kind === 'eval');
  const kept = later.find(({ step }) => step === summary.bestStep)!;
  expect(summary).toMatchObject({
    reason: 'completed',
    steps: STEPS,
    initialEvalLoss: first!.eval_loss,
    metrics: null,
  });
  expect(summary.forgetting).toEqual({
    before: first!.metrics!.base_text_loss,
    after: kept.metrics!.base_text_loss,
  });
  expect(run).toMatchObject({ step: STEPS, totalSteps: STEPS, bestStep: summary.bestStep });
  expect((await loadCheckpoint('a run', 'latest'))!.info.step).toBe(STEPS);
});

describe('a run that was stopped and resumed', () => {
  test.each<[string, Partial<RecipeInput>]>([
    ['LoRA', lora],
    ['PiSSA', { ...lora, method: { ...lora.method, init_lora_weights: 'pissa' } }],
    [
      'full with EWC and a moving average',
      { method: { type: 'full' }, objective: { type: 'pretraining' }, training: { ewc_lambda: 5, ema_decay: 0.9 } },
    ],
  ])('%s: is the run that was not', async (_name, input) => {
    const whole = await train('llama/gqa-tied', jobOf(input), () => {});
    const rows = await readMetrics('a run');

    const halves = (resume: boolean) => jobOf(input, { run: runOf('halves'), resume });
    const first = await train('llama/gqa-tied', halves(false), (event, control) => {
      if (event.type === 'metrics' && event.row.kind === 'step' && event.row.step === 3) control.stop();
    });
    expect(first.summary.reason).toBe('stopped');
    const second = await train('llama/gqa-tied', halves(true), () => {});
    expect(second.trained).toEqual(whole.trained);
    expect(timeless(await readMetrics('halves'))).toEqual(timeless(rows));
    expect(second.summary.forgetting!.before).toBeCloseTo(whole.summary.forgetting!.before, 4);
  });
});

test('a classifier reports its metrics instead of a perplexity', async () => {
  const task = { problemType: 'single_label_classification' as const, labels: ['no', 'yes'] };
  const examples = { train: classified(8), validation: classified(4), samplePrompts: [], baseText: [] };
  const job = jobOf(
    { method: { type: 'head' }, objective: { type: 'sequence_classification' } },
    { task, ...examples },
  );
  const { summary } = await train('families/bert', job, () => {});
  const last = (await readMetrics('a run')).findLast((row) => row.kind === 'eval')!;
  expect(last).not.toHaveProperty('perplexity');
  expect(last.metrics).toMatchObject({ accuracy: expect.any(Number), f1_macro: expect.any(Number) });
  expect(last.report!.labels).toEqual(task.labels);
  expect(summary.metrics).toEqual(last.metrics);
  expect(summary.forgetting).toBeNull();
});

test('a run without a checkpoint cannot be resumed', () =>
  expect(train('llama/gqa-tied', jobOf(lora, { resume: true }), () => {})).rejects.toMatchObject({ code: 'storage' }));
