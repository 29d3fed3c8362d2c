import { describe, expect, it } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import type { TestDrive } from '../../../src/session/api';
import { until } from '../../support/time';
import { freshStages, open } from './fresh-stage';
import { device, recipe } from './stage';

freshStages();

const result: TestDrive = {
  ...{ secondsPerStep: 2, tokensPerSecond: 250, gpuBytes: 5e6, gradNorm: 1.5, finite: true },
  ...{ lossBefore: 3, lossAfter: 2.9, quicker: null },
  learned: { examples: 225, masked: 0, endless: 0 },
};
/** An engine that tries until it is cancelled, as the real one does. */
const untilCancelled = () => {
  open.engine.tried = ({ signal }) =>
    new Promise((_, reject) => {
      signal?.addEventListener('abort', () =>
        reject(new TabtuneError({ code: 'cancelled', message: 'The trial was cancelled.' })),
      );
    });
};
const called = (name: string) => until(() => open.engine.calls.find((call) => call.startsWith(name)));

describe('a test drive', () => {
  it('gets the job of the run, makes no record, and gives the forecast its pace', async () => {
    let examples = 0;
    open.engine.tried = async ({ job }) => {
      examples = job.train.length;
      return result;
    };
    await open.session.openModel('builtin:stories');
    expect((await open.session.forecast(recipe())).seconds).toBeNull();
    const progress: number[] = [];
    expect(await open.session.testDrive(recipe(), (done) => progress.push(done))).toEqual(result);
    expect(examples).toBe(225);
    expect(progress).toEqual([0]);
    expect(await open.session.runs()).toEqual([]);
    const { seconds, tokens } = await open.session.forecast(recipe());
    expect(seconds).toBeCloseTo(tokens / 250);
  });

  it('tries larger batches of the same step', async () => {
    open.engine.tried = async () => result;
    open.engine.device = { ...device, software: true };
    await open.session.testDrive(recipe({ training: { per_device_train_batch_size: 2 } }), () => {});
    // 2 × 4 as 4 × 2, which fits.
    expect(await called('testDrive')).toBe('testDrive 4');
  });

  it('tries no larger ones where a GPU takes the micro-batches together', async () => {
    let together = 0;
    open.engine.tried = async ({ job }) => {
      together = job.together;
      return result;
    };
    await open.session.testDrive(recipe({ training: { per_device_train_batch_size: 2 } }), () => {});
    expect(await called('testDrive')).toBe('testDrive');
    expect(together).toBe(4);
  });

  it('is cancelled by its signal', async () => {
    untilCancelled();
    const abort = new AbortController();
    const driving = open.session.testDrive(recipe(), () => {}, abort.signal);
    await called('testDrive');
    abort.abort();
    await expect(driving).rejects.toMatchObject({ code: 'cancelled' });
    expect(await open.session.runs()).toEqual([]);
  });

  it('gives way to a run and to another model, and only to them', async () => {
    untilCancelled();
    const driving = open.session.testDrive(recipe(), () => {});
    await called('testDrive');
    await expect(open.session.classify('a', 1)).rejects.toMatchObject({
      message: expect.stringContaining('test drive'),
    });
    await expect(open.session.findRate(recipe(), () => {})).rejects.toMatchObject({
      message: expect.stringContaining('test drive is in progress'),
    });
    const running = open.session.train(recipe());
    await expect(driving).rejects.toMatchObject({ code: 'cancelled' });
    (await until(() => open.engine.stints[0])).end();
    expect(await running).toMatchObject({ status: 'completed' });

    open.engine.calls.length = 0;
    const searching = open.session.findRate(recipe(), () => {});
    await called('findRate');
    const opened = open.session.openModel('builtin:stories');
    await expect(searching).rejects.toMatchObject({ code: 'cancelled' });
    expect((await opened).title).toBe('Stories 2M');
  });

  it('waits while a run has the engine', async () => {
    const running = open.session.train(recipe());
    const { end } = await until(() => open.engine.stints[0]);
    await expect(open.session.testDrive(recipe(), () => {})).rejects.toMatchObject({
      message: expect.stringContaining('A run is in progress'),
    });
    end();
    await running;
  });

  it('remembers what ran out of memory', async () => {
    open.engine.tried = async () => {
      throw new TabtuneError({ code: 'gpu_out_of_memory', message: 'No memory.', where: 'GPU' });
    };
    await expect(open.session.testDrive(recipe(), () => {})).rejects.toMatchObject({ code: 'gpu_out_of_memory' });
    const { budget } = await open.session.forecast(recipe());
    expect(budget?.how).toContain('ran out of memory here');
  });
});

describe('a rate search', () => {
  it('passes its points on', async () => {
    open.engine.tried = async () => ({ points: [], diverged: true, suggested: null });
    const points: number[] = [];
    await open.session.findRate(recipe(), ({ rate }) => points.push(rate));
    expect(points).toEqual([1e-6]);
  });
});
