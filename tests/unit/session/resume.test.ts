/** Resuming is never the end of a run: what fails before its first step, or is not what it was trained on, leaves it be. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import type { Recipe } from '../../../src/recipe/types';
import { appendMetrics, getRun, readMetrics, restoreRun } from '../../../src/storage/runs';
import type { RunRecord } from '../../../src/storage/types';
import { until } from '../../support/time';
import { csv, freshStages, open, reopen, replies } from './fresh-stage';
import { begun, device, metrics, names, recipe, stage } from './stage';

freshStages();

const stint = (n: number) => until(() => open.engine.stints[n]);
const own = (changed: Parameters<typeof recipe>[0] = {}): Recipe =>
  recipe({
    dataset: { source: 'file:replies.csv', validation_split: 0 },
    // More than the three that are done when it is interrupted.
    training: { max_steps: 7 },
    ...changed,
  });
const failure = () => open.events.at(-1);

/** What every call for a model fails with. */
function missing(problem: TabtuneError): Promise<never> {
  const rejected = Promise.reject(problem);
  rejected.catch(() => {});
  return rejected;
}

/** A run that the engine's death ended at step 3, with a checkpoint there if wanted; its record as it is stored. */
async function interrupted(given: Recipe, { checkpoint = true } = {}): Promise<RunRecord> {
  const running = open.session.train(given);
  const { job, emit, checkpoint: save } = await stint(open.engine.stints.length);
  emit(begun(job.run));
  emit(metrics(3, 2));
  const row = metrics(3, 2);
  if (row.type === 'metrics') await appendMetrics(job.run.id, [row.row]);
  if (checkpoint) await save(3);
  await until(() => names(open.events).includes(checkpoint ? 'checkpoint' : 'metrics'));
  open.engine.crash();
  await running;
  return (await getRun(job.run.id))!;
}

it('takes as many micro-batches together as before, whatever the device is now; one by one in a run of an older version', async () => {
  const { id, together, ...older } = await interrupted(recipe());
  expect(together).toBeGreaterThan(1);
  open.engine.device = { ...device, software: true };
  const resumed = open.session.resumeRun(id);
  const { job, end } = await stint(1);
  expect(job).toMatchObject({ resume: true, together });
  end();
  await resumed;
  await restoreRun({ ...older, id });
  const again = open.session.resumeRun(id);
  const next = await stint(2);
  expect(next.job.together).toBe(1);
  next.end();
  await again;
});

describe('a resume that fails before its first step leaves the record as it was', () => {
  const noGpu = new TabtuneError({ code: 'no_webgpu', message: 'No GPU was found.' });
  const noModel = new TabtuneError({ code: 'bad_model', message: 'This model is not stored in this browser.' });

  it.each([
    ['the GPU is missing', noGpu, true],
    ['the GPU is missing and nothing was saved yet', noGpu, false],
    ['the model is missing', noModel, true],
    ['the model is missing and nothing was saved yet', noModel, false],
  ])('because %s', async (_name, problem, checkpoint) => {
    const before = await interrupted(recipe(), { checkpoint });
    const curve = await readMetrics(before.id);
    open.engine.gate = missing(problem);
    const record = await open.session.resumeRun(before.id);
    expect(record).toEqual(before);
    expect(await getRun(before.id)).toEqual(before);
    expect(await readMetrics(before.id)).toEqual(curve);
    expect(failure()).toMatchObject({ type: 'failed', resumable: true, error: { code: problem.code } });

    open.engine.gate = null;
    const again = open.session.resumeRun(before.id);
    const { job, end } = await stint(1);
    expect(job.resume).toBe(checkpoint);
    end();
    expect((await again).status).toBe('completed');
  });

  it('in a tab that was opened since, where the model is opened first', async () => {
    const before = await interrupted(recipe());
    reopen();
    open.engine.gate = missing(noGpu);
    await expect(open.session.resumeRun(before.id)).rejects.toMatchObject({ code: 'no_webgpu' });
    expect(await getRun(before.id)).toEqual(before);
  });

  it.each([
    { code: 'internal', message: 'The GPU refused an operation.', where: 'GPU' },
    { code: 'not_finite', message: 'The loss became NaN.' },
    { code: 'gpu_out_of_memory', message: 'Too large.' },
    { code: 'storage', message: 'The checkpoint is damaged.' },
  ] as const)('because of $code, after the engine has begun', async (problem) => {
    const before = await interrupted(recipe());
    const again = open.session.resumeRun(before.id);
    const { job, emit, fail } = await stint(1);
    emit(begun({ ...job.run, step: 3 }));
    emit({ type: 'state', state: 'evaluating' });
    await until(() => names(open.events).lastIndexOf('state') > names(open.events).lastIndexOf('started'));
    // Other tabs see that it is alive.
    expect((await getRun(before.id))?.status).toBe('running');
    fail(problem);
    expect(await again).toEqual(before);
    expect(await getRun(before.id)).toEqual(before);
    expect(failure()).toMatchObject({ type: 'failed', resumable: true });
  });

  it('but not afterwards', async () => {
    const before = await interrupted(recipe());
    const again = open.session.resumeRun(before.id);
    const { job, emit, fail } = await stint(1);
    emit(begun({ ...job.run, step: 3 }));
    emit(metrics(4, 1.5));
    await expect.poll(() => getRun(before.id)).toMatchObject({ status: 'running', step: 4, error: null });
    fail({ code: 'not_finite', message: 'The loss became NaN.' });
    expect(await again).toMatchObject({ status: 'failed', step: 4, error: { code: 'not_finite' } });
  });

  it('because it is stopped in its preparation', async () => {
    const before = await interrupted(recipe());
    reopen();
    let goOn = () => {};
    open.engine.gate = new Promise((resolve) => {
      goOn = resolve;
    });
    const again = open.session.resumeRun(before.id);
    await until(() => open.engine.calls.length > 0);
    await open.session.stop();
    goOn();
    await expect(again).rejects.toMatchObject({ code: 'cancelled' });
    expect(await getRun(before.id)).toEqual(before);
  });
});

it('a run with a checkpoint is interrupted, and not over, by an error of ours', async () => {
  const running = open.session.train(recipe());
  const { job, emit, checkpoint, fail } = await stint(0);
  emit(begun(job.run));
  await checkpoint(2);
  await until(() => names(open.events).includes('checkpoint'));
  fail({ code: 'internal', message: 'Something went wrong.' });
  expect((await running).status).toBe('interrupted');
  expect(failure()).toMatchObject({ type: 'failed', resumable: true });
});

describe('a run whose data or model has changed', () => {
  const others = `${replies}Why?,Because.\n`;

  /** Refused first, with these words; then resumed all the same. */
  async function expectAsked(before: RunRecord, words: RegExp, what: string[]) {
    const asked = await open.session.resumeRun(before.id).catch((cause: unknown) => cause as TabtuneError);
    expect(asked).toMatchObject({ code: 'inputs_changed', action: expect.stringContaining('start a new run') });
    expect((asked as TabtuneError).message).toMatch(words);
    expect(await getRun(before.id)).toEqual(before);
    const stints = open.engine.stints.length;
    const again = open.session.resumeRun(before.id, 'use');
    const { job, end } = await stint(stints);
    expect(job.run.changes).toEqual([{ step: 3, what }]);
    expect(job.run.inputs).not.toEqual(before.inputs);
    end();
    expect(await again).toMatchObject({ status: 'completed', changes: [{ step: 3, what }] });
  }

  it('is asked about when another file has the dataset’s name', async () => {
    await open.session.importDataset(csv(replies));
    const before = await interrupted(own());
    await open.session.importDataset(csv(others));
    const sizes = `replies.csv is another file now \\(${others.length} bytes, then ${replies.length}\\)`;
    await expectAsked(before, new RegExp(sizes), ['dataset']);
  });

  it('is asked about when a row was edited', async () => {
    await open.session.importDataset(csv(replies));
    const before = await interrupted(own());
    await open.session.editDataset('file:replies.csv', { kind: 'cells', row: 2, fields: { completion: 'On Sunday.' } });
    await expectAsked(before, /replies\.csv is another file now/, ['dataset']);
  });

  it('is asked about in a tab that was opened since', async () => {
    await open.session.importDataset(csv(replies));
    const before = await interrupted(own());
    reopen();
    await open.session.importDataset(csv(replies.replace('Ruth', 'Rose')));
    await expectAsked(before, /replies\.csv is another file now\./, ['dataset']);
  });

  it('is not asked about when the same file was added again, under other dates', async () => {
    await open.session.importDataset(csv(replies));
    const before = await interrupted(own());
    await open.session.importDataset(csv(others));
    await open.session.importDataset(csv(replies));
    const again = open.session.resumeRun(before.id);
    const { job, end } = await stint(1);
    expect(job.run.changes).toBeUndefined();
    end();
    await again;
  });

  it('is not resumed where fewer steps are to be done than have been', async () => {
    const training = { per_device_train_batch_size: 1, gradient_accumulation_steps: 1, num_train_epochs: 1 };
    await open.session.importDataset(csv(replies));
    const before = await interrupted(own({ training }));
    await open.session.importDataset(csv('prompt,completion\nWhere is it?,In the post.\nWhen?,On Monday.\n'));
    await expect(open.session.resumeRun(before.id, 'use')).rejects.toMatchObject({
      message: '“replies LoRA r16” has done 3 steps, and with the data as it is now there are only 2.',
    });
    expect(await getRun(before.id)).toEqual(before);
  });

  it('is asked about when its base text has changed', async () => {
    const text = (word: string) => new File([`The ${word} is by the sea.\n`.repeat(20)], 'base.txt');
    await open.session.importDataset(text('harbour'));
    await open.session.importDataset(csv(replies));
    const dataset = { source: 'file:replies.csv', base_text: 'file:base.txt', validation_split: 0 };
    const before = await interrupted(own({ dataset }));
    await open.session.importDataset(text('lighthouse'));
    await expectAsked(before, /The base text base\.txt is another file now/, ['baseText']);
  });

  it('is asked about when a file of its mix has changed', async () => {
    const more = (word: string) => new File([`prompt,completion\nWhere is Eva?,In the ${word}.\n`], 'more.csv');
    await open.session.importDataset(more('garden'));
    await open.session.importDataset(csv(replies));
    const dataset = { source: 'file:replies.csv', mix: { 'file:more.csv': 2 }, validation_split: 0 };
    const before = await interrupted(own({ dataset }));
    await open.session.importDataset(more('kitchen'));
    await expectAsked(before, /replies\.csv, or a file that it is mixed with, is another file now/, ['dataset']);
  });

  it('is asked about when the same file gives other examples', async () => {
    await open.session.importDataset(csv(replies));
    const before = await interrupted(own());
    const older: RunRecord = { ...before, inputs: { ...before.inputs!, examples: { sha256: 'another', bytes: 1 } } };
    await restoreRun(older);
    await expectAsked(older, /the same file, but this version of Tabtune makes other examples/, ['examples']);
  });

  it('of an older version is resumed, and asked about only if its number of steps is another one', async () => {
    await open.session.importDataset(csv(replies));
    const training = { per_device_train_batch_size: 1, gradient_accumulation_steps: 1, num_train_epochs: 2 };
    const { inputs: _none, ...older } = await interrupted(own({ training }));
    await restoreRun({ ...older, totalSteps: 6 });
    const again = open.session.resumeRun(older.id);
    (await stint(1)).fail({ code: 'gpu_lost', message: 'Gone.' });
    expect(await again).toMatchObject({ status: 'interrupted' });
    await open.session.importDataset(csv(others));
    await expect(open.session.resumeRun(older.id)).rejects.toMatchObject({
      code: 'inputs_changed',
      message: expect.stringContaining('replies.csv now gives another number of steps'),
    });
  });
});

describe('a run whose model folder has changed', () => {
  const folder = '../../fixtures/llama/gqa-tied/';
  const bytesOf = (name: string) => Uint8Array.from(readFileSync(new URL(folder + name, import.meta.url)));
  const words = ['<pad>', '<s>', '</s>', '<unk>', ...'abcdefghijklmnopqrstuvwxyz'].map((token, id) => [token, id]);
  const tokenizer = {
    added_tokens: words.slice(0, 4).map(([content, id]) => ({ id, content, special: true, normalized: false })),
    pre_tokenizer: { type: 'WhitespaceSplit' },
    model: { type: 'WordPiece', unk_token: '<unk>', continuing_subword_prefix: '##', vocab: Object.fromEntries(words) },
  };

  async function addModel(change: (weights: Uint8Array) => void = () => {}) {
    const weights = bytesOf('model.safetensors');
    change(weights);
    const file = (name: string, content: BlobPart) => ({ path: `mine/${name}`, file: new File([content], name) });
    return open.session.importModel([
      file('config.json', bytesOf('config.json')),
      file('model.safetensors', weights as BlobPart),
      file('tokenizer.json', JSON.stringify(tokenizer)),
    ]);
  }

  it.each([false, true])('is asked about (tab opened since: %s)', async (since) => {
    const source = await addModel();
    const before = await interrupted(recipe({ model: { source } }));
    if (since) reopen();
    // A single bit of the last weight: what samples of a large file could miss.
    await addModel((weights) => {
      weights[weights.length - 1]! ^= 1;
    });
    await expect(open.session.resumeRun(before.id)).rejects.toMatchObject({
      code: 'inputs_changed',
      message: expect.stringContaining('mine now holds another model.'),
    });
    expect(await getRun(before.id)).toEqual(before);
    await addModel();
    const stints = open.engine.stints.length;
    const again = open.session.resumeRun(before.id);
    const { job, end } = await stint(stints);
    expect(job.run.changes).toBeUndefined();
    end();
    await again;
  });
});

describe('what a living run needs', () => {
  const refused = { message: expect.stringContaining('here or in another tab, needs this in order to resume') };

  it('cannot be deleted or replaced, by its own tab or by another one', async () => {
    await open.session.importDataset(csv(replies));
    const running = open.session.train(own());
    const { job, emit, end } = await stint(0);
    emit(begun(job.run));
    const other = stage(open.locks);
    await other.session.openDataset(own().dataset);
    for (const { session } of [open, other]) {
      await expect(session.deleteStored('dataset/replies.csv')).rejects.toMatchObject(refused);
      await expect(session.importDataset(csv('a,b\n1,2\n'))).rejects.toMatchObject(refused);
      await expect(session.deleteStored(`run/${job.run.id}`)).rejects.toThrow('still in progress');
      await expect(session.deleteRun(job.run.id)).rejects.toThrow('still in progress');
      await expect(session.eraseEverything()).rejects.toThrow('A run is in progress');
    }
    const edit = other.session.editDataset('file:replies.csv', {
      kind: 'cells',
      row: 1,
      fields: { completion: 'No.' },
    });
    await expect(edit).rejects.toMatchObject(refused);
    // What it does not need can be deleted.
    await other.session.importDataset(csv(replies, 'others.csv'));
    await other.session.deleteStored('dataset/others.csv');
    end();
    await running;
    await other.session.deleteStored('dataset/replies.csv');
    await other.session.deleteRun(job.run.id);
    other.session.close();
  });

  it('is safe while the run is being prepared, before it has a record', async () => {
    await open.session.importDataset(csv(replies));
    let goOn = () => {};
    open.engine.gate = new Promise((resolve) => {
      goOn = resolve;
    });
    const running = open.session.train(own());
    await until(() => open.engine.calls.length > 0);
    const other = stage(open.locks);
    await expect(other.session.deleteStored('dataset/replies.csv')).rejects.toMatchObject(refused);
    await expect(other.session.eraseEverything()).rejects.toThrow('A run is in progress');
    goOn();
    (await stint(0)).end();
    await running;
    other.session.close();
  });

  it('is free again if the run cannot be resumed', async () => {
    await open.session.importDataset(csv(replies));
    const before = await interrupted(own());
    open.engine.gate = missing(new TabtuneError({ code: 'no_webgpu', message: 'No GPU was found.' }));
    await open.session.resumeRun(before.id);
    await open.session.deleteStored('dataset/replies.csv');
    await open.session.deleteRun(before.id);
  });
});
