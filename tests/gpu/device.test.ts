/** The device: how it is lost, missing or misused, and what a training step costs on it. */
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { llamaConfig, randomSource, type Shape } from '../../bench/random-llama';
import { TabtuneError } from '../../src/base/errors';
import type { Batch } from '../../src/data/types';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { createLora } from '../../src/engine/methods/lora';
import { loadModel } from '../../src/engine/models';
import { sft } from '../../src/engine/objectives/sft';
import { createOptimizer } from '../../src/engine/optim/optimizer';
import { freshState, recordStep } from '../../src/engine/run/loop';
import { counters, flush, gpuBackend, gpuBytes, readFloats } from '../../src/engine/webgpu/backend';
import { openDevice } from '../../src/engine/webgpu/device';
import { dispatch, uniformBlock } from '../../src/engine/webgpu/dispatch';
import { trimPool } from '../../src/engine/webgpu/pool';
import { resolveRecipe } from '../../src/recipe/defaults';
import { tinyRun } from '../parity/tiny-run';
import { openTestDevice, withOwnDevice } from './open-device';

/** The error that a promise rejects with. */
async function rejection(promise: Promise<unknown>): Promise<TabtuneError> {
  const error = await promise.then(
    () => expect.fail('It did not reject.'),
    (cause) => cause,
  );
  expect(error).toBeInstanceOf(TabtuneError);
  return error;
}

/** Lets everything run that the browser has queued by now, reports of unhandled rejections among it. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });

describe('a device that goes away', () => {
  test('in the middle of work: reports it at once, and pending reads end too', () =>
    withOwnDevice(async ({ device, failed }) => {
      let x: tf.Tensor2D = tf.randomUniform([128, 128]);
      await readFloats(tf.tidy(() => tf.matMul(x, x))); // compiles
      for (let i = 0; i < 40; i++) {
        const next: tf.Tensor2D = tf.matMul(x, x);
        x.dispose();
        x = next;
      }
      const read = readFloats(x).then(
        () => 'read',
        () => 'refused',
      );
      device.destroy();
      // Without a word from the device this read, and the test with it, would wait for ever.
      const error = await rejection(failed);
      expect(error.code).toBe('gpu_lost');
      expect(error.action).toContain('last checkpoint');
      expect(await read).toBe('refused');
      x.dispose();
    }));

  test('in the middle of a training run: the run ends, and no rejection goes unhandled', () =>
    withOwnDevice(async ({ device, failed }) => {
      const unhandled: unknown[] = [];
      const listener = (event: PromiseRejectionEvent) => {
        unhandled.push(event.reason);
        event.preventDefault();
      };
      addEventListener('unhandledrejection', listener);
      const run = await tinyRun({ settings: { eval_steps: 2 } });
      const training = run.start({}, { step: ({ step }) => step === 3 && device.destroy() }).then(
        () => 'completed',
        () => 'ended',
      );
      const error = await rejection(failed);
      expect(error.code, error.details).toBe('gpu_lost');
      expect(await training).toBe('ended');
      // What the device still owed has been answered, and what nobody heard reported.
      await device.queue.onSubmittedWorkDone().catch(() => {});
      for (let i = 0; i < 3; i++) await turn();
      expect(unhandled).toEqual([]);
      removeEventListener('unhandledrejection', listener);
      run.dispose();
    }));

  test('on purpose: is not a failure', () =>
    withOwnDevice(async ({ device, failed, release }) => {
      const failure = vi.fn();
      failed.catch(failure);
      release();
      expect((await device.lost).reason).toBe('destroyed');
      await turn();
      expect(failure).not.toHaveBeenCalled();
    }));
});

describe('work that the device rejects', () => {
  const run = (wgsl: string, key: string) => {
    const x = tf.zeros([4]);
    const call = { program: { key, wgsl }, tensors: [x], writes: [x], uniforms: uniformBlock() };
    dispatch(gpuBackend(), { ...call, workgroups: [1] });
    flush(gpuBackend());
    x.dispose();
  };

  test('a shader that does not compile is reported with its message and numbered source', () =>
    withOwnDevice(async ({ failed }) => {
      run(
        `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<uniform> u: vec4u;
@compute @workgroup_size(1) fn main() {
  x[0] = f32(u.x) + nowhere;
}`,
        'test_broken',
      );
      const error = await rejection(failed);
      expect(error.code).toBe('internal');
      expect(error.details).toContain('Shader test_broken does not compile.');
      expect(error.details).toMatch(/^4:\d+ .*nowhere/m);
      expect(error.details).toContain('4\t  x[0] = f32(u.x) + nowhere;');
    }));

  test('an invalid buffer usage is a failure', () =>
    withOwnDevice(async ({ device, failed }) => {
      device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
      device.queue.submit([]); // sends what is recorded
      const error = await rejection(failed);
      expect(error.code).toBe('internal');
      expect(error.details).toContain('MapRead');
    }));

  test('running out of memory is reported as such', () =>
    withOwnDevice(async ({ device, failed }) => {
      const error = new GPUOutOfMemoryError('test: no room');
      device.dispatchEvent(new GPUUncapturedErrorEvent('uncapturederror', { error }));
      const reported = await rejection(failed);
      expect(reported.code).toBe('gpu_out_of_memory');
      expect(reported.action).toContain('smaller batch size');
      expect(reported.details).toBe('test: no room');
    }));
});

describe('a browser without WebGPU', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    // The stubs shadow the prototype's property.
    Reflect.deleteProperty(navigator, 'gpu');
  });
  const stub = (gpu: unknown) => Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });

  test.each([
    ['no navigator.gpu', undefined, 'does not support WebGPU'],
    ['no adapter', { requestAdapter: async () => null }, 'found no GPU'],
    ['an adapter request that fails', { requestAdapter: () => Promise.reject(new Error('blocked')) }, 'could not open'],
    [
      'a device request that fails',
      {
        requestAdapter: async () => ({
          limits: {},
          features: new Set(),
          info: {},
          requestDevice: () => Promise.reject(new Error('no device')),
        }),
      },
      'could not open it',
    ],
  ])('%s: no_webgpu, with advice', async (_, gpu, message) => {
    await openTestDevice();
    const before = tf.backend();
    stub(gpu);
    const error = await rejection(openDevice());
    expect(error.code).toBe('no_webgpu');
    expect(error.message).toContain(message);
    expect(error.action).toContain('chrome://gpu');
    // The attempt leaves the open device alone.
    expect(tf.backend()).toBe(before);
  });
});

describe('a training step', () => {
  const LENGTH = 64;
  /** The benchmark's shape. */
  const BENCH: Shape = { hidden: 128, layers: 4, heads: 4, kvHeads: 4, intermediate: 352, vocab: 512 };
  const SMALL: Shape = { hidden: 32, layers: 2, heads: 4, kvHeads: 2, intermediate: 48, vocab: 128 };

  /** Takes steps over batches of one shape with different tokens, and returns the cost of each step. */
  async function steps(shape: Shape, batchSize: number, length: number, count: number, dropout = 0) {
    await openTestDevice();
    trimPool();
    const model = await loadModel(llamaConfig(shape), randomSource(shape));
    const method = createLora(
      model,
      { r: 8, lora_alpha: 16, lora_dropout: dropout, target_modules: 'all-linear', use_rslora: false },
      42,
    );
    const settings = { ...resolveRecipe({ version: 1 }).training, max_grad_norm: 1 };
    const optimizer = createOptimizer(method.trainable, settings);
    const batchOf = (step: number): Batch => {
      const ids = Int32Array.from({ length: batchSize * length }, (_, i) => (i * 37 + step * 11) % shape.vocab);
      return {
        kind: 'next_token',
        batchSize,
        length,
        ids,
        labels: ids.slice(),
        starts: null,
        lengths: new Int32Array(batchSize).fill(length),
        targetCount: batchSize * (length - 1),
      };
    };
    const setup = {
      model,
      method,
      objective: sft,
      optimizer,
      batches: { stepsPerEpoch: count, microBatches: (step: number) => [batchOf(step)], evaluation: () => [] },
      settings,
      totalSteps: count,
    };
    const state = freshState();
    const costs: Record<'dispatches' | 'bindGroups' | 'uniforms' | 'allocated' | 'tensors', number>[] = [];
    for (let i = 0; i < count; i++) {
      const before = { ...counters };
      const { finite } = await recordStep(setup, state).stats;
      expect(finite).toBe(true);
      costs.push({
        dispatches: counters.dispatches - before.dispatches,
        bindGroups: counters.bindGroups - before.bindGroups,
        uniforms: counters.uniformBuffers - before.uniformBuffers,
        allocated: gpuBytes().allocated,
        tensors: tf.memory().numTensors,
      });
    }
    optimizer.dispose();
    method.dispose();
    model.dispose();
    disposeInputs();
    trimPool();
    return costs;
  }

  test('holds the same memory from the third step on, and creates no bind groups or uniform buffers from the fifth on', async () => {
    const costs = await steps(SMALL, 2, 32, 30, 0.1);
    const later = costs.slice(2);
    expect(new Set(later.map((c) => c.allocated)).size).toBe(1);
    expect(new Set(later.map((c) => c.tensors)).size).toBe(1);
    expect(new Set(later.map((c) => c.dispatches)).size).toBe(1);
    // A bind group refers to its buffers, so buffers in another order would cost new ones in every step.
    expect(costs[0]!.bindGroups).toBeGreaterThan(50);
    expect(costs.slice(4).map((c) => c.bindGroups + c.uniforms)).toEqual(new Array(26).fill(0));
  });

  test('takes at most 250 dispatches for the benchmark’s model', async () => {
    const costs = await steps(BENCH, 4, LENGTH, 3);
    expect(costs[2]!.dispatches).toBeGreaterThan(0);
    expect(costs[2]!.dispatches).toBeLessThanOrEqual(250);
  });
});
