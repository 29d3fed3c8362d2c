/**
 * Compares every optimiser over a hundred steps with torch, transformers and bitsandbytes
 * (tests/oracle/make_optim_fixtures.py): two groups with different rates, weight decay and clipping on and off, and a tensor
 * that is trained in only some of the steps.
 */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { workDone } from '../../src/engine/kernels/in-place';
import { decays } from '../../src/engine/optim/flat-layout';
import { createOptimizer, type OptimizerSettings, type StateTensors } from '../../src/engine/optim/optimizer';
import { unpackBytes } from '../../src/engine/optim/state';
import { dynamicMap } from '../../src/engine/quantization/nf4';
import { gpuBytes, readFloats } from '../../src/engine/webgpu/backend';
import type { OptimizerName } from '../../src/recipe/types';
import { fixtureJson, fixtureTensors, relativeError } from '../fixture-files';

interface Case {
  name: string;
  optim: OptimizerName;
  sgd_momentum: number;
  weight_decay: number;
  max_grad_norm: number;
  learning_rate: number;
  /** Steps [from, to) in which `down.weight` has gradients. */
  window: [number, number];
  ema_decay: number;
  /** Of every tenth step, before clipping. */
  norms: number[];
  decaying: string[];
  shapes: Record<string, number[]>;
  /** The fixture holds every `stride`-th value of a parameter. */
  stride: number;
}
interface Json {
  adam_beta1: number;
  adam_beta2: number;
  adam_epsilon: number;
  /** Of the group that decays, and of the other. */
  rates: [number, number];
  steps: number;
  initial_step: number;
  cases: Case[];
}

const json = await fixtureJson<Json>('optim/optimisers.json');
const file = await fixtureTensors('optim/optimisers.safetensors');

/** Same as `values` in the script: integer thousandths times powers of two, so both languages get the same bits. */
function values(step: number, tensor: number, size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => {
    if (i % 11 === 10) return 0;
    let h = (Math.imul(i, 0x9e3779b1) + Math.imul(step, 0x85ebca77) + Math.imul(tensor, 0xc2b2ae3d)) >>> 0;
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
    h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
    h = (h ^ (h >>> 15)) >>> 0;
    const whole = (h % 2001) - 1000 + 300 * ((i % 3) - 1);
    const scale = 0.5 ** (i % 7) * (step === json.initial_step ? 1 : 0.5 ** (step % 5));
    return (whole / 1000) * scale;
  });
}

class Run {
  readonly names: string[];
  readonly params: Map<string, tf.Tensor>;
  readonly optimizer;
  readonly active;

  constructor(
    readonly own: Case,
    changes: Partial<OptimizerSettings> = {},
  ) {
    this.names = Object.keys(own.shapes);
    this.params = new Map(
      this.names.map((name, i) => {
        const shape = own.shapes[name]!;
        return [name, tf.keep(tf.tensor(values(json.initial_step, i, tf.util.sizeFromShape(shape)), shape))];
      }),
    );
    const rate = (name: string) => json.rates[decays(name) ? 0 : 1];
    this.optimizer = createOptimizer(this.params, { ...json, ...own, ema_decay: 0, ...changes }, { rate });
    this.active = (step: number) => (name: string) =>
      name !== 'down.weight' || (step >= own.window[0] && step < own.window[1]);
  }

  /** Step `step`, from 0. With `all`, gradients of frozen tensors come too, and must not matter. */
  async step(step: number, all = false) {
    const active = this.active(step);
    const grads = new Map(
      this.names
        .filter((name) => all || active(name))
        .map((name) => {
          const p = this.params.get(name)!;
          return [name, tf.tensor(values(step, this.names.indexOf(name), p.size), p.shape)];
        }),
    );
    this.optimizer.accumulate(grads, true);
    tf.dispose([...grads.values()]);
    const loss = tf.scalar(1);
    const stats = this.optimizer.update(loss, this.own.learning_rate * (1 - step / 128), active);
    loss.dispose();
    return stats;
  }

  values = async () =>
    new Map(await Promise.all([...this.params].map(async ([n, t]) => [n, await readFloats(t)] as const)));

  dispose() {
    this.optimizer.dispose();
    tf.dispose([...this.params.values()]);
  }
}

const caseOf = (name: string) => json.cases.find((c) => c.name === name)!;

export function rulesParity(backend: string, setUp: () => Promise<void>): void {
  describe(`${backend}: optimisers`, () => {
    beforeAll(setUp);

    const using = async (own: Case, body: (run: Run) => Promise<void>, changes: Partial<OptimizerSettings> = {}) => {
      const before = tf.memory().numTensors;
      const run = new Run(own, changes);
      await body(run);
      run.dispose();
      expect(tf.memory().numTensors - before, 'tensors left').toBe(0);
    };

    test('every optimiser is in the fixtures', () => {
      const all: Record<OptimizerName, true> = {
        adamw: true,
        adamw_8bit: true,
        adam: true,
        sgd: true,
        lion: true,
        adafactor: true,
      };
      expect(new Set(json.cases.map((c) => c.optim))).toEqual(new Set(Object.keys(all)));
    });

    test.each(json.cases)('$name: a hundred steps match', (own) =>
      using(own, async (run) => {
        for (let step = 0; step < json.steps; step++) {
          const { gradNorm, finite } = await run.step(step, step % 3 === 0);
          if ((step + 1) % 10 !== 0) continue;
          expect(finite).toBe(true);
          expect(relativeError([gradNorm], [own.norms[(step + 1) / 10 - 1]!]), `norm ${step + 1}`).toBeLessThan(1e-5);
          for (const [name, all] of await run.values()) {
            const kept = all.filter((_, i) => i % own.stride === 0);
            const label = `${name}, step ${step + 1}`;
            const expected = file.floats(`${own.name}.${step + 1}.${name}`);
            if (own.optim === 'adamw_8bit') {
              // A moment that is halfway between two codes to the last bit may take the other one here. If it is its
              // block's largest, that block differs a little from then on.
              const most = Math.max(...expected.map(Math.abs));
              const off = kept.map((v, i) => Math.abs(v - expected[i]!) / most);
              expect(Math.max(...off), label).toBeLessThan(1e-3);
              expect(off.filter((x) => !(x < 1e-5)).length / off.length, label).toBeLessThan(0.08);
              continue;
            }
            expect(relativeError(kept, expected), label).toBeLessThan(1e-4);
          }
        }
      }),
    );

    test('weight decay applies to the same tensors as in the Trainer', () => {
      for (const { shapes, decaying } of json.cases) {
        expect(Object.keys(shapes).filter(decays).sort()).toEqual(decaying);
      }
    });

    test('Adafactor’s rows and columns match, and so do a vector’s moments', () =>
      using(caseOf('adafactor.on'), async (run) => {
        for (let step = 0; step < json.steps; step++) await run.step(step);
        const saved = await run.optimizer.save();
        for (const name of run.names) {
          const vector = run.own.shapes[name]!.length < 2;
          const of = (part: string) => file.floats(`adafactor.on.${part}.${name}`);
          const col = saved.get(`adafactor_col/${name}`)!.data;
          expect(relativeError(col, of(vector ? 'exp_avg_sq' : 'exp_avg_sq_col')), name).toBeLessThan(1e-5);
          const row = saved.get(`adafactor_row/${name}`)!.data;
          if (vector) expect(row.length).toBe(1);
          else expect(relativeError(row, of('exp_avg_sq_row')), name).toBeLessThan(1e-5);
        }
      }));

    test('the moving average matches swa_utils.AveragedModel, and can be shown, put back and saved', () =>
      using(
        caseOf('adamw.on'),
        async (run) => {
          for (let step = 0; step < json.steps; step++) await run.step(step);
          const own = await run.values();
          const shown = await run.optimizer.withAverage(run.values);
          for (const [name, values] of shown) {
            expect(relativeError(values, file.floats(`adamw.on.average.${name}`)), name).toBeLessThan(1e-5);
            expect(relativeError(values, own.get(name)!)).toBeGreaterThan(1e-4);
          }
          expect(await run.values()).toEqual(own);
          const saved = await run.optimizer.save();
          for (const name of run.names) {
            expect(saved.get(`adapter/${name}`)!.data).toEqual(shown.get(name));
            expect(saved.get(`params/${name}`)!.data).toEqual(own.get(name));
          }
          run.optimizer.showAverage(true);
          expect(await run.values()).toEqual(shown);
          // A step continues from the parameters, not from the average.
          await using(
            run.own,
            async (other) => {
              other.optimizer.load(saved, json.steps);
              await other.step(75);
              await run.step(75);
              expect(await run.values()).toEqual(await other.values());
            },
            { ema_decay: 0.9 },
          );
        },
        { ema_decay: 0.9 },
      ));

    test.each(json.cases.filter((c) => c.name.endsWith('.on')))('$name: a saved state continues, bit for bit', (own) =>
      using(
        own,
        async (run) => {
          // Frozen, trained, and frozen again: the tensor's own count is neither zero nor the run's.
          const steps = [28, 29, 30, 31, 32, 70, 71];
          for (const step of steps) await run.step(step);
          // As if through storage.
          const saved: StateTensors = new Map(
            [...(await run.optimizer.save())].map(([name, { shape, data }]) => [
              name,
              {
                shape: [...shape],
                data: new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength)),
              },
            ]),
          );
          for (const [name, { shape, data }] of saved) {
            expect(tf.util.sizeFromShape(shape), name).toBe(data.length);
          }
          await using(
            own,
            async (other) => {
              other.optimizer.load(saved, steps.length);
              expect(await other.optimizer.save()).toEqual(saved);
              for (const step of [33, 72, 34]) {
                await run.step(step);
                await other.step(step);
              }
              expect(await other.optimizer.save()).toEqual(await run.optimizer.save());
              expect(await other.values()).toEqual(await run.values());
            },
            { ema_decay: 0.75 },
          );
        },
        { ema_decay: 0.75 },
      ),
    );

    test.each(json.cases.filter((c) => c.name.endsWith('.on')))('$name: a NaN gradient changes nothing', (own) =>
      using(
        own,
        async (run) => {
          await run.step(30);
          const before = await run.optimizer.save();
          const name = 'up.weight';
          const bad = tf.fill(own.shapes[name]!, Number.NaN);
          run.optimizer.accumulate(new Map([[name, bad]]), true);
          bad.dispose();
          const loss = tf.scalar(1);
          expect((await run.optimizer.update(loss, 1)).finite).toBe(false);
          loss.dispose();
          const after = await run.optimizer.save();
          after.delete('optimizer/updates');
          expect(after).toEqual(before);
        },
        { ema_decay: 0.9 },
      ),
    );

    test('8 bits: bitsandbytes’ tables match, and so do codes and magnitudes after a hundred steps', () =>
      using(caseOf('adamw_8bit.on'), async (run) => {
        expect(dynamicMap(true)).toEqual(file.floats('codes.signed'));
        expect(dynamicMap(false)).toEqual(file.floats('codes.unsigned'));
        for (let step = 0; step < json.steps; step++) await run.step(step);
        const saved = await run.optimizer.save();
        const size = 65 * 70;
        const absmax = saved.get('adam_absmax/up.weight')!.data;
        for (const [i, part] of (['m8', 'v8'] as const).entries()) {
          const codes = unpackBytes(saved.get(`adam_${part}/up.weight`)!.data, size);
          const expected = file.raw(`adamw_8bit.on.state${i + 1}`);
          // One rounding apart, a value between two codes takes the other one, and stays one code off for a while.
          const differing = codes.filter((code, k) => code !== expected[k]).length;
          expect(differing / size, part).toBeLessThan(2e-3);
          const largest = absmax.filter((_, k) => k % 2 === i);
          expect(relativeError(largest, file.floats(`adamw_8bit.on.absmax${i + 1}`)), part).toBeLessThan(1e-4);
        }
        // Tensors with fewer than 4096 values keep float32 moments.
        expect(saved.get('adam_m/up.bias')!.shape).toEqual([33]);
        expect(saved.has('adam_m8/up.bias')).toBe(false);
        expect(saved.has('adam_m/norm.weight')).toBe(false);
      }));

    test('8 bits: the moments take one byte per value, plus eight bytes per block', async () => {
      const size = 1 << 20;
      const tensor = tf.keep(tf.zeros([size]));
      await readFloats(tensor); // on the device from here on
      const trainable = new Map([['w', tensor]]);
      const own = { ...json, ...caseOf('adamw.on'), ema_decay: 0 };
      const bytes = async (optim: OptimizerName) => {
        // Work that is still to be submitted holds buffers.
        await workDone();
        const before = gpuBytes().used;
        const optimizer = createOptimizer(trainable, { ...own, optim });
        await workDone();
        const taken = gpuBytes().used - before;
        optimizer.dispose();
        return taken;
      };
      const stateless = await bytes('sgd');
      expect((await bytes('adamw')) - stateless).toBe(8 * size);
      // Plus two tables of 256 codes.
      expect((await bytes('adamw_8bit')) - stateless).toBe(2 * size + (8 * size) / 256 + 2048);
      tensor.dispose();
    });
  });
}
