/**
 * Kernels that overwrite tensors (optimisers, accumulation) are outside the tape: they run straight on the backend. One
 * definition serves both: WGSL on WebGPU, a plain loop on the CPU backend.
 */
import * as tf from '@tensorflow/tfjs-core';
import { bufferOf, copyEncoder, flush, type GpuBackend, isGpu, markUsed, markWritten } from '../webgpu/backend';

interface CpuBackend {
  data: { get(id: tf.DataId): { values: tf.TypedArray } };
}

/** The array behind a tensor of the CPU backend, to be written in place. */
export function cpuArray(tensor: tf.Tensor): Float32Array {
  const backend = tf.backend() as unknown as CpuBackend;
  return backend.data.get(tensor.dataId).values as Float32Array;
}

export function runInPlace(gpu: (backend: GpuBackend) => void, cpu: () => void): void {
  const backend = tf.backend();
  if (isGpu(backend)) gpu(backend);
  else cpu();
}

/** Copies `length` values between tensors, without a dispatch. */
export function copyValues(
  source: tf.Tensor,
  sourceOffset: number,
  target: tf.Tensor,
  targetOffset: number,
  length: number,
): void {
  runInPlace(
    (backend) => {
      const from = bufferOf(backend, source);
      const to = bufferOf(backend, target);
      copyEncoder(backend).copyBufferToBuffer(from, sourceOffset * 4, to, targetOffset * 4, length * 4);
      markUsed(backend, source);
      markWritten(backend, target);
    },
    () => cpuArray(target).set(cpuArray(source).subarray(sourceOffset, sourceOffset + length), targetOffset),
  );
}

/** Overwrites a float32 or int32 tensor from the CPU. */
export function writeValues(target: tf.Tensor, values: Float32Array | Int32Array): void {
  if (values.length !== target.size) throw new Error(`Expected ${target.size} values, got ${values.length}.`);
  runInPlace(
    (backend) => {
      const buffer = bufferOf(backend, target);
      // writeBuffer goes ahead of recorded but unsubmitted work, so that work must go first.
      flush(backend);
      backend.queue.writeBuffer(buffer, 0, values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
      markWritten(backend, target);
    },
    () => cpuArray(target).set(values),
  );
}
