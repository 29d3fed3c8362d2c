/**
 * Tensors that are ranges of another tensor's buffer, their owner's. Every kernel, ours or tfjs's, takes a view as it takes any
 * tensor; one that wants several views of an owner in one binding binds the owner and adds their offsets.
 *
 * A buffer lives as long as its owner or any view of it: views count as references, so either may be disposed first. Values
 * of views and owners are never cached on the CPU, where a write through another tensor would make them stale.
 *
 * WebGPU tracks usage by buffer: no dispatch may read one view and write another of the same owner (dispatch.ts says so).
 */
import * as tf from '@tensorflow/tfjs-core';
import {
  type BufferRange,
  type CpuBackend,
  copyEncoder,
  flush,
  type GpuBackend,
  isGpu,
  markUsed,
  markWritten,
  rangeOf,
} from './backend';

export interface View {
  /** For binding; it may have been disposed by whoever made it. */
  owner: tf.TensorInfo;
  /** In words of four bytes, as all tensors here have. */
  offset: number;
}

/** Views start at multiples of so many words: the default of WebGPU's minStorageBufferOffsetAlignment, which no device exceeds. */
export const VIEW_ALIGNMENT = 64;

export const alignView = (words: number): number => Math.ceil(words / VIEW_ALIGNMENT) * VIEW_ALIGNMENT;

const views = new WeakMap<tf.DataId, View>();
/** How many views an owner has. */
const viewCounts = new WeakMap<tf.DataId, number>();

/** Whose buffer a tensor is a range of, or null if it has a buffer of its own. Reshaped tensors and clones are views too. */
export const viewOf = (tensor: tf.TensorInfo): View | null => views.get(tensor.dataId) ?? null;

/** A new tensor that is the words of `owner` from `offset` on. */
export function createView(
  owner: tf.Tensor,
  offset: number,
  shape: number[],
  dtype: 'float32' | 'int32' = 'float32',
): tf.Tensor {
  const size = tf.util.sizeFromShape(shape);
  const target = resolve(owner, offset, size);
  const backend = tf.backend();
  if (isGpu(backend)) {
    const info = backend.makeTensorInfo(shape, dtype);
    attach(backend, info, target, size);
    return tf.engine().makeTensorFromTensorInfo(info);
  }
  const values = cpuRange(owner, offset, size);
  const cpu = backend as CpuBackend;
  const Type = dtype === 'int32' ? Int32Array : Float32Array;
  const info = cpu.makeTensorInfo(shape, dtype, new Type(values.buffer as ArrayBuffer, values.byteOffset, size));
  views.set(info.dataId, target);
  return tf.engine().makeTensorFromTensorInfo(info);
}

/**
 * Moves a tensor's values into `owner` from `offset` on and makes the tensor, with all that share its data, a view of them. The
 * buffer that it had is freed.
 */
export function moveIntoView(tensor: tf.Tensor, owner: tf.Tensor, offset: number): void {
  const { dataId, shape, size } = tensor;
  const target = resolve(owner, offset, size);
  if (viewCounts.get(dataId)) throw new Error(`A tensor [${shape}] that has views cannot become a view itself.`);
  const backend = tf.backend();
  if (!isGpu(backend)) {
    const values = cpuRange(owner, offset, size);
    const data = (backend as CpuBackend).data.get(dataId);
    values.set(data.values as Float32Array);
    data.values = values;
    views.set(dataId, target);
    return;
  }
  const from = rangeOf(backend, tensor);
  const to = rangeOf(backend, target.owner);
  copyEncoder(backend).copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset + target.offset * 4, size * 4);
  markUsed(backend, tensor);
  markWritten(backend, target.owner);
  const before = detach(dataId);
  // Destroyed by the submit of the copy: nothing else is likely to want a buffer of this size.
  if (!before) backend.stagingPendingDisposal.push(from.buffer);
  attach(backend, tensor, target, size);
  if (before) release(backend, before);
}

/** The same for many tensors; when it returns, the buffers that they had are free. */
export function moveIntoViews(owner: tf.Tensor, places: readonly { tensor: tf.Tensor; offset: number }[]): void {
  for (const { tensor, offset } of places) moveIntoView(tensor, owner, offset);
  const backend = tf.backend();
  if (isGpu(backend)) flush(backend);
}

/** Makes a view one of other words, those of `owner` from `offset` on. Nothing is copied. */
export function pointView(view: tf.Tensor, owner: tf.Tensor, offset: number): void {
  const { dataId, shape, size } = view;
  const target = resolve(owner, offset, size);
  const before = detach(dataId);
  if (!before) throw new Error(`A tensor [${shape}] is no view.`);
  const backend = tf.backend();
  if (isGpu(backend)) {
    attach(backend, view, target, size);
    release(backend, before);
    return;
  }
  (backend as CpuBackend).data.get(dataId).values = cpuRange(owner, offset, size);
  views.set(dataId, target);
}

/** The owner that has a buffer, if `owner` is a view itself, and the offset there. */
function resolve(owner: tf.TensorInfo, offset: number, size: number): View {
  if (offset % VIEW_ALIGNMENT !== 0) throw new Error(`A view cannot begin at word ${offset}.`);
  const words = tf.util.sizeFromShape(owner.shape);
  if (offset + size > words)
    throw new Error(`A view of ${size} words at ${offset} is not within the owner's ${words}.`);
  const outer = views.get(owner.dataId);
  if (outer) return { owner: outer.owner, offset: outer.offset + offset };
  const { dataId, shape, dtype } = owner;
  return { owner: { dataId, shape, dtype }, offset };
}

function cpuRange(owner: tf.TensorInfo, offset: number, size: number): tf.TypedArray {
  return (tf.backend() as CpuBackend).data.get(owner.dataId).values.subarray(offset, offset + size);
}

function attach(backend: GpuBackend, tensor: tf.TensorInfo, view: View, size: number): void {
  const { buffer } = rangeOf(backend, view.owner);
  const { dataId } = view.owner;
  const range: BufferRange = { buffer, offset: view.offset * 4, size: size * 4 };
  Object.assign(backend.tensorMap.get(tensor.dataId), { resource: range, external: true, values: null });
  views.set(tensor.dataId, view);
  backend.incRef(dataId);
  viewCounts.set(dataId, (viewCounts.get(dataId) ?? 0) + 1);
  backend.tensorMap.get(dataId).values = null;
}

function detach(dataId: tf.DataId): View | undefined {
  const view = views.get(dataId);
  views.delete(dataId);
  return view;
}

/** Gives back a view's reference to its owner, whose buffer is freed with the last one. */
function release(backend: GpuBackend, { owner: { dataId } }: View): void {
  viewCounts.set(dataId, viewCounts.get(dataId)! - 1);
  // Recorded work may use the view, and through it this buffer.
  if (backend.commandEncoder) backend.commandQueueOwnedIds.add(dataId);
  // Otherwise tfjs's count of buffers would keep an owner that was disposed before its views.
  if (backend.disposeData(dataId)) tf.engine().removeDataId(dataId, backend);
}

/** Teaches tfjs's backend to read views and to let go of them. Call once per backend. */
export function manageViews(backend: GpuBackend): void {
  const { bufferManager, tensorMap } = backend;
  const original = {
    getBufferData: backend.getBufferData.bind(backend),
    readSync: backend.readSync.bind(backend),
    readToGPU: backend.readToGPU.bind(backend),
    convertAndCacheOnCPU: backend.convertAndCacheOnCPU.bind(backend),
    releaseResource: backend.releaseResource.bind(backend),
  };
  /** tfjs reads whole buffers, so a view is read from a copy. */
  const copyOf = ({ buffer, offset, size }: BufferRange): GPUBuffer => {
    const copy = bufferManager.acquireBuffer(size, buffer.usage);
    copyEncoder(backend).copyBufferToBuffer(buffer, offset, copy, 0, size);
    return copy;
  };
  const withCopy = <T>(dataId: tf.DataId, read: () => T): T => {
    const data = tensorMap.get(dataId);
    const range = data.resource as BufferRange;
    const copy = copyOf(range);
    data.resource = copy;
    try {
      return read();
    } finally {
      data.resource = range;
      bufferManager.releaseBuffer(copy);
    }
  };
  backend.getBufferData = async (resource) => {
    if (resource instanceof GPUBuffer) return original.getBufferData(resource);
    const copy = copyOf(resource);
    try {
      return await original.getBufferData(copy);
    } finally {
      bufferManager.releaseBuffer(copy);
    }
  };
  backend.readSync = (dataId) =>
    views.has(dataId) ? withCopy(dataId, () => original.readSync(dataId)) : original.readSync(dataId);
  backend.readToGPU = (dataId) =>
    views.has(dataId) ? withCopy(dataId, () => original.readToGPU(dataId)) : original.readToGPU(dataId);
  backend.convertAndCacheOnCPU = (dataId, values) =>
    views.has(dataId) || viewCounts.get(dataId) ? values : original.convertAndCacheOnCPU(dataId, values);
  backend.releaseResource = (dataId) => {
    original.releaseResource(dataId);
    const view = detach(dataId);
    if (view) release(backend, view);
  };
}
