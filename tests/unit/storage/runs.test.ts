import { describe, expect, it } from 'vitest';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { Recipe } from '../../../src/recipe/types';
import { saveCheckpoint } from '../../../src/storage/checkpoints';
import {
  appendMetrics,
  appendSamples,
  deleteRun,
  getRun,
  labelRun,
  listRuns,
  markInterrupted,
  readMetrics,
  readSamples,
  restoreRun,
  runLockName,
  saveRun,
  truncateMetrics,
} from '../../../src/storage/runs';
import { startStorage } from '../../../src/storage/start';
import type { MetricsRow, SampleAnswer } from '../../../src/storage/types';
import { countRecords, fillDisk, freshDatabase, holdLocks, runOf } from './helpers';

freshDatabase();

const row = (step: number): MetricsRow => ({
  kind: 'step',
  step,
  epoch: 0,
  loss: 1 / step,
  grad_norm: 1,
  learning_rate: 1e-4,
  tokens: step * 10,
  seconds: step,
  gpu_bytes: 0,
});
const sample = (step: number): SampleAnswer => ({ step, prompt: 'p', base: 'b', tuned: `t${step}` });
const steps = async (id: string) => (await readMetrics(id)).map(({ step }) => step);

describe('runs', () => {
  it('are saved, changed and listed, newest first', async () => {
    await saveRun(runOf('a', { createdAt: 1 }));
    await saveRun(runOf('b', { createdAt: 2 }));
    const saved = await saveRun(runOf('a', { createdAt: 1, step: 3 }));
    expect(saved).toMatchObject({ id: 'a', step: 3 });
    expect(saved.updatedAt).toBeGreaterThan(1);
    expect(await getRun('a')).toEqual(saved);
    expect((await listRuns()).map(({ id }) => id)).toEqual(['b', 'a']);
    expect(await getRun('none')).toBeUndefined();
  });

  it('of an older version get the fields that were added since', async () => {
    const whole = resolveRecipe({ version: 1, name: 'old', method: { type: 'lora', r: 2 } });
    const { mix, ...dataset } = whole.dataset;
    expect(mix).toEqual({});
    await saveRun(runOf('old', { status: 'running', recipe: { ...whole, dataset } as Recipe }));
    expect((await getRun('old'))!.recipe).toEqual(whole);
    expect((await listRuns())[0]!.recipe).toEqual(whole);
    expect((await labelRun('old', { note: 'kept' })).recipe).toEqual(whole);
    expect((await markInterrupted())[0]!.recipe).toEqual(whole);
  });

  it('are deleted with all their data', async () => {
    for (const id of ['a', 'b']) {
      await saveRun(runOf(id));
      await appendMetrics(id, [row(1)]);
      await appendSamples(id, [sample(1)]);
      const tensors = new Map([['w', { shape: [2], data: Float32Array.of(1, 2) }]]);
      await saveCheckpoint({ runId: id, step: 1, state: {}, createdAt: 1 }, tensors, 'latest');
    }
    await deleteRun('a');
    expect(await getRun('a')).toBeUndefined();
    for (const store of ['runs', 'metrics', 'samples', 'checkpoints', 'chunks']) {
      expect(await countRecords(store), store).toBe(1);
    }
    expect(await steps('b')).toEqual([1]);
  });

  it('keep what a person says of them, whoever saves the rest, and lose nothing else by it', async () => {
    const trained = await saveRun(runOf('a', { step: 1 }));
    const labels = { name: 'baseline', tags: ['keep'], pinned: true, note: 'first try' };
    expect(await labelRun('a', labels)).toEqual({ ...trained, ...labels });
    // A tab that trains it knows nothing of that, and writes its own record.
    const saved = await saveRun({ ...trained, step: 2 });
    expect(saved).toMatchObject({ ...labels, step: 2 });
    await restoreRun(trained);
    expect(await getRun('a')).toEqual({ ...trained, ...labels });
    await labelRun('a', { tags: undefined, pinned: false, note: '' });
    expect(await getRun('a')).toEqual({ ...trained, name: 'baseline' });
  });

  it('cannot be labelled once they are gone', async () => {
    await expect(labelRun('a', { name: 'b' })).rejects.toMatchObject({ code: 'storage' });
    expect(await listRuns()).toEqual([]);
  });

  it('cannot be deleted while a tab trains them', async () => {
    await saveRun(runOf('a'));
    holdLocks(runLockName('a'));
    await expect(deleteRun('a')).rejects.toMatchObject({ code: 'storage', action: expect.stringContaining('Stop') });
    expect(await getRun('a')).toBeDefined();
  });
});

describe('metrics', () => {
  it('are read per run, in the order they were appended', async () => {
    await appendMetrics('a', [row(1), row(2)]);
    await appendMetrics('ab', [row(7)]);
    await appendMetrics('a', []);
    await appendMetrics('a', [row(3)]);
    expect(await readMetrics('a')).toEqual([row(1), row(2), row(3)]);
    expect(await countRecords('metrics')).toBe(3);
    for (let step = 4; step <= 15; step++) await appendMetrics('a', [row(step)]);
    expect(await steps('a')).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
    expect(await readMetrics('none')).toEqual([]);
  });

  it('are all kept if appended at the same time', async () => {
    await Promise.all([row(1), row(2), row(3)].map((r) => appendMetrics('a', [r])));
    expect((await steps('a')).sort()).toEqual([1, 2, 3]);
  });

  it('and samples after a checkpoint are dropped when the run resumes from it', async () => {
    await appendMetrics('a', [row(1), row(2), row(3)]);
    await appendMetrics('a', [row(4), row(5)]);
    await appendMetrics('b', [row(9)]);
    await appendSamples('a', [sample(2)]);
    await appendSamples('a', [sample(4)]);
    await truncateMetrics('a', 2);
    expect(await steps('a')).toEqual([1, 2]);
    expect(await readSamples('a')).toEqual([sample(2)]);
    expect(await steps('b')).toEqual([9]);
    await appendMetrics('a', [row(3)]);
    expect(await steps('a')).toEqual([1, 2, 3]);
    await truncateMetrics('a', 0);
    expect(await steps('a')).toEqual([]);
  });
});

describe('markInterrupted', () => {
  it('finds only runs that no tab is training any more', async () => {
    await saveRun(runOf('crashed'));
    await saveRun(runOf('elsewhere'));
    await saveRun(runOf('paused', { status: 'paused' }));
    await saveRun(runOf('done', { status: 'completed' }));
    const seen = (await getRun('crashed'))!.updatedAt;
    holdLocks(runLockName('elsewhere'));
    expect((await startStorage()).map(({ id }) => id)).toEqual(['crashed']);
    const status = Object.fromEntries((await listRuns()).map((run) => [run.id, run.status]));
    expect(status).toEqual({ crashed: 'interrupted', elsewhere: 'running', paused: 'paused', done: 'completed' });
    expect((await getRun('crashed'))!.updatedAt).toBe(seen);
    expect(await markInterrupted()).toEqual([]);
  });

  it('takes from the last checkpoint what a tab did not live to record', async () => {
    const tensors = new Map([['w', { shape: [1], data: Float32Array.of(1) }]]);
    await saveRun(runOf('behind', { step: 4, bestStep: 4, bestEvalLoss: 2, initialEvalLoss: 3 }));
    await saveRun(runOf('ahead', { step: 9, bestStep: 9, bestEvalLoss: 1 }));
    const state = { step: 8, bestStep: 8, bestEvalLoss: 1.5, initialEvalLoss: 3 };
    for (const runId of ['behind', 'ahead']) {
      await saveCheckpoint({ runId, step: 8, state, createdAt: 1 }, tensors, 'latest', 'best');
    }
    await markInterrupted();
    expect(await getRun('behind')).toMatchObject({ step: 8, bestStep: 8, bestEvalLoss: 1.5, status: 'interrupted' });
    expect(await getRun('ahead')).toMatchObject({ step: 9, bestStep: 9, bestEvalLoss: 1, status: 'interrupted' });
  });

  it('says the step that its curve reached, and the one that it resumes from', async () => {
    const tensors = new Map([['w', { shape: [1], data: Float32Array.of(1) }]]);
    await saveRun(runOf('drawn', { step: 3 }));
    await saveCheckpoint({ runId: 'drawn', step: 4, state: {}, createdAt: 1 }, tensors, 'latest');
    await appendMetrics('drawn', [row(3), row(4)]);
    await appendMetrics('drawn', [row(5), row(6)]);
    await saveRun(runOf('unsaved', { step: 0 }));
    await appendMetrics('unsaved', [row(1)]);
    await markInterrupted();
    expect(await getRun('drawn')).toMatchObject({ step: 6, savedStep: 4 });
    expect(await getRun('unsaved')).toMatchObject({ step: 1 });
    expect((await getRun('unsaved'))!.savedStep).toBeUndefined();
  });

  it('names them on a full disk too, where they cannot be marked', async () => {
    await saveRun(runOf('a', { step: 3 }));
    fillDisk(['runs']);
    expect(await markInterrupted()).toMatchObject([{ id: 'a', step: 3, status: 'interrupted' }]);
  });

  it('works without Web Locks', async () => {
    await saveRun(runOf('a'));
    expect(await markInterrupted()).toHaveLength(1);
  });
});
