/**
 * Shared by the kernel tests: running a function on both backends with the same numbers, checking gradients against finite
 * differences, and checking that no tensors are left over.
 */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-cpu';
import { expect } from 'vitest';
import { valueAndGradients } from '../src/engine/kernels/tape';
import { type AdapterTraits, adapterTraits, setAdapterTraits } from '../src/engine/webgpu/adapter';
import { gpuBackend } from '../src/engine/webgpu/backend';

export type BackendName = 'cpu' | 'webgpu';

/** Numbers with a shape, on no backend yet. */
export interface Values {
  data: Float32Array | Int32Array;
  shape: number[];
}

/** A function of tensors, which come in the order of its inputs. */
export type Op = (...inputs: tf.Tensor[]) => tf.Tensor[];

export interface Tolerance {
  /** Relative to the largest expected magnitude. */
  rtol?: number;
  atol?: number;
}

/** A device with the adapter's highest limits as tfjs's `webgpu`; once per page. */
export async function setupGpu(): Promise<void> {
  const { openTestDevice } = await import('./gpu/open-device');
  await openTestDevice();
}

/** Runs `body` on a backend; fails if it leaves tensors behind. */
export async function withBackend<T>(name: BackendName, body: () => T | Promise<T>): Promise<T> {
  if (name === 'webgpu') await setupGpu();
  else if (!(await tf.setBackend(name))) throw new Error(`The backend ${name} is not available.`);
  const before = tf.memory().numTensors;
  const result = await body();
  expect(tf.memory().numTensors - before, `tensors left on ${name}`).toBe(0);
  return result;
}

/** Runs `body` as if the device had other traits, to test the variants for other adapters on this one. */
export async function withTraits<T>(override: Partial<AdapterTraits>, body: () => Promise<T>): Promise<T> {
  await setupGpu();
  const { device } = gpuBackend();
  const own = adapterTraits(device);
  setAdapterTraits(device, { ...own, ...override });
  try {
    return await body();
  } finally {
    setAdapterTraits(device, own);
  }
}

/** Runs `body` as if shaders could bind so many buffers. */
export async function withBuffers<T>(count: number, body: () => Promise<T>): Promise<T> {
  await setupGpu();
  const { device } = gpuBackend();
  const { limits } = device;
  // In a browser they are the class's, in Node the device's own.
  const own = Object.getOwnPropertyDescriptor(device, 'limits');
  const fewer = new Proxy(limits, {
    get: (target, name) => (name === 'maxStorageBuffersPerShaderStage' ? count : Reflect.get(target, name, target)),
  });
  Object.defineProperty(device, 'limits', { value: fewer, configurable: true });
  try {
    return await body();
  } finally {
    if (own) Object.defineProperty(device, 'limits', own);
    else Reflect.deleteProperty(device, 'limits');
  }
}

/** Standard normal numbers; a seed gives the same ones everywhere. */
export function randomValues(shape: number[], seed: number, scale = 1): Values {
  let state = (Math.imul(seed, 0x9e3779b9) ^ 0x85ebca6b) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  const data = Float32Array.from(
    { length: tf.util.sizeFromShape(shape) },
    () => scale * Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next()),
  );
  return { data, shape };
}

export const intValues = (data: ArrayLike<number>, shape: number[]): Values => ({ data: Int32Array.from(data), shape });

/** On the current backend. */
export function tensorOf({ data, shape }: Values): tf.Tensor {
  // A copy, because the CPU backend keeps the array it is given.
  return tf.tensor(data.slice(), shape, data instanceof Int32Array ? 'int32' : 'float32');
}

export const randomTensor = (shape: number[], seed: number, scale = 1): tf.Tensor =>
  tensorOf(randomValues(shape, seed, scale));

/** |a − b| ≤ atol + rtol · max|b|, everywhere. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { rtol = 1e-5, atol = 0 }: Tolerance = {},
  label = 'values',
): void {
  expect(actual.length, `${label}: length`).toBe(expected.length);
  let size = 0;
  for (let i = 0; i < expected.length; i++) size = Math.max(size, Math.abs(expected[i]!));
  const allowed = atol + rtol * size;
  for (let i = 0; i < expected.length; i++) {
    if (!(Math.abs(actual[i]! - expected[i]!) <= allowed)) {
      expect.fail(`${label}: [${i}] is ${actual[i]}, expected ${expected[i]} ± ${allowed}`);
    }
  }
}

/** The outputs of `op` on a backend. */
export function runOn(name: BackendName, op: Op, inputs: Values[]): Promise<Float32Array[]> {
  return withBackend(name, async () => {
    const given = inputs.map(tensorOf);
    const outputs = tf.tidy(() => op(...given));
    const data = await Promise.all(outputs.map((t) => t.data() as Promise<Float32Array>));
    tf.dispose([...given, ...outputs]);
    return data.map((d) => Float32Array.from(d));
  });
}

/**
 * Gradients of Σ_k <output_k, probe_k> with respect to the inputs with the indices `wanted`. A null probe leaves that
 * output out of the sum, so the kernel receives no gradient for it.
 */
export function gradientsOn(
  name: BackendName,
  op: Op,
  inputs: Values[],
  wanted: number[],
  probes: (Values | null)[],
): Promise<Float32Array[]> {
  return withBackend(name, async () => {
    const given = inputs.map(tensorOf);
    const weights = probes.map((p) => p && tensorOf(p));
    const { value, grads } = valueAndGradients(
      () => {
        const outputs = op(...given);
        const terms = outputs.flatMap((t, i) => (weights[i] ? [tf.sum(tf.mul(t, weights[i]))] : []));
        return tf.addN(terms) as tf.Scalar;
      },
      wanted.map((i) => given[i]!),
    );
    const data = await Promise.all(grads.map((t) => t.data() as Promise<Float32Array>));
    tf.dispose([...given, ...weights.flatMap((w) => w ?? []), value, ...grads]);
    return data.map((d) => Float32Array.from(d));
  });
}

/** Random numbers to weight each output with. */
export async function probesFor(op: Op, inputs: Values[]): Promise<Values[]> {
  const outputs = await runOn('cpu', op, inputs);
  const shapes = await withBackend('cpu', () => tf.tidy(() => op(...inputs.map(tensorOf)).map((t) => t.shape)));
  return outputs.map((_, i) => randomValues(shapes[i]!, 1000 + i));
}

/** Checks WebGPU against the CPU reference: outputs, and gradients for the inputs with the indices `wanted`. */
export async function expectSameOnGpu(
  op: Op,
  inputs: Values[],
  { wanted = [], probes, ...tolerance }: Tolerance & { wanted?: number[]; probes?: (Values | null)[] } = {},
): Promise<void> {
  const expected = await runOn('cpu', op, inputs);
  const actual = await runOn('webgpu', op, inputs);
  expected.forEach((e, i) => {
    expectClose(actual[i]!, e, tolerance, `output ${i}`);
  });
  if (wanted.length === 0) return;
  const weights = probes ?? (await probesFor(op, inputs));
  const expectedGrads = await gradientsOn('cpu', op, inputs, wanted, weights);
  const actualGrads = await gradientsOn('webgpu', op, inputs, wanted, weights);
  expectedGrads.forEach((e, i) => {
    expectClose(actualGrads[i]!, e, tolerance, `gradient to input ${wanted[i]}`);
  });
}

/** Inputs up to this size are checked value by value, larger ones along random directions. */
const ONE_BY_ONE = 48;

/**
 * Checks registered gradients against central differences of the CPU reference (fourth order, summed in float64), for the
 * inputs with the indices `wanted`; the gradients themselves come from `backend`.
 */
export async function checkGradient(
  op: Op,
  inputs: Values[],
  wanted: number[],
  {
    backend = 'cpu',
    rtol = 1e-3,
    step = 2e-2,
    probes,
  }: { backend?: BackendName; rtol?: number; step?: number; probes?: (Values | null)[] } = {},
): Promise<void> {
  const weights = probes ?? (await probesFor(op, inputs));
  const gradients = await gradientsOn(backend, op, inputs, wanted, weights);
  const loss = async (which: number, direction: Float32Array, h: number): Promise<number> => {
    const moved = inputs.map((v, i) =>
      i === which ? { data: Float32Array.from(v.data, (x, e) => x + h * direction[e]!), shape: v.shape } : v,
    );
    const outputs = await runOn('cpu', op, moved);
    return outputs.reduce(
      (sum, out, k) => sum + (weights[k] ? out.reduce((s, x, e) => s + x * weights[k]!.data[e]!, 0) : 0),
      0,
    );
  };
  for (const [g, which] of wanted.entries()) {
    const { data } = inputs[which]!;
    const directions =
      data.length <= ONE_BY_ONE
        ? Array.from(data, (_, i) => Float32Array.from(data, (_, e) => (e === i ? 1 : 0)))
        : [1, 2, 3, 4].map((s) => Float32Array.from(randomValues([data.length], 77 * s).data, (x) => Math.sign(x)));
    const analytic: number[] = [];
    const numeric: number[] = [];
    for (const d of directions) {
      const [p1, m1, p2, m2] = [
        await loss(which, d, step),
        await loss(which, d, -step),
        await loss(which, d, 2 * step),
        await loss(which, d, -2 * step),
      ];
      numeric.push((8 * (p1 - m1) - (p2 - m2)) / (12 * step));
      analytic.push(gradients[g]!.reduce((s, x, e) => s + x * d[e]!, 0));
    }
    expectClose(analytic, numeric, { rtol, atol: 1e-5 }, `gradient to input ${which}`);
  }
}
