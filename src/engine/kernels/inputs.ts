/**
 * Inputs of a step (ids, positions, masks, targets) in tensors that live as long as the device. Each step overwrites them
 * instead of creating buffers; work that reads the old values is submitted first.
 */
import * as tf from '@tensorflow/tfjs-core';
import { bufferOf, flush, gpuBackend, isGpu } from '../webgpu/backend';
import { current } from '../webgpu/live';
import { activeRecorder } from '../webgpu/recorder';
import { writeValues } from './in-place';

type Values = Int32Array | Float32Array;

const slots = new Map<string, { tensor: tf.Tensor; values: Values }>();

/** Values, or what gives them whenever work is done again (webgpu/live.ts). */
export type LiveInts = Int32Array | (() => Int32Array);
export type LiveFloats = Float32Array | (() => Float32Array);

/**
 * The int32 tensor for this use and shape, filled with `values`. Do not dispose it; the next call overwrites it. What is recorded
 * is submitted even if the values are the same: when buffers are free again, and so the memory of a run, is the same for all data.
 */
export const int32Input = (use: string, values: LiveInts, shape: number[]): tf.Tensor => input(use, values, shape);

/** The same of float32. */
export const floatInput = (use: string, values: LiveFloats, shape: number[]): tf.Tensor => input(use, values, shape);

function input<V extends Values>(use: string, values: V | (() => V), shape: number[]): tf.Tensor {
  const recorder = activeRecorder();
  if (!recorder) return filled(use, current<V>(values), shape);
  const tensor = recorder.writing(() => filled(use, current<V>(values), shape));
  const fixed = typeof values === 'function' ? null : (values.slice() as V);
  recorder.input(bufferOf(gpuBackend(), tensor), fixed, () => void filled(use, current<V>(fixed ?? values), shape));
  return tensor;
}

function filled(use: string, values: Values, shape: number[]): tf.Tensor {
  const backend = tf.backend();
  if (isGpu(backend)) flush(backend);
  const dtype = values instanceof Int32Array ? 'int32' : 'float32';
  const key = `${tf.getBackend()} ${dtype} ${use} ${shape}`;
  const slot = slots.get(key);
  if (!slot || slot.tensor.isDisposed) {
    const tensor = tf.keep(tf.tensor(values.slice(), shape, dtype));
    slots.set(key, { tensor, values: values.slice() });
    return tensor;
  }
  if (!slot.values.every((v, i) => v === values[i])) {
    writeValues(slot.tensor, values);
    slot.values.set(values);
  }
  return slot.tensor;
}

/** Frees them all; call when the device or model is released. */
export function disposeInputs(): void {
  for (const { tensor } of slots.values()) tensor.dispose();
  slots.clear();
}
