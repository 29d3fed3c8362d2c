/**
 * The only code that touches tfjs-backend-webgpu's private members (4.22.0, pinned): its shared command encoder, its
 * tensor map, deferred disposal and the CPU value cache. tests/gpu/tfjs-internals.test.ts fails loudly if they change.
 */
import * as tf from '@tensorflow/tfjs-core';
import { bufferCount, forgetPeak } from './buffers';
import { counters } from './counters';

export { counters } from './counters';

interface TensorData {
  dtype: tf.DataType;
  shape: number[];
  refCount: number;
  /** CPU copy; an in-place write on the GPU makes it stale, so every such write sets it to null. */
  values: tf.backend_util.BackendValues | null;
  /** Its own buffer, or the range of another tensor's that a view is. */
  resource?: GPUBuffer | BufferRange | null;
  /** True if the resource is not released with the tensor. */
  external?: boolean;
}

/** The bytes that hold a tensor. tfjs binds a resource like this as it is. */
export interface BufferRange {
  buffer: GPUBuffer;
  offset: number;
  size: number;
}

export interface BufferManager {
  acquireBuffer(size: number, usage: number, mappedAtCreation?: boolean, reuse?: boolean): GPUBuffer;
  releaseBuffer(buffer: GPUBuffer, reuse?: boolean): void;
  freeBuffers: Map<string, GPUBuffer[]>;
  numFreeBuffers: number;
  numBytesUsed: number;
  numBytesAllocated: number;
}

/** The parts of tfjs's WebGPUBackend that we use. */
export interface GpuBackend extends tf.KernelBackend {
  device: GPUDevice;
  queue: GPUQueue;
  tensorMap: { get(id: tf.DataId): TensorData; has(id: tf.DataId): boolean };
  bufferManager: BufferManager;
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  commandQueueOwnedIds: WeakSet<object>;
  dispatchCountInPass: number;
  uniformPendingDisposal: GPUBuffer[];
  stagingPendingDisposal: GPUBuffer[];
  makeTensorInfo(shape: number[], dtype: tf.DataType, values?: tf.backend_util.BackendValues): tf.TensorInfo;
  getBufferData(resource: GPUBuffer | BufferRange): Promise<ArrayBuffer>;
  readSync(id: tf.DataId): tf.backend_util.BackendValues;
  readToGPU(id: tf.DataId): tf.GPUData;
  convertAndCacheOnCPU(id: tf.DataId, values: tf.backend_util.BackendValues): tf.backend_util.BackendValues;
  releaseResource(id: tf.DataId): void;
  uploadToGPU(id: tf.DataId): void;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** Counts submits and the dispatches that each one carries. */
export function countSubmits(backend: GpuBackend): void {
  const submit = backend.submitQueue.bind(backend);
  backend.submitQueue = () => {
    counters.dispatches += backend.dispatchCountInPass;
    counters.submits++;
    submit();
  };
}

/** The parts of tfjs's CPU backend that we use. */
export interface CpuBackend extends tf.KernelBackend {
  data: { get(id: tf.DataId): { values: tf.TypedArray } };
  makeTensorInfo(shape: number[], dtype: tf.DataType, values: tf.TypedArray): tf.TensorInfo;
}

/** Dispatches recorded before a submit. More amortise the submit; fewer recycle buffers sooner and keep submits short. */
export const SUBMIT_BATCH = 32;

export function isGpu(backend: unknown): backend is GpuBackend {
  return typeof backend === 'object' && backend !== null && 'computePassEncoder' in backend && 'tensorMap' in backend;
}

/** The running WebGPU backend; throws if another one is set. */
export function gpuBackend(): GpuBackend {
  const backend = tf.backend();
  if (!isGpu(backend)) throw new Error(`The WebGPU backend is not set (the current one is ${tf.getBackend()}).`);
  return backend;
}

/** Where a tensor is on the GPU: a buffer of its own, or a range of another's. Uploads the tensor if it is still on the CPU. */
export function rangeOf(backend: GpuBackend, tensor: tf.TensorInfo): BufferRange {
  backend.uploadToGPU(tensor.dataId);
  const { resource } = backend.tensorMap.get(tensor.dataId);
  if (!resource) throw new Error(`Tensor of shape [${tensor.shape}] has no GPU buffer.`);
  return resource instanceof GPUBuffer ? { buffer: resource, offset: 0, size: resource.size } : resource;
}

/** The buffer that a tensor has for itself. */
export function bufferOf(backend: GpuBackend, tensor: tf.TensorInfo): GPUBuffer {
  const { buffer, offset, size } = rangeOf(backend, tensor);
  if (offset > 0 || size < buffer.size) throw new Error(`Tensor of shape [${tensor.shape}] is a part of a buffer.`);
  return buffer;
}

/** The encoder that tfjs records into, outside any pass; for copies. */
export function copyEncoder(backend: GpuBackend): GPUCommandEncoder {
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  return backend.commandEncoder!;
}

/** The open compute pass; begins one if there is none. */
export function computePass(backend: GpuBackend): GPUComputePassEncoder {
  backend.ensureCommandEncoderReady();
  backend.computePassEncoder ??= backend.commandEncoder!.beginComputePass();
  return backend.computePassEncoder;
}

/**
 * Keeps a tensor's buffer from being recycled before the recorded work that uses it is submitted. Only the submit of that work
 * ends this: tfjs would keep a tensor that is marked while nothing is recorded until some later work is submitted, which may
 * be never.
 */
export function markUsed(backend: GpuBackend, tensor: tf.TensorInfo): void {
  if (!backend.commandEncoder) throw new Error('A tensor is marked as used by recorded work, but none is recorded.');
  backend.commandQueueOwnedIds.add(tensor.dataId);
}

/** Call for every tensor that a recorded dispatch or copy writes in place. */
export function markWritten(backend: GpuBackend, tensor: tf.TensorInfo): void {
  markUsed(backend, tensor);
  forgetCpuCopy(backend, tensor);
  watchWrite?.(tensor.dataId);
}

let watchWrite: ((id: tf.DataId) => void) | null = null;
/** Whoever wants to know which tensors recorded work writes meanwhile; one at a time. */
export function watchWrites(by: typeof watchWrite): void {
  watchWrite = by;
}

/** Writes to a tensor's buffer through the queue, which takes the bytes at once; recorded work is submitted first. */
export function writeBuffer(backend: GpuBackend, tensor: tf.TensorInfo, offset: number, bytes: ArrayBufferView): void {
  const range = rangeOf(backend, tensor);
  // In a buffer with others, bytes past the end would be another tensor's.
  if (offset + bytes.byteLength > range.size) {
    throw new Error(
      `Writing ${bytes.byteLength} bytes at ${offset} of the ${range.size} of a tensor [${tensor.shape}].`,
    );
  }
  // writeBuffer overtakes recorded work that is not yet submitted.
  flush(backend);
  const at = range.offset + offset;
  backend.queue.writeBuffer(range.buffer, at, bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
  forgetCpuCopy(backend, tensor);
}

function forgetCpuCopy(backend: GpuBackend, tensor: tf.TensorInfo): void {
  backend.tensorMap.get(tensor.dataId).values = null;
}

/** Submits recorded work; no-op if there is none. */
export function flush(backend: GpuBackend): void {
  backend.endComputePassEncoder();
  if (backend.commandEncoder) backend.submitQueue();
}

const stagingPools = new WeakMap<GPUDevice, Map<number, GPUBuffer[]>>();

/** Destroys the buffers that `readFloats` keeps for later reads of the same size. */
export function trimStaging(device: GPUDevice): void {
  const pool = stagingPools.get(device);
  for (const buffer of [...(pool?.values() ?? [])].flat()) buffer.destroy();
  pool?.clear();
}

/**
 * Reads a float32 tensor, all of it or `count` values from `first` on, without leaving a CPU copy in tfjs's value cache (which would go stale at the next in-place
 * write). The copy is recorded and submitted now, so later steps may be queued while the promise is pending.
 */
export const readFloats = (tensor: tf.Tensor): Promise<Float32Array> => readRange(tensor, 0, tensor.size);

export async function readRange(tensor: tf.Tensor, first: number, count: number): Promise<Float32Array> {
  const backend = tf.backend();
  // Copied now, because the next step overwrites these arrays in place.
  if (!isGpu(backend)) return Float32Array.from(tensor.dataSync().subarray(first, first + count));
  const source = rangeOf(backend, tensor);
  const bytes = 4 * count;
  const pool = stagingPools.get(backend.device) ?? new Map<number, GPUBuffer[]>();
  stagingPools.set(backend.device, pool);
  const staging =
    pool.get(bytes)?.pop() ??
    backend.device.createBuffer({ size: bytes, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  copyEncoder(backend).copyBufferToBuffer(source.buffer, source.offset + 4 * first, staging, 0, bytes);
  markUsed(backend, tensor);
  flush(backend);
  try {
    await staging.mapAsync(GPUMapMode.READ);
    return new Float32Array(staging.getMappedRange().slice(0, bytes));
  } finally {
    if (staging.mapState === 'mapped') {
      staging.unmap();
      // Large one-off reads (checkpoints, exports) should not hold memory for the rest of the run.
      if (bytes <= 1 << 16) pool.set(bytes, [...(pool.get(bytes) ?? []), staging]);
      else staging.destroy();
    }
  }
}

/** Bytes of GPU memory: used by tensors; allocated, which includes recycled buffers; and the peak of that. */
export function gpuBytes(): { used: number; allocated: number; peak: number } {
  const backend = tf.backend();
  if (!isGpu(backend)) {
    const { numBytes } = tf.memory();
    return { used: numBytes, allocated: numBytes, peak: numBytes };
  }
  const { bytes, peak } = bufferCount(backend.device);
  return { used: backend.bufferManager.numBytesUsed, allocated: bytes, peak };
}

/** Restarts the measurement of the peak. */
export function forgetGpuPeak(): void {
  const backend = tf.backend();
  if (isGpu(backend)) forgetPeak(bufferCount(backend.device));
}

/** Whether this many more bytes fit. WebGPU does not say, so they are allocated in pieces and freed at once. */
export async function canAllocate(bytes: number): Promise<boolean> {
  const backend = tf.backend();
  if (!isGpu(backend)) return true;
  const { device } = backend;
  const piece = Math.min(device.limits.maxBufferSize, 2 ** 28);
  device.pushErrorScope('out-of-memory');
  const buffers: GPUBuffer[] = [];
  for (let left = bytes; left > 0; left -= piece) {
    const size = Math.ceil(Math.min(left, piece) / 4) * 4;
    buffers.push(device.createBuffer({ size, usage: GPUBufferUsage.STORAGE }));
  }
  const error = await device.popErrorScope();
  for (const buffer of buffers) buffer.destroy();
  return error === null;
}
