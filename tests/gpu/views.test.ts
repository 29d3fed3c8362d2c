/** Tensors that are ranges of another's buffer: every way to read, write and free them, by tfjs's kernels and ours, on both backends. */
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import '@tensorflow/tfjs-backend-cpu';
import { clearValues, copyValues, keptZeros, writeBytes, writeValues } from '../../src/engine/kernels/in-place';
import { linear } from '../../src/engine/kernels/products/linear';
import { denseWeight } from '../../src/engine/kernels/products/weight';
import { flush, gpuBackend, gpuBytes, rangeOf, readFloats } from '../../src/engine/webgpu/backend';
import { dispatch, u, uniformBlock } from '../../src/engine/webgpu/dispatch';
import { trimPool } from '../../src/engine/webgpu/pool';
import { alignView, createView, moveIntoView, VIEW_ALIGNMENT, viewOf } from '../../src/engine/webgpu/views';
import { openTestDevice } from './open-device';

beforeAll(openTestDevice);
afterAll(async () => void (await tf.setBackend('webgpu')));
const values = async (t: tf.Tensor) => [...(await readFloats(t))];
const module = (weight: tf.Tensor) => ({ weight: denseWeight(weight), bias: null });
const counted = (n: number, from = 0) => Float32Array.from({ length: n }, (_, i) => from + i);

describe.each(['webgpu', 'cpu'])('on %s', (name) => {
  let before = { numTensors: 0, numDataBuffers: 0 };
  beforeEach(async () => {
    await tf.setBackend(name);
    if (name === 'webgpu') flush(gpuBackend());
    before = tf.memory();
  });
  afterEach(() => {
    if (name === 'webgpu') flush(gpuBackend());
    const { numTensors, numDataBuffers } = tf.memory();
    expect({ numTensors, numDataBuffers }).toEqual({
      numTensors: before.numTensors,
      numDataBuffers: before.numDataBuffers,
    });
  });

  test('a view is read and written as its owner’s range, and by nothing beyond it', async () => {
    const owner = keptZeros([200]);
    const view = createView(owner, 64, [2, 3]);
    expect(viewOf(owner)).toBeNull();
    expect(viewOf(view)).toMatchObject({ offset: 64 });
    expect(viewOf(view)!.owner.dataId).toBe(owner.dataId);

    writeValues(owner, counted(200));
    expect(await values(view)).toEqual([64, 65, 66, 67, 68, 69]);
    expect([...(await view.data())]).toEqual([64, 65, 66, 67, 68, 69]);
    writeValues(view, Float32Array.of(1, 2, 3, 4, 5, 6));
    // What data() gave is not cached, in neither tensor.
    expect([...(await view.data())]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...(await owner.data()).slice(62, 72)]).toEqual([62, 63, 1, 2, 3, 4, 5, 6, 70, 71]);
    writeBytes(view, 4, new Uint8Array(Float32Array.of(20).buffer));
    expect([...(await owner.data()).slice(62, 72)]).toEqual([62, 63, 1, 20, 3, 4, 5, 6, 70, 71]);
    clearValues(view, 4, 2);
    const other = tf.tensor1d([7, 8, 9]);
    copyValues(other, 1, view, 2, 2);
    copyValues(view, 1, other, 0, 1);
    expect((await values(owner)).slice(62, 72)).toEqual([62, 63, 1, 20, 8, 9, 0, 0, 70, 71]);
    expect(await values(other)).toEqual([20, 8, 9]);
    tf.dispose([owner, view, other]);
  });

  test('kernels of tfjs and ours read views, reshaped ones too', async () => {
    const owner = keptZeros([300]);
    const x = createView(owner, 64, [2, 3]);
    const weight = createView(owner, 128, [4, 3]);
    writeValues(owner, counted(300, -100));
    const [own, ownWeight] = [tf.tensor2d(await values(x), [2, 3]), tf.tensor2d(await values(weight), [4, 3])];
    const [y, wanted] = [linear(module(weight), x), linear(module(ownWeight), own)];
    expect(await values(y)).toEqual(await values(wanted));
    const [sum, flat] = [tf.add(x, own), tf.reshape(x, [6])];
    expect(await values(sum)).toEqual([...(await own.data())].map((v) => 2 * v));
    expect(viewOf(flat)).toEqual(viewOf(x));
    expect(await values(flat)).toEqual([...(await own.data())]);
    tf.dispose([owner, x, weight, own, ownWeight, y, wanted, sum, flat]);
  });

  test('a tensor that becomes a view keeps its values, for all that share its data', async () => {
    const owner = keptZeros([200]);
    const tensor = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    const shared = tf.reshape(tensor, [4]);
    moveIntoView(tensor, owner, 128);
    expect(await values(tensor)).toEqual([1, 2, 3, 4]);
    expect((await values(owner)).slice(126, 134)).toEqual([0, 0, 1, 2, 3, 4, 0, 0]);
    writeValues(tensor, Float32Array.of(5, 6, 7, 8));
    expect(await values(shared)).toEqual([5, 6, 7, 8]);

    // A view moves on like any tensor, and leaves what it was behind.
    const next = keptZeros([100]);
    moveIntoView(tensor, next, 64);
    writeValues(tensor, Float32Array.of(9, 9, 9, 9));
    expect((await values(owner)).slice(128, 132)).toEqual([5, 6, 7, 8]);
    expect((await values(next)).slice(64, 68)).toEqual([9, 9, 9, 9]);
    // A view of a view is one of the same owner.
    const inner = createView(tensor, 0, [2]);
    expect(viewOf(inner)!.owner.dataId).toBe(next.dataId);
    expect(viewOf(inner)!.offset).toBe(64);
    tf.dispose([owner, next, tensor, shared, inner]);
  });

  test('either may be disposed first', async () => {
    const owner = keptZeros([200]);
    const [a, b] = [createView(owner, 0, [3]), createView(owner, 64, [3])];
    writeValues(b, Float32Array.of(1, 2, 3));
    a.dispose();
    expect(await values(b)).toEqual([1, 2, 3]);
    owner.dispose();
    // A buffer of the same size must not be the one that the view still has.
    const other = keptZeros([200]);
    writeValues(other, counted(200));
    expect(await values(b)).toEqual([1, 2, 3]);
    b.dispose();
    other.dispose();
  });

  test('what cannot be a view is refused', () => {
    const owner = keptZeros([200]);
    expect(() => createView(owner, 63, [2])).toThrow('A view cannot begin at word 63.');
    expect(() => createView(owner, 192, [9])).toThrow("A view of 9 words at 192 is not within the owner's 200.");
    expect([alignView(0), alignView(1), alignView(64), alignView(65)]).toEqual([0, 64, 64, 128]);
    owner.dispose();
  });
});

describe('on the GPU', () => {
  beforeEach(async () => void (await tf.setBackend('webgpu')));

  test('a buffer is freed with the last of its owner and views, once recorded work has used it', () => {
    const backend = gpuBackend();
    trimPool();
    const { used, allocated } = gpuBytes();
    const owner = keptZeros([12_345]);
    const view = createView(owner, 64, [100]);
    const bytes = 4 * 12_345;
    flush(backend);
    expect(gpuBytes()).toMatchObject({ used: used + bytes, allocated: allocated + bytes });
    owner.dispose();
    clearValues(view, 0, 1);
    view.dispose();
    expect(gpuBytes().used).toBe(used + bytes);
    flush(backend);
    expect(gpuBytes().used).toBe(used);
    trimPool();
    expect(gpuBytes().allocated).toBe(allocated);
  });

  test('a tensor that becomes a view gives up its own buffer', () => {
    const backend = gpuBackend();
    const owner = keptZeros([12_345]);
    flush(backend);
    trimPool();
    const { used, allocated } = gpuBytes();
    const tensor = keptZeros([4_321]);
    moveIntoView(tensor, owner, 64);
    flush(backend);
    expect(gpuBytes()).toMatchObject({ used, allocated });
    expect(() => moveIntoView(owner, tensor, 0)).toThrow('is not within');
    const larger = keptZeros([20_000]);
    expect(() => moveIntoView(owner, larger, 0)).toThrow(
      'A tensor [12345] that has views cannot become a view itself.',
    );
    tf.dispose([owner, tensor, larger]);
  });

  test('no device needs a coarser alignment', () => {
    expect(gpuBackend().device.limits.minStorageBufferOffsetAlignment).toBeLessThanOrEqual(4 * VIEW_ALIGNMENT);
  });

  test('one dispatch writes two views of an owner, but does not read one and write the other', async () => {
    const backend = gpuBackend();
    const owner = keptZeros([256]);
    const [a, b] = [createView(owner, 64, [3]), createView(owner, 128, [3])];
    const run = (access: 'read' | 'read_write') =>
      dispatch(backend, {
        program: {
          key: `test_views_${access}`,
          wgsl: `@group(0) @binding(0) var<storage, ${access}> a: array<f32>;
@group(0) @binding(1) var<storage, read_write> b: array<f32>;
@group(0) @binding(2) var<uniform> u: vec4u;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&b)) { b[id.x] = f32(id.x + arrayLength(&a) + u.x); ${access === 'read' ? '' : 'a[id.x] = 7.0;'} }
}`,
        },
        tensors: [a, b],
        writes: access === 'read' ? [b] : [a, b],
        uniforms: uniformBlock(u(10)),
        workgroups: [1],
      });
    run('read_write');
    expect((await values(owner)).slice(64, 68)).toEqual([7, 7, 7, 0]);
    expect((await values(owner)).slice(128, 132)).toEqual([13, 14, 15, 0]);
    expect(() => run('read')).toThrow(
      'Shader test_views_read reads a tensor [3] and writes one [3] of the same buffer',
    );
    // Views are told apart in the cache of bind groups.
    const c = createView(owner, 192, [2]);
    dispatch(backend, {
      program: {
        key: 'test_views_fill',
        wgsl: `@group(0) @binding(0) var<storage, read_write> a: array<f32>;
@group(0) @binding(1) var<uniform> u: vec4u;
@compute @workgroup_size(1) fn main() { for (var i = 0u; i < arrayLength(&a); i++) { a[i] = f32(u.x); } }`,
      },
      ...{ tensors: [c], writes: [c], uniforms: uniformBlock(u(3)), workgroups: [1] },
    });
    expect((await values(owner)).slice(190, 196)).toEqual([0, 0, 3, 3, 0, 0]);
    expect(rangeOf(backend, c)).toMatchObject({ offset: 768, size: 8 });
    tf.dispose([owner, a, b, c]);
  });
});
