/**
 * What src/engine/webgpu/backend.ts assumes about tfjs-backend-webgpu's private members. A failure here means that tfjs has
 * changed: compare the two side by side before anything else.
 */
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import webgpuPackage from '../../node_modules/@tensorflow/tfjs-backend-webgpu/package.json';
import { copyValues, writeValues } from '../../src/engine/kernels/in-place';
import {
  bufferOf,
  computePass,
  copyEncoder,
  counters,
  flush,
  type GpuBackend,
  gpuBackend,
  gpuBytes,
  markWritten,
  readFloats,
  SUBMIT_BATCH,
} from '../../src/engine/webgpu/backend';
import { tensorRuntimeVersion } from '../../src/engine/webgpu/device';
import { dispatch, f, u, uniformBlock } from '../../src/engine/webgpu/dispatch';
import { beginWork, trimPool } from '../../src/engine/webgpu/pool';
import { openTestDevice } from './open-device';

let backend: GpuBackend;
let tensorsBefore = 0;
beforeAll(openTestDevice);
beforeEach(() => {
  backend = gpuBackend();
  flush(backend);
  tensorsBefore = tf.memory().numTensors;
});
afterEach(() => expect(tf.memory().numTensors).toBe(tensorsBefore));

/** Records x[i] = x[i] + value, in place. */
function addInPlace(x: tf.Tensor, value: number, { writes = [x], volatile = false } = {}): void {
  dispatch(backend, {
    program: {
      key: 'test_add_in_place',
      wgsl: `struct Uniforms { n: u32, value: f32 }
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<uniform> u: Uniforms;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < u.n) { x[id.x] += u.value; }
}`,
    },
    tensors: [x],
    writes,
    uniforms: uniformBlock(u(x.size), f(value)),
    volatile,
    workgroups: [Math.ceil(x.size / 64)],
  });
}

const values = async (t: tf.Tensor) => [...(await readFloats(t))];

/** Counts calls to a method of a prototype while `body` runs. */
async function counting<T extends object>(
  prototype: T,
  name: keyof T & string,
  body: () => void | Promise<void>,
): Promise<number> {
  const original = prototype[name] as (...args: unknown[]) => unknown;
  let count = 0;
  prototype[name] = function (this: unknown, ...args: unknown[]) {
    count++;
    return original.apply(this, args);
  } as T[typeof name];
  try {
    await body();
  } finally {
    prototype[name] = original as T[typeof name];
  }
  return count;
}

test('tfjs is the version that the assumptions were checked against', () => {
  expect([tf.version_core, tensorRuntimeVersion, webgpuPackage.version]).toEqual(['4.22.0', '4.22.0', '4.22.0']);
});

test('the private members are still there', () => {
  expect(backend.device).toBeInstanceOf(GPUDevice);
  expect(backend.queue).toBe(backend.device.queue);
  expect(backend.commandQueueOwnedIds).toBeInstanceOf(WeakSet);
  expect(backend.uniformPendingDisposal).toEqual([]);
  expect(backend.commandEncoder).toBeNull();
  expect(backend.computePassEncoder).toBeNull();
  expect(backend.dispatchCountInPass).toBe(0);
  expect(backend.bufferManager.freeBuffers).toBeInstanceOf(Map);
  const numbers = ['numFreeBuffers', 'numBytesUsed', 'numBytesAllocated'] as const;
  for (const name of numbers) expect(backend.bufferManager[name], name).toBeTypeOf('number');
  const methods = [
    'makeTensorInfo',
    'uploadToGPU',
    'ensureCommandEncoderReady',
    'endComputePassEncoder',
    'submitQueue',
    'disposeData',
  ] as const;
  for (const name of methods) expect(backend[name], name).toBeTypeOf('function');
  for (const name of ['get', 'has'] as const) expect(backend.tensorMap[name], name).toBeTypeOf('function');
  for (const name of ['acquireBuffer', 'releaseBuffer'] as const) {
    expect(backend.bufferManager[name], name).toBeTypeOf('function');
  }
});

test('a tensor is on the CPU until it is used, then in one buffer of its size', () => {
  const t = tf.tensor1d([1, 2, 3, 4, 5]);
  const data = backend.tensorMap.get(t.dataId);
  expect([...(data.values as Float32Array)]).toEqual([1, 2, 3, 4, 5]);
  expect(data.resource).toBeUndefined();
  const buffer = bufferOf(backend, t);
  expect(buffer).toBeInstanceOf(GPUBuffer);
  expect(buffer.size).toBe(20);
  expect(data.resource).toBe(buffer);
  expect(data.values).toBeNull();
  expect(bufferOf(backend, t)).toBe(buffer);
  t.dispose();
});

test('small stock ops run on the GPU too', () => {
  const t = tf.tidy(() => tf.add(tf.scalar(1), tf.scalar(2)));
  const { values: onCpu, resource } = backend.tensorMap.get(t.dataId);
  expect(resource).toBeInstanceOf(GPUBuffer);
  expect(onCpu ?? null).toBeNull();
  t.dispose();
});

test('stock ops and ours share one encoder and run in the order they were recorded', async () => {
  const a = tf.tensor1d([1, 2, 3]);
  const doubled = tf.mul(a, 2); // 2 4 6
  const encoder = backend.commandEncoder;
  expect(encoder).not.toBeNull();
  addInPlace(doubled, 10); // 12 14 16
  const tenfold = tf.mul(doubled, 10); // 120 140 160
  addInPlace(doubled, 1); // 13 15 17, after it was read
  copyValues(doubled, 1, tenfold, 0, 1); // 15 140 160
  addInPlace(tenfold, 0.5);
  const sum = tf.add(tenfold, doubled);
  expect(backend.commandEncoder).toBe(encoder);
  expect(await values(sum)).toEqual([28.5, 155.5, 177.5]);
  expect(await values(doubled)).toEqual([13, 15, 17]);
  tf.dispose([a, doubled, tenfold, sum]);
});

test('values from the CPU take effect after what was recorded before them', async () => {
  const x = tf.tensor1d([1, 2]);
  const before = tf.mul(x, 1);
  addInPlace(x, 5);
  const between = tf.mul(x, 1);
  writeValues(x, Float32Array.of(100, 200));
  addInPlace(x, 1);
  expect(await values(before)).toEqual([1, 2]);
  expect(await values(between)).toEqual([6, 7]);
  expect(await values(x)).toEqual([101, 201]);
  tf.dispose([x, before, between]);
});

test('a pass is closed for copies and reopened for dispatches', () => {
  const pass = computePass(backend);
  expect(backend.computePassEncoder).toBe(pass);
  expect(computePass(backend)).toBe(pass);
  const encoder = copyEncoder(backend);
  expect(backend.computePassEncoder).toBeNull();
  expect(encoder).toBe(backend.commandEncoder);
  flush(backend);
  expect(backend.commandEncoder).toBeNull();
});

test('tfjs caches what it reads, which an in-place write makes stale: markWritten fixes that, readFloats never caches', async () => {
  const a = tf.tensor1d([1, 2]);
  const x = tf.mul(a, 1);
  expect([...(await x.data())]).toEqual([1, 2]);
  addInPlace(x, 10, { writes: [] });
  expect([...(await x.data())], 'if this fails, tfjs no longer caches and markWritten may be simpler').toEqual([1, 2]);
  markWritten(backend, x);
  expect([...(await x.data())]).toEqual([11, 12]);
  addInPlace(x, 10);
  expect([...(await x.data())]).toEqual([21, 22]);

  addInPlace(x, 1);
  expect(await values(x)).toEqual([22, 23]);
  expect(backend.tensorMap.get(x.dataId).values).toBeNull();
  flush(backend);
  tf.dispose([a, x]);
});

test('a tensor that recorded work uses outlives its disposal until that work is submitted', async () => {
  const n = 4321; // a size that nothing else has
  const x = tf.fill([n], 3);
  flush(backend);
  const buffer = bufferOf(backend, x);
  const y = tf.zeros([n]);
  copyValues(x, 0, y, 0, n);
  expect(backend.commandQueueOwnedIds.has(x.dataId)).toBe(true);
  const id = x.dataId;
  x.dispose();
  expect(backend.tensorMap.has(id)).toBe(true);
  expect(backend.tensorMap.get(id).resource).toBe(buffer);
  // A tensor created in the meantime must not get its buffer.
  const other = tf.fill([n], 7);
  expect(bufferOf(backend, other)).not.toBe(buffer);
  flush(backend);
  expect(backend.tensorMap.has(id)).toBe(false);
  const later = tf.fill([n], 9);
  expect(bufferOf(backend, later)).toBe(buffer);
  expect((await readFloats(y)).every((v) => v === 3)).toBe(true);

  // A tensor that no recorded work uses is freed at once.
  flush(backend);
  const unused = other.dataId;
  expect(backend.commandQueueOwnedIds.has(unused)).toBe(false);
  other.dispose();
  expect(backend.tensorMap.has(unused)).toBe(false);
  tf.dispose([y, later]);
});

test('the pool counts its bytes, reuses buffers of the same size, and can be emptied', () => {
  trimPool();
  expect(backend.bufferManager.numFreeBuffers).toBe(0);
  const before = gpuBytes();
  const bytes = 4 * 54_321;
  const make = () => {
    const t = tf.tensor1d(new Float32Array(54_321));
    return { t, buffer: bufferOf(backend, t) };
  };
  const first = make();
  expect(gpuBytes()).toMatchObject({ used: before.used + bytes, allocated: before.allocated + bytes });
  first.t.dispose();
  flush(backend);
  expect(gpuBytes()).toMatchObject({ used: before.used, allocated: before.allocated + bytes });
  expect(backend.bufferManager.numFreeBuffers).toBe(1);
  const second = make();
  expect(second.buffer).toBe(first.buffer);
  flush(backend); // a recycled buffer is filled through a staging buffer, freed by the submit
  expect(gpuBytes()).toMatchObject({ used: before.used + bytes, allocated: before.allocated + bytes });
  second.t.dispose();
  flush(backend);
  trimPool();
  expect(gpuBytes()).toMatchObject({ used: before.used, allocated: before.allocated });
  expect(backend.bufferManager.numFreeBuffers).toBe(0);
  // tfjs keeps working afterwards.
  const third = make();
  expect(third.buffer).not.toBe(first.buffer);
  third.t.dispose();
});

test('counters.dispatches counts what the GPU was given, by stock ops and ours alike', async () => {
  const x = tf.tensor1d([1, 2, 3]);
  flush(backend);
  const before = { ...counters };
  let submits = 0;
  const dispatches = await counting(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', async () => {
    submits = await counting(GPUQueue.prototype, 'submit', async () => {
      for (let i = 0; i < 50; i++) {
        addInPlace(x, 1);
        tf.mul(x, 2).dispose();
      }
      await readFloats(x);
    });
  });
  expect(dispatches).toBe(100);
  expect(counters.dispatches - before.dispatches).toBe(100);
  // One submit whenever the batch is full, and one for the rest with its copy.
  expect(submits).toBe(Math.floor(100 / SUBMIT_BATCH) + 1);
  expect(counters.submits - before.submits).toBe(submits);
  x.dispose();
});

test('stock ops submit in batches of the same size as ours', async () => {
  const x = tf.tensor1d([1, 2, 3]);
  const seen: number[] = [];
  await counting(GPUQueue.prototype, 'submit', () => {
    for (let i = 1; i <= 2 * SUBMIT_BATCH; i++) {
      tf.mul(x, 2).dispose();
      if (backend.commandEncoder === null) seen.push(i);
    }
  });
  expect(seen).toEqual([SUBMIT_BATCH, 2 * SUBMIT_BATCH]);
  x.dispose();
});

test('uniforms that change from call to call are recycled only after the submit that reads them', async () => {
  const x = tf.zeros([3]);
  flush(backend);
  let expected = 0;
  for (let i = 1; i <= 20; i++) {
    addInPlace(x, i, { volatile: true });
    expected += i;
  }
  expect(backend.uniformPendingDisposal.length).toBe(20);
  expect(await values(x)).toEqual([expected, expected, expected]);
  expect(backend.uniformPendingDisposal).toEqual([]);
  x.dispose();
});

test('the same dispatch on the same buffers creates no new bind group and no new uniform buffer', async () => {
  const x = tf.zeros([3]);
  addInPlace(x, 2);
  const before = { ...counters };
  for (let i = 0; i < 5; i++) addInPlace(x, 2);
  expect([counters.bindGroups, counters.uniformBuffers]).toEqual([before.bindGroups, before.uniformBuffers]);
  addInPlace(x, 3);
  expect(counters.bindGroups).toBe(before.bindGroups + 1);
  expect(await values(x)).toEqual([15, 15, 15]);
  x.dispose();
});

test('with the pool in order, work of the same shapes gets the same buffers again', () => {
  const sizes = [77_001, 77_001, 77_001];
  const round = (order: number[]) => {
    beginWork();
    const tensors = sizes.map((n) => tf.tensor1d(new Float32Array(n)));
    const buffers = tensors.map((t) => bufferOf(backend, t));
    flush(backend);
    for (const i of order) tensors[i]!.dispose();
    return buffers;
  };
  round([0, 1, 2]);
  const first = round([2, 0, 1]);
  const same = round([1, 2, 0]);
  // By index, because a failing comparison of the buffers themselves would print nothing.
  expect(same.map((b) => first.indexOf(b))).toEqual([0, 1, 2]);
  trimPool();
});
