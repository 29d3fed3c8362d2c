/**
 * Kernels that overwrite tensors (optimisers, accumulation) bypass the tape and run directly on the backend. One
 * definition serves both backends: WGSL on WebGPU, a plain loop on the CPU.
 */
import * as tf from '@tensorflow/tfjs-core';
import {
  type CpuBackend,
  copyEncoder,
  flush,
  type GpuBackend,
  isGpu,
  markUsed,
  markWritten,
  rangeOf,
  writeBuffer,
} from '../webgpu/backend';

/** The array behind a tensor of the CPU backend, for writing in place. */
export function cpuArray(tensor: tf.Tensor): Float32Array {
  const backend = tf.backend() as unknown as CpuBackend;
  return backend.data.get(tensor.dataId).values as Float32Array;
}

export function runInPlace(gpu: (backend: GpuBackend) => void, cpu: () => void): void {
  const backend = tf.backend();
  if (isGpu(backend)) gpu(backend);
  else cpu();
}

/** Copies `length` values from one tensor to another without a dispatch. */
export function copyValues(
  source: tf.Tensor,
  sourceOffset: number,
  target: tf.Tensor,
  targetOffset: number,
  length: number,
): void {
  runInPlace(
    (backend) => {
      const from = rangeOf(backend, source);
      const to = rangeOf(backend, target);
      copyEncoder(backend).copyBufferToBuffer(
        ...([from.buffer, from.offset + sourceOffset * 4] as const),
        ...([to.buffer, to.offset + targetOffset * 4] as const),
        length * 4,
      );
      markUsed(backend, source);
      markWritten(backend, target);
    },
    () => cpuArray(target).set(cpuArray(source).subarray(sourceOffset, sourceOffset + length), targetOffset),
  );
}

/** Zeros created directly on the GPU, without a CPU array; kept until disposed. */
export function keptZeros(shape: number[], dtype: 'float32' | 'int32' = 'float32'): tf.Tensor {
  const backend = tf.backend();
  if (!isGpu(backend)) return tf.keep(tf.zeros(shape, dtype));
  const tensor = tf.keep(tf.engine().makeTensorFromTensorInfo(backend.makeTensorInfo(shape, dtype)));
  clearValues(tensor, 0, tensor.size);
  return tensor;
}

/** Sets values to zero without a dispatch. */
export function clearValues(target: tf.Tensor, offset: number, length: number): void {
  runInPlace(
    (backend) => {
      const range = rangeOf(backend, target);
      copyEncoder(backend).clearBuffer(range.buffer, range.offset + offset * 4, length * 4);
      markWritten(backend, target);
    },
    () => cpuArray(target).fill(0, offset, offset + length),
  );
}

/** Overwrites a float32 or int32 tensor from the CPU. */
export function writeValues(target: tf.Tensor, values: Float32Array | Int32Array): void {
  if (values.length !== target.size) throw new Error(`Expected ${target.size} values, got ${values.length}.`);
  runInPlace(
    (backend) => writeBuffer(backend, target, 0, values),
    () => cpuArray(target).set(values),
  );
}

/** A tensor to be written later; its contents are undefined until then. */
export function emptyTensor(shape: number[], dtype: 'float32' | 'int32'): tf.Tensor {
  const backend = tf.backend();
  if (!isGpu(backend)) return tf.zeros(shape, dtype);
  const tensor = tf.engine().makeTensorFromTensorInfo(backend.makeTensorInfo(shape, dtype));
  rangeOf(backend, tensor);
  return tensor;
}

/** Writes bytes at an offset that is a multiple of 4; up to three bytes after the last one become zero. */
export function writeBytes(target: tf.Tensor, offset: number, bytes: Uint8Array): void {
  const whole = bytes.byteLength % 4 === 0 ? bytes : new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4);
  if (whole !== bytes) whole.set(bytes);
  runInPlace(
    (backend) => writeBuffer(backend, target, offset, whole),
    () => {
      const { buffer, byteOffset } = cpuArray(target);
      new Uint8Array(buffer, byteOffset + offset, whole.byteLength).set(whole);
    },
  );
}

/** Resolves when the device has finished everything sent to it, including writes. */
export async function workDone(): Promise<void> {
  const backend = tf.backend();
  if (!isGpu(backend)) return;
  flush(backend);
  backend.queue.submit([]);
  await backend.queue.onSubmittedWorkDone();
}
