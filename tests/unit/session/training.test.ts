import { describe, expect, it, vi } from 'vitest';
import { getRun, readSamples, saveRun } from '../../../src/storage/runs';
import { until } from '../../support/time';
import { FakeLocks } from './fake-worker';
import { freshStages, open, reopen } from './fresh-stage';
import { begun, metrics, names, recipe } from './stage';

freshStages();

const stint = (n = 0) => until(() => open.engine.stints[n]);

describe('a run', () => {
  it('gets its job from the model, data and recipe', async () => {
    const running = open.session.train(recipe());
    const { job } = await stint();
    expect(job.run).toMatchObject({ name: 'pirate-chat LoRA r16', status: 'running', step: 0, error: null });
    expect(job.train.length + job.validation.length).toBe(250);
    expect(job.validation).toHaveLength(25);
    expect(job.samplePrompts).toHaveLength(3);
    expect(job.stopTokenIds.length).toBeGreaterThan(0);
    expect(job).toMatchObject({ initAdapter: null, resume: false });
    (await stint()).end();
    await running;
  });

  it('keeps its stored record up to date from start to end', async () => {
    const running = open.session.train(recipe());
    const { job, emit, checkpoint, end } = await stint();
    expect((await getRun(job.run.id))?.status).toBe('running');
    emit(begun(job.run));
    emit(metrics(1, 2.5));
    emit({ type: 'state', state: 'paused' });
    await until(() => names(open.events).includes('state'));
    await expect.poll(() => getRun(job.run.id)).toMatchObject({ status: 'paused', step: 1 });
    emit({ type: 'state', state: 'training' });
    await checkpoint(2);
    end('early_stopping');
    const record = await running;
    expect(record).toMatchObject({ status: 'early_stopped', step: 7, savedStep: 7, error: null });
    expect(await getRun(job.run.id)).toEqual(record);
    expect(names(open.events)).toEqual(['started', 'metrics', 'state', 'state', 'checkpoint', 'finished']);
  });

  it('has a name of its own, and keeps what a person calls it meanwhile', async () => {
    const first = open.session.train(recipe());
    (await stint()).end();
    const { id } = await first;
    const second = open.session.train(recipe());
    const { job, emit, end } = await stint(1);
    expect(job.run.name).toBe('pirate-chat LoRA r16 · 2');
    emit(begun(job.run));
    const labels = { name: 'the second', tags: ['keep'], pinned: true };
    expect(await open.session.labelRun(job.run.id, labels)).toMatchObject(labels);
    emit(metrics(1, 2.5));
    await until(() => names(open.events).includes('metrics'));
    expect((await open.session.runs()).map(({ name }) => name)).toEqual(['the second', 'pirate-chat LoRA r16']);
    end();
    expect(await second).toMatchObject({ ...labels, status: 'completed' });
    expect(await getRun(job.run.id)).toMatchObject({ ...labels, status: 'completed' });
    await open.session.labelRun(id, { name: 'the first' });
    expect((await open.session.listAdapters()).map(({ name }) => name)).not.toContain('pirate-chat LoRA r16');
  });

  it('remembers how long it took and what was measured at its best step', async () => {
    const running = open.session.train(recipe());
    const { emit, end, job } = await stint();
    emit(begun(job.run));
    const evaluated = (step: number, best: boolean, accuracy: number) =>
      emit({
        type: 'metrics',
        row: { kind: 'eval', step, epoch: 1, eval_loss: 2, best, seconds: step * 3, metrics: { accuracy } },
        ...{ tokensPerSecond: 1, secondsLeft: 1 },
      });
    evaluated(1, true, 0.75);
    evaluated(2, false, 0.5);
    await until(() => names(open.events).length === 3);
    expect((await open.session.runs())[0]).toMatchObject({ seconds: 6, bestMetrics: { accuracy: 0.75 } });
    end();
    expect(await running).toMatchObject({ bestMetrics: { accuracy: 0.75 } });
  });

  it('decodes sample answers, stores them and reports them before the end', async () => {
    const running = open.session.train(recipe());
    const { job, emit, end } = await stint();
    const [first] = job.samplePrompts;
    emit({ type: 'samples', step: 0, base: [first!, first!, first!], tuned: [first!, first!, first!] });
    end();
    await running;
    expect(names(open.events)).toEqual(['samples', 'finished']);
    const samples = await readSamples(job.run.id);
    expect(samples).toHaveLength(3);
    expect(samples[0]).toMatchObject({ step: 0, prompt: expect.stringMatching(/\S/) });
    expect(samples[0]!.tuned).toContain(samples[0]!.prompt);
    // These answers repeat the question, so they score somewhere below the example's own answer.
    const { rouge_l, exact_match } = samples[0]!.scores!.tuned;
    expect(rouge_l).toBeGreaterThanOrEqual(0);
    expect(rouge_l).toBeLessThan(1);
    expect(exact_match).toBe(0);
    expect(samples[0]!.scores!.base).toEqual(samples[0]!.scores!.tuned);
  });

  it('holds its locks until it has ended', async () => {
    const other = {};
    const free = () =>
      open.locks.for(other).request('tabtune-training', { ifAvailable: true }, (lock) => lock !== null);
    const running = open.session.train(recipe());
    const { end } = await stint();
    expect(await free()).toBe(false);
    end();
    await running;
    expect(await free()).toBe(true);
  });

  it('survives a listener that throws', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    open.session.subscribe(() => {
      throw new Error('no screen');
    });
    const running = open.session.train(recipe());
    const { emit, end } = await stint();
    emit(metrics(1, 2));
    end();
    expect((await running).status).toBe('completed');
    logged.mockRestore();
  });
});

describe('one run at a time', () => {
  it('refuses a second run in this tab without affecting the first', async () => {
    const running = open.session.train(recipe());
    await expect(open.session.train(recipe())).rejects.toThrow('already in progress in this tab');
    (await stint()).end();
    expect((await running).status).toBe('completed');
    expect(names(open.events)).toEqual(['finished']);
  });

  it('refuses a run while another tab is training', async () => {
    const locks = new FakeLocks();
    void locks.for({}).request('tabtune-training', () => new Promise(() => {}));
    reopen(locks);
    await expect(open.session.train(recipe())).rejects.toThrow('Another tab');
    expect(await open.session.runs()).toEqual([]);
  });

  it('reserves the model and adapter for the run while it lasts', async () => {
    const running = open.session.train(recipe());
    await stint();
    await expect(open.session.openModel('builtin:stories')).rejects.toThrow('A run is in progress');
    const options = { maxNewTokens: 1, temperature: 0, topP: 1, seed: 1, adapterStrength: 1 };
    await expect(open.session.generate('Hi', options, () => {})).rejects.toThrow('A run is in progress');
    await expect(open.session.exportAs('peft', { onProgress: () => {} })).rejects.toThrow('A run is in progress');
    await expect(open.session.deleteRun((await open.session.runs())[0]!.id)).rejects.toThrow('still in progress');
    await expect(open.session.eraseEverything()).rejects.toThrow('A run is in progress');
    (await stint()).end();
    await running;
  });
});

describe('before a run exists', () => {
  it('an invalid recipe is rejected and leaves no record', async () => {
    const wrong = recipe();
    wrong.training.learning_rate = -1;
    await expect(open.session.train(wrong)).rejects.toMatchObject({ code: 'bad_recipe' });
    expect(await open.session.runs()).toEqual([]);
    expect(open.events).toEqual([]);
  });

  it('stop cancels the preparation', async () => {
    let goOn = () => {};
    open.engine.gate = new Promise((resolve) => {
      goOn = resolve;
    });
    const running = open.session.train(recipe());
    await until(() => open.engine.calls.length > 0);
    await open.session.stop();
    // What is still being opened is not waited for.
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    goOn();
    expect(open.engine.stints).toEqual([]);
    expect(await open.session.runs()).toEqual([]);
  });

  it('a missing model or dataset is reported', async () => {
    await expect(open.session.train(recipe({ model: { source: 'builtin:nothing' } }))).rejects.toMatchObject({
      code: 'bad_model',
    });
    await expect(open.session.train(recipe({ dataset: { source: 'file:gone.csv' } }))).rejects.toMatchObject({
      code: 'bad_data',
      where: 'file:gone.csv',
    });
  });
});

describe('pause, resume, stop', () => {
  it('reach the engine, and stopping keeps what was learned', async () => {
    const running = open.session.train(recipe());
    await stint();
    await open.session.pause();
    await open.session.resume();
    await open.session.stop();
    expect((await running).status).toBe('stopped');
    expect(open.engine.calls.slice(-3)).toEqual(['pause', 'resume', 'stop']);
    expect((await open.session.exportAs('peft', { onProgress: () => {} })).fileName).toBe('pirate-chat-LoRA-r16.zip');
  });

  it('an engine that hears the stop and goes on is ended, and the run can be resumed', async () => {
    const running = open.session.train(recipe());
    const { job, emit, checkpoint } = await stint();
    emit(begun(job.run));
    await checkpoint(3);
    open.engine.deaf = true;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    try {
      await open.session.stop();
      await vi.advanceTimersByTimeAsync(100_000);
      // A sign of life: a step that takes this long.
      emit(metrics(4, 2));
      await until(() => names(open.events).includes('metrics'));
      await vi.advanceTimersByTimeAsync(100_000);
      expect(names(open.events)).not.toContain('failed');
      await vi.advanceTimersByTimeAsync(100_000);
    } finally {
      vi.useRealTimers();
    }
    expect(await running).toMatchObject({ status: 'interrupted', error: { code: 'timeout' } });
    expect(open.events.at(-1)).toMatchObject({ type: 'failed', resumable: true });
  });

  it('do nothing when nothing runs', async () => {
    await open.session.saveRun();
    await open.session.pause();
    await open.session.stop();
    expect(open.engine.calls).toEqual([]);
  });
});

describe('when the engine dies during a run', () => {
  it('the run is interrupted at once, and can be resumed from a checkpoint', async () => {
    const running = open.session.train(recipe());
    const { job, emit, checkpoint } = await stint();
    emit(begun(job.run));
    emit(metrics(3, 2));
    await checkpoint(3);
    await until(() => names(open.events).includes('checkpoint'));
    await expect.poll(() => getRun(job.run.id)).toMatchObject({ savedStep: 3 });
    // No timer brings it about.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    open.engine.crash();
    const record = await running;
    vi.useRealTimers();
    expect(record).toMatchObject({ status: 'interrupted', step: 3, error: { code: 'worker_died' } });
    expect(open.events.at(-1)).toMatchObject({ type: 'failed', resumable: true, run: { status: 'interrupted' } });
    expect((await getRun(job.run.id))?.status).toBe('interrupted');

    // Nothing happens automatically. Resuming starts a new worker and loads the model.
    expect(open.engine.workers).toHaveLength(1);
    const again = open.session.resumeRun(job.run.id);
    const second = await stint(1);
    expect(open.engine.workers).toHaveLength(2);
    expect(open.engine.calls.slice(-2)).toEqual(['loadModel builtin:stories', 'train resumed']);
    expect(second.job.resume).toBe(true);
    expect(second.job.run.id).toBe(job.run.id);
    expect(second.job.train.map(({ row }) => row)).toEqual(job.train.map(({ row }) => row));
    second.end();
    expect(await again).toMatchObject({ id: job.run.id, status: 'completed', error: null });
  });

  it('before the first checkpoint, the same run restarts from the beginning', async () => {
    const running = open.session.train(recipe());
    const { job, emit } = await stint();
    emit(begun(job.run));
    emit(metrics(2, 2));
    await until(() => names(open.events).includes('metrics'));
    open.engine.crash();
    expect(await running).toMatchObject({ status: 'interrupted', step: 2 });
    expect(open.events.at(-1)).toMatchObject({ type: 'failed', resumable: true });
    const again = open.session.resumeRun(job.run.id);
    const second = await stint(1);
    expect(second.job).toMatchObject({ resume: false, run: { id: job.run.id, step: 0, finalLoss: null, error: null } });
    second.end();
    expect(await again).toMatchObject({ id: job.run.id, status: 'completed' });
    expect(await open.session.runs()).toHaveLength(1);
  });

  it('a lost GPU terminates the worker, and the third loss in a row suggests a smaller batch', async () => {
    for (let n = 0; n < 3; n++) {
      const running = open.session.train(recipe());
      (await stint(n)).fail({ code: 'gpu_lost', message: 'The GPU was lost.' });
      const { status, error } = await running;
      expect(status).toBe('interrupted');
      expect(error?.code).toBe('gpu_lost');
      expect(open.engine.workers[n]!.terminated).toBe(true);
      if (n < 2) expect(error?.message).toBe('The GPU was lost.');
      else expect(`${error?.message} ${error?.action}`).toMatch(/3rd time within ten minutes.*smaller batch/);
    }
    expect(open.engine.workers).toHaveLength(3);
  });

  it('the run has failed, rather than been interrupted, if resuming cannot help', async () => {
    const running = open.session.train(recipe());
    const { checkpoint, fail } = await stint();
    await checkpoint(1);
    await until(() => names(open.events).includes('checkpoint'));
    fail({ code: 'not_finite', message: 'The loss became NaN.' });
    expect((await running).status).toBe('failed');
    expect(open.events.at(-1)).toMatchObject({ type: 'failed', resumable: false });
  });

  it('the previous adapter is restored', async () => {
    const first = open.session.train(recipe());
    const { job, checkpoint, end } = await stint();
    await checkpoint(7);
    end();
    await first;
    const second = open.session.train(recipe());
    (await stint(1)).fail({ code: 'internal', message: 'No.' });
    await second;
    await open.session.exportAs('peft', { onProgress: () => {} });
    expect(open.engine.calls).toContain(`openCheckpoint ${job.run.id}`);
  });
});

describe('earlier runs', () => {
  it('are listed as interrupted if a reload ended them', async () => {
    const running = open.session.train(recipe());
    const { job } = await stint();
    open.session.close();
    await running;
    await saveRun({ ...job.run, status: 'running' });
    reopen();
    expect(await open.session.runs()).toMatchObject([{ id: job.run.id, status: 'interrupted' }]);
  });

  it('cannot be resumed once they have finished', async () => {
    const running = open.session.train(recipe());
    const { job, checkpoint, end } = await stint();
    await checkpoint(7);
    end();
    await running;
    await expect(open.session.resumeRun(job.run.id)).rejects.toThrow('already ended');
    await expect(open.session.resumeRun('nothing')).rejects.toThrow('no longer');
  });

  it('can be deleted', async () => {
    const running = open.session.train(recipe());
    const { job, end } = await stint();
    end();
    await running;
    await open.session.deleteRun(job.run.id);
    expect(await open.session.runs()).toEqual([]);
  });
});
