import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Family } from '../../../src/base/kernels';
import { classKey, type ProductClass } from '../../../src/base/product-class';
import { type AdapterTraits, adapterTraits, setAdapterTraits } from '../../../src/engine/webgpu/adapter';
import type { EngineDevice } from '../../../src/engine/webgpu/device';
import {
  allChoices,
  forgetChoices,
  keepAllChoices,
  keepChoices,
  keptChoices,
} from '../../../src/storage/kernel-choices';
import type { RunKernels } from '../../../src/storage/types';
import { eraseEverything } from '../../../src/storage/usage';
import type { TrainJob } from '../../../src/workers/engine/api';
import { cardKey, EngineKernels } from '../../../src/workers/engine/run-kernels';

beforeEach(forgetChoices);

const own = { vendor: 'acme', architecture: 'one', card: '', description: 'Acme One', software: false };

/** A device without a GPU behind it, with these traits. */
function opened(traits: Partial<AdapterTraits> = {}, facts: Partial<EngineDevice> = {}) {
  const device = { limits: {}, features: new Set() } as unknown as GPUDevice;
  setAdapterTraits(device, { ...adapterTraits(device), software: false, subgroups: true, ...traits });
  const engine = {
    ...own,
    features: [],
    subgroupSizes: null,
    ...facts,
    device,
    release: vi.fn(),
  } as unknown as EngineDevice;
  return { engine, used: () => adapterTraits(device) };
}

const shape = (rows: number): ProductClass => ({
  ...{ kind: 'nt', rows, columns: 256, steps: 128, format: 'bf16', inFours: true, pieces: 1, products: [] },
});
/** Of 64 rows, where slices of sums are usual; and of 4096, where tiles are. */
const [small, large] = [shape(64), shape(4096)];

const data = { detected: '', usage: '', rows: 1, examples: 1 };
const job = (resume: boolean, kernels?: RunKernels, shapes: ProductClass[] = [], fp16 = false) =>
  ({
    ...{ resume, run: { data, kernels, recipe: { training: { fp16 } } } },
    products: shapes.map((one) => ({ shape: one, count: 1 })),
  }) as unknown as TrainJob;

/** An engine whose card takes so long with each scheme, and what it has timed. */
function engineOn(ms: Partial<Record<Family, number>>, device = opened(), version = '1') {
  const asked: string[] = [];
  const kernels = new EngineKernels(version, async (product, families) => {
    asked.push(classKey(product));
    return Object.fromEntries(families.flatMap((family) => (ms[family] ? [[family, ms[family]]] : [])));
  });
  kernels.open(device.engine);
  return { kernels, asked, ...device };
}

describe('a run’s kernels', () => {
  it('are those asked for, and its record says so', async () => {
    const kernels = new EngineKernels('1');
    kernels.asked = 'tile';
    const { engine, used } = opened();
    kernels.open(engine);
    expect(used().kernels).toBe('tile');
    const { run } = await kernels.begin(job(false, undefined, [small]));
    expect(run.kernels).toEqual({ asked: 'tile', chosen: {} });
    expect(run.data!.notes).toBeUndefined();
  });

  it.each([
    ['the usual ones are compiled before it', {}, 'auto', ['one', 'two']],
    ['those that were asked for are not the forecast’s', {}, 'tile', []],
    ['in software, one after the other is as fast', { software: true }, 'auto', []],
  ] as const)('%s', async (_, traits, asked, expected) => {
    const { engine } = opened(traits);
    const compiled: string[] = [];
    Object.assign(engine.device, {
      ...{ pushErrorScope: () => {}, popErrorScope: async () => null, createShaderModule: () => ({}) },
      createComputePipelineAsync: async ({ label }: { label: string }) => {
        compiled.push(label);
        return {};
      },
    });
    const kernels = new EngineKernels('1');
    kernels.asked = asked;
    kernels.open(engine);
    const shares: number[] = [];
    const shaders = ['one', 'two'].map((key) => ({ key, code: '' }));
    await kernels.begin({ ...job(false), shaders }, { onCompiled: (share) => shares.push(share) });
    expect(compiled).toEqual(expected);
    expect(shares).toEqual(expected.length > 0 ? [0] : []);
  });

  it('are the usual ones where products are in 16 bits, and nothing is timed', async () => {
    const { kernels, asked } = engineOn({ tile: 1, split: 9, register: 9 });
    const { run } = await kernels.begin(job(false, undefined, [small], true));
    expect(run.kernels).toEqual({ asked: 'auto', chosen: {} });
    expect(asked).toEqual([]);
    expect((await kernels.begin(job(false, undefined, [small]))).run.kernels!.chosen).not.toEqual({});
  });

  it('are those that it was started with when it is resumed, and what was asked for again after it', async () => {
    const kernels = new EngineKernels('1');
    kernels.asked = 'tile';
    const { engine, used } = opened();
    kernels.open(engine);
    const { run } = await kernels.begin(job(true, { asked: 'register', chosen: {} }));
    expect(used().kernels).toBe('register');
    expect(run.kernels).toEqual({ asked: 'register', chosen: {} });
    expect(run.data!.notes).toEqual([
      expect.stringContaining('started with (register), not those asked for now (tile)'),
    ]);
    kernels.end();
    expect(used().kernels).toBe('tile');
  });

  it('are the usual ones of a record from before there was a choice', async () => {
    const { kernels, used, asked } = engineOn({ split: 2, register: 1 });
    expect((await kernels.begin(job(true, undefined, [small]))).run.kernels).toEqual({ asked: 'auto', chosen: {} });
    expect(used()).toMatchObject({ kernels: 'auto', chosen: undefined });
    expect(asked).toEqual([]);
  });

  it('that this GPU cannot run are replaced, with a sentence', async () => {
    const kernels = new EngineKernels('1');
    kernels.open(opened({ subgroups: false }).engine);
    for (const started of [
      { asked: 'quad', chosen: {} },
      { asked: 'auto', chosen: { [classKey(small)]: 'quad' } },
    ] as RunKernels[]) {
      const { run } = await kernels.begin(job(true, started));
      expect(run.data!.notes).toEqual([expect.stringContaining('which this GPU cannot run')]);
      expect(run.kernels).toEqual(started);
    }
  });

  it('that this GPU cannot run are refused when they are asked for, and the device is given back', () => {
    const kernels = new EngineKernels('1');
    kernels.asked = 'quad';
    const { engine } = opened({ subgroups: false });
    expect(() => kernels.open(engine)).toThrow('no subgroups');
    expect(engine.release).toHaveBeenCalledOnce();
  });
});

describe('what is timed on a card', () => {
  it('is timed once, used by every run that needs it, and recorded with the run', async () => {
    const first = engineOn({ split: 2, register: 1, tile: 3, quad: 3 });
    const { run } = await first.kernels.begin(job(false, undefined, [small, large]));
    // For the large one registers are faster than tiles, too.
    const chosen = { [classKey(small)]: 'register', [classKey(large)]: 'register' };
    expect(run.kernels).toEqual({ asked: 'auto', chosen });
    expect(first.used().chosen).toEqual(chosen);
    expect(first.asked).toEqual([classKey(large), classKey(small)]);
    first.kernels.end();
    expect(first.used().chosen).toBeUndefined();

    // Another visit, on which the clock says something else, and a run that needs one class of the two and a new one.
    const second = engineOn({ split: 1, register: 2, tile: 1, quad: 2 });
    const other = shape(128);
    expect((await second.kernels.begin(job(false, undefined, [small, other]))).run.kernels!.chosen).toEqual({
      [classKey(small)]: 'register',
    });
    expect(second.asked).toEqual([classKey(other)]);
    expect(Object.keys((await second.kernels.kept()).choices!.classes)).toHaveLength(3);
  });

  it('comes back with a resumed run, whatever is kept by then', async () => {
    const { kernels, used, asked } = engineOn({ split: 1, register: 2, tile: 2, quad: 2 });
    const started: RunKernels = { asked: 'auto', chosen: { [classKey(small)]: 'tile' } };
    expect((await kernels.begin(job(true, started, [small]))).run.kernels).toEqual(started);
    expect(used().chosen).toEqual(started.chosen);
    expect(asked).toEqual([]);
  });

  it('is timed again by another version, on another card, and where what is kept is damaged', async () => {
    const device = opened();
    const times = async (version = '1', on = device) => {
      const { kernels, asked } = engineOn({ split: 2, register: 1 }, on, version);
      await kernels.begin(job(false, undefined, [small]));
      return asked.length;
    };
    expect(await times()).toBe(1);
    expect(await times()).toBe(0);
    expect(await times('2')).toBe(1);
    const others: Partial<EngineDevice>[] = [
      { vendor: 'other' },
      { architecture: 'two' },
      { description: 'Acme Two' },
      { card: '0x2684' },
      { subgroupSizes: [32, 32] },
      { features: ['shader-f16'] },
    ];
    for (const facts of others) expect(await times('2', opened({}, facts)), JSON.stringify(facts)).toBe(1);
    expect(Object.keys(await allChoices())).toHaveLength(1 + others.length);

    const card = cardKey(device.engine);
    const whole = (await keptChoices(card, '2'))!;
    const [[key, timed]] = Object.entries(whole.classes) as [[string, (typeof whole.classes)[string]]];
    const damaged: unknown[] = [
      7,
      { ...whole, since: 'yesterday' },
      { ...whole, classes: { [key]: { ...timed, chosen: 'fast' } } },
      { ...whole, classes: { [key]: { ...timed, ms: { register: -1 } } } },
      { ...whole, classes: { [key]: { ...timed, shape: { ...timed.shape, kind: 'nnn' } } } },
    ];
    for (const value of damaged) {
      await keepChoices(card, value as typeof whole);
      expect(await times('2'), JSON.stringify(value)).toBe(1);
    }
    expect(await times('2')).toBe(0);
  });

  it('is not timed on a CPU that runs shaders, and not where other kernels are asked for', async () => {
    const { kernels, asked } = engineOn({}, opened({ software: true }));
    expect((await kernels.begin(job(false, undefined, [small]))).run.kernels).toEqual({ asked: 'auto', chosen: {} });
    kernels.asked = 'register';
    await kernels.begin(job(false, undefined, [small]));
    expect(asked).toEqual([]);
  });

  it('is left alone once a person wants the usual kernels, until they want it again', async () => {
    const { kernels } = engineOn({ split: 2, register: 1 });
    const chosen = async () => (await kernels.begin(job(false, undefined, [small]))).run.kernels!.chosen;
    const timed = { [classKey(small)]: 'register' };
    expect(await chosen()).toEqual(timed);
    expect((await kernels.choose(false)).choices!.off).toBe(true);
    expect(await chosen()).toEqual({});
    expect((await kernels.choose(true)).choices!.off).toBeUndefined();
    expect(await chosen()).toEqual(timed);
  });

  it('changes when it is measured again', async () => {
    const ms = { split: 2, register: 1, tile: 9, quad: 9 };
    const { kernels, asked } = engineOn(ms);
    await kernels.begin(job(false, undefined, [small, large]));
    ms.split = 0.5;
    const shares: number[] = [];
    const { choices } = await kernels.measure({ onProgress: (share) => shares.push(share) });
    expect(asked).toHaveLength(4);
    expect(shares).toEqual([0, 0.5]);
    // Of the small one, sums in slices are usual and the fastest now; of the large one they are chosen.
    expect(Object.values(choices!.classes).map(({ usual, chosen }) => [usual, chosen])).toEqual([
      ['tile', 'split'],
      ['split', 'split'],
    ]);
  });

  it('stays as it was when measuring is cancelled', async () => {
    const { kernels } = engineOn({ split: 2, register: 1 });
    await kernels.begin(job(false, undefined, [small, large]));
    const before = (await kernels.kept()).choices;
    let stopped = false;
    const measuring = kernels.measure({
      stopped: () => stopped,
      onProgress: (share) => {
        stopped = share > 0;
      },
    });
    await expect(measuring).rejects.toMatchObject({ code: 'cancelled' });
    expect((await kernels.kept()).choices).toEqual(before);
  });
});

it('what was timed elsewhere is used as if it had been timed here, unless it is damaged', async () => {
  const first = engineOn({ split: 2, register: 1 });
  await first.kernels.begin(job(false, undefined, [small]));
  const taken = { ...(await allChoices()), other: { version: '1', classes: 7 } };
  await forgetChoices();
  await keepAllChoices(taken);
  expect(Object.keys(await allChoices())).toEqual([cardKey(first.engine)]);
  const second = engineOn({ split: 1, register: 2 });
  const { run } = await second.kernels.begin(job(false, undefined, [small]));
  expect(run.kernels!.chosen).toEqual({ [classKey(small)]: 'register' });
  expect(second.asked).toEqual([]);
});

it('what was timed is gone when everything is erased', async () => {
  await engineOn({ split: 2, register: 1 }).kernels.begin(job(false, undefined, [small]));
  expect(Object.keys(await allChoices())).toHaveLength(1);
  await eraseEverything();
  expect(await allChoices()).toEqual({});
});
