import { describe, expect, it, vi } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import type { TokenizerFiles } from '../../../src/data/tokenizer-files';
import type { ParsedDataset } from '../../../src/data/types';
import type { AdapterFiles } from '../../../src/formats/adapter-format';
import { connect, serve } from '../../../src/rpc/rpc';
import { DataHost, type DatasetFile } from '../../../src/session/data-host';
import { EngineHost } from '../../../src/session/engine-host';
import type { DataWorkerApi } from '../../../src/workers/data/edit-dataset';
import { createDataApi } from '../../../src/workers/data/service';
import type { EngineApi } from '../../../src/workers/engine/api';
import { turn, until } from '../../support/time';
import { bertFiles, utf8 } from '../data/helpers';
import { FakeLocks, FakeWorker } from './fake-worker';
import { recipe } from './stage';

const never = () => new Promise<never>(() => {});

function engineHost(api: Partial<EngineApi>, now = () => 0) {
  const workers: FakeWorker[] = [];
  const host = new EngineHost(() => {
    const locks = new FakeLocks();
    const worker = new FakeWorker(locks);
    workers.push(worker);
    serve(api, { port: worker.port, locks: worker.locks });
    return connect<EngineApi>(worker, { name: 'engine', locks: locks.for({}) });
  }, now);
  return { host, workers };
}

const lost = async (): Promise<never> => {
  throw new TabtuneError({ code: 'gpu_lost', message: 'The GPU was lost.' });
};

describe('EngineHost', () => {
  it('counts a loss once, however many calls were waiting', async () => {
    const { host, workers } = engineHost({ device: never, pause: lost });
    for (let n = 0; n < 2; n++) {
      const waiting = Promise.allSettled([1, 2, 3].map(() => host.watch((api) => api.device())));
      await expect(host.watch((api) => api.pause())).rejects.toThrow('The GPU was lost.');
      for (const outcome of await waiting) expect(outcome).toMatchObject({ reason: { code: 'worker_died' } });
    }
    expect(workers).toHaveLength(2);
    await expect(host.watch((api) => api.pause())).rejects.toThrow('3rd time');
    await expect(host.watch((api) => api.pause())).rejects.toThrow('4th time');
    host.close();
  });

  it('replaces the worker after the GPU rejected an operation, but not after other internal errors', async () => {
    const fault = (where: string) => async (): Promise<never> => {
      throw new TabtuneError({ code: 'internal', message: 'No.', where });
    };
    const { host, workers } = engineHost({ pause: fault('GPU'), stop: fault('loop') });
    await expect(host.watch((api) => api.stop())).rejects.toThrow('No.');
    await expect(host.watch((api) => api.pause())).rejects.toThrow('No.');
    expect(workers).toHaveLength(1);
    expect(workers[0]!.terminated).toBe(true);
    await expect(host.watch((api) => api.stop())).rejects.toThrow('No.');
    expect(workers).toHaveLength(2);
    host.close();
  });

  it('forgets losses after ten minutes', async () => {
    let clock = 0;
    const { host } = engineHost({ pause: lost }, () => clock);
    for (let n = 0; n < 5; n++) {
      await expect(host.watch((api) => api.pause())).rejects.toThrow(/^The GPU was lost\.$/);
      clock += 6 * 60_000;
    }
    host.close();
  });

  it('reloads the model once for several calls after a loss', async () => {
    const loadModel = vi.fn(async () => ({}) as never);
    const { host, workers } = engineHost({ loadModel, stop: async () => {} });
    await host.loadModel('builtin:stories', undefined, 'nf4');
    workers[0]!.crash();
    await turn();
    await Promise.all([1, 2, 3].map(() => host.use((api) => api.stop())));
    expect(loadModel).toHaveBeenCalledTimes(2);
    expect(loadModel).toHaveBeenLastCalledWith('builtin:stories', expect.any(Function), 'nf4');
    host.close();
  });

  it('restores the previous adapter when another one does not fit', async () => {
    const setAdapter = vi.fn(async (files: AdapterFiles | null) => {
      if (files?.[0]?.path === 'bad') throw new TabtuneError({ code: 'bad_adapter', message: 'Does not fit.' });
      return { trainableParameters: 1, settings: null };
    });
    const { host } = engineHost({ loadModel: async () => ({}) as never, setAdapter, stop: async () => {} });
    await host.loadModel('builtin:stories');
    const files = (path: string): AdapterFiles => [{ path, bytes: new Uint8Array() }];
    await host.attach({ kind: 'files', name: 'good', files: files('good') });
    await expect(host.attach({ kind: 'files', name: 'bad', files: files('bad') })).rejects.toThrow('Does not fit');
    await host.use((api) => api.stop());
    expect(setAdapter.mock.calls.map(([given]) => given?.[0]?.path)).toEqual(['good', 'bad', 'good']);
    expect(host.currentAdapter).toMatchObject({ name: 'good' });
    host.close();
  });

  it('removes the adapter when none is wanted', async () => {
    const setAdapter = vi.fn(async () => ({ trainableParameters: 0, settings: null }));
    const { host } = engineHost({ loadModel: async () => ({}) as never, setAdapter, stop: async () => {} });
    await host.loadModel('builtin:stories');
    host.want(null, 'unknown');
    await host.use((api) => api.stop());
    await host.use((api) => api.stop());
    expect(setAdapter.mock.calls).toEqual([[null]]);
    host.close();
  });
});

const parsed = (text: string): ParsedDataset => ({
  name: 'x.txt',
  fileType: 'text',
  format: 'text',
  detected: '',
  columns: ['text'],
  mapping: {},
  uses: [],
  examples: [{ kind: 'text', row: 1, text }],
  problems: [],
  totalRows: 1,
  leftOut: 0,
});

function dataHost(api: Partial<Record<keyof DataWorkerApi, (...args: never[]) => unknown>>) {
  const workers: FakeWorker[] = [];
  const calls: string[] = [];
  const host = new DataHost(() => {
    const locks = new FakeLocks();
    const worker = new FakeWorker(locks);
    workers.push(worker);
    const logged = Object.fromEntries(
      Object.entries(api).map(([name, method]) => [
        name,
        (...args: never[]) => {
          calls.push(name);
          return method(...args);
        },
      ]),
    );
    serve(logged, { port: worker.port, locks: worker.locks });
    return connect<DataWorkerApi>(worker, { name: 'data worker', locks: locks.for({}) });
  });
  return { host, workers, calls };
}

const tokenizer = { files: {} as TokenizerFiles, title: 'Stories' };
const file = (key: string): DatasetFile => ({
  key,
  name: 'x.txt',
  section: { format: 'auto', columns: null },
  read: async () => new ArrayBuffer(4),
});

describe('DataHost', () => {
  const tokens = { train: [], validation: [] };
  const api = {
    openTokenizer: () => ({ vocabSize: 1 }),
    encodePrompt: () => Int32Array.of(1),
    parse: () => parsed('text'),
    viewTokens: () => ({}),
    tokenize: () => tokens,
    decode: () => 'text',
  };

  it('parses the same bytes once', async () => {
    const { host, calls } = dataHost(api);
    await host.parse(file('a'));
    await host.parse(file('a'));
    await host.tokenize(tokenizer, file('a'), recipe(), 512);
    expect(calls.filter((name) => name === 'parse')).toHaveLength(1);
    await host.parse(file('b'));
    expect(calls.filter((name) => name === 'parse')).toHaveLength(2);
    host.close();
  });

  it('gives a new worker the tokeniser, dataset and tokens again as they are needed', async () => {
    const { host, workers, calls } = dataHost(api);
    await host.openTokenizer(tokenizer);
    await host.tokenize(tokenizer, file('a'), recipe(), 512);
    calls.length = 0;
    workers[0]!.crash();
    await turn();
    expect(await host.decode(tokenizer, Int32Array.of(1))).toBe('text');
    expect(calls).toEqual(['openTokenizer', 'decode']);
    await host.encodePrompt(tokenizer, 'Hi');
    expect(calls.slice(2)).toEqual(['parse', 'tokenize', 'encodePrompt']);
    await host.encodePrompt(tokenizer, 'Hi');
    expect(calls.slice(5)).toEqual(['encodePrompt']);
    host.close();
  });

  it('terminates the worker only for the call that loops', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { host, workers, calls } = dataHost({ ...api, encodePrompt: never });
      const looping = host.encodePrompt(tokenizer, 'Hi').catch((cause: unknown) => cause);
      const innocent = host.decode(tokenizer, Int32Array.of(1));
      // The clock stands until the worker is in that call.
      await until(() => calls.includes('encodePrompt'));
      await vi.advanceTimersByTimeAsync(11_000);
      expect(await looping).toMatchObject({ code: 'timeout', action: expect.stringContaining('Stories') });
      expect(await innocent).toBe('text');
      expect(workers).toHaveLength(2);
      host.close();
    } finally {
      vi.useRealTimers();
    }
  });

  /** Ten rows, of which the tokeniser never returns from `hanging`. */
  const hangingAt = (hanging: readonly number[]) => {
    const attempts: { leftOut: readonly number[]; careful: boolean }[] = [];
    const tokenize = (...args: unknown[]) => {
      const [leftOut, careful, onRow] = args.slice(5) as [number[], boolean, (at: number) => void];
      attempts.push({ leftOut: [...leftOut], careful });
      const first = hanging.find((at) => !leftOut.includes(at + 1));
      // Told now and then, or of every row.
      onRow(careful && first !== undefined ? first : 0);
      return first === undefined ? tokens : never();
    };
    const rows = Array.from({ length: 10 }, (_, i) => ({ kind: 'text' as const, row: i + 1, text: 'x' }));
    const parse = () => ({ ...parsed('x'), examples: rows });
    return { attempts, ...dataHost({ ...api, parse, tokenize }) };
  };
  const passTimeUntil = async (done: () => boolean) => {
    while (!done()) {
      await turn();
      await vi.advanceTimersByTimeAsync(500);
    }
  };
  const inFakeTime = async (work: () => Promise<void>) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      await work();
    } finally {
      vi.useRealTimers();
    }
  };

  it.each([[[4]], [[0]], [[2, 9]], [[1, 5, 8]]])(
    'leaves out the rows %j, at which the tokeniser hangs',
    async (hanging) => {
      await inFakeTime(async () => {
        const { host, attempts, workers } = hangingAt(hanging);
        let result: unknown;
        void host.tokenize(tokenizer, file('a'), recipe(), 512).then((value) => {
          result = value;
        });
        await passTimeUntil(() => result !== undefined);
        expect(result).toEqual(tokens);
        expect(attempts.at(-1)!.leftOut).toEqual(hanging.map((at) => at + 1));
        // One attempt to notice it, then one more for each of the rows.
        expect(attempts.map(({ careful }) => careful)).toEqual([false, ...hanging.map(() => true), true]);
        expect(workers).toHaveLength(attempts.length);
        host.close();
      });
    },
  );

  it('blames the model if it hangs at more rows than three', async () => {
    await inFakeTime(async () => {
      const { host } = hangingAt([0, 1, 2, 3]);
      let error: unknown;
      void host.tokenize(tokenizer, file('a'), recipe(), 512).catch((cause: unknown) => {
        error = cause;
      });
      await passTimeUntil(() => error !== undefined);
      expect(error).toMatchObject({ code: 'timeout', where: 'row 4', action: expect.stringContaining('Stories') });
      host.close();
    });
  });

  it('accepts a template that rejects the test prompt', async () => {
    const refuses = () => {
      throw new TabtuneError({ code: 'bad_data', message: 'No system message, please.' });
    };
    const { host, calls } = dataHost({ ...api, encodePrompt: refuses });
    expect(await host.openTokenizer(tokenizer)).toEqual({ vocabSize: 1 });
    expect(calls).toEqual(['openTokenizer', 'encodePrompt']);
    host.close();
  });

  it('encodes base text and texts to classify with their own tokeniser', async () => {
    const { host, calls } = dataHost({ ...createDataApi() });
    const bert = { files: bertFiles(['one', 'two']), title: 'BERT' };
    const pieces = await host.tokenizeBaseText(
      bert,
      'base.txt',
      utf8('one two one').buffer as ArrayBuffer,
      4,
      'masked_lm',
    );
    expect(pieces.map(({ ids }) => [...ids])).toEqual([
      [2, 5, 6, 3],
      [2, 5, 3],
    ]);
    const { ids, words } = await host.encodeForTask(bert, ['two', 'one'], 8);
    expect([[...ids], [...words!]]).toEqual([
      [2, 6, 5, 3],
      [-1, 0, 1, -1],
    ]);
    expect(calls).toEqual(['openTokenizer', 'tokenizeBaseText', 'encodeForTask']);
    host.close();
  });
});
