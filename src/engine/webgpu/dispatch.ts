/**
 * Our own dispatch, recorded into tfjs's queue: several outputs, in-place writes and WGSL directives, which tfjs's program
 * type cannot express. Pipelines, uniform buffers and bind groups are cached by content, so a step with familiar shapes
 * creates (almost) none of them.
 */
import * as tf from '@tensorflow/tfjs-core';
import {
  type BufferRange,
  computePass,
  counters,
  flush,
  type GpuBackend,
  isGpu,
  markUsed,
  markWritten,
  rangeOf,
  SUBMIT_BATCH,
  trimStaging,
} from './backend';
import { current, type Live } from './live';
import { type Program, pipelineOf } from './pipelines';
import { trimPool } from './pool';
import { activeRecorder, type LiveUniforms } from './recorder';

export type { Program } from './pipelines';

export interface Dispatch {
  program: Program;
  /** In binding order. */
  tensors: tf.TensorInfo[];
  /** The tensors that the shader writes. */
  writes: tf.TensorInfo[];
  /** The uniform block's bytes (a multiple of 16), or what writes them where fields are live. */
  uniforms: ArrayBuffer | LiveUniforms;
  /** True if the values differ from step to step (learning rate) without being live: not cached, and never replayed. */
  volatile?: boolean;
  workgroups: [number, number?, number?];
}

interface DeviceCache {
  uniforms: Map<string, { buffer: GPUBuffer; id: number; text: string }>;
  bindGroups: Map<string, GPUBindGroup>;
  bufferIds: WeakMap<GPUBuffer, number>;
  nextId: number;
}

const caches = new WeakMap<GPUDevice, DeviceCache>();
const MAX_UNIFORMS = 2048;
const MAX_BIND_GROUPS = 8192;

function cacheOf(device: GPUDevice): DeviceCache {
  let cache = caches.get(device);
  if (!cache) {
    cache = { uniforms: new Map(), bindGroups: new Map(), bufferIds: new WeakMap(), nextId: 1 };
    caches.set(device, cache);
  }
  return cache;
}

/** Frees every buffer that is kept for later: pooled ones, cached uniforms, staging buffers. Call between models and runs. */
export function trimMemory(): void {
  trimUniforms();
  const backend = tf.backend();
  if (isGpu(backend)) trimStaging(backend.device);
  trimPool();
}

function trimUniforms(): void {
  const backend = tf.backend();
  if (!isGpu(backend)) return;
  // Recorded work may read them.
  flush(backend);
  const cache = caches.get(backend.device);
  if (!cache) return;
  for (const { buffer } of cache.uniforms.values()) buffer.destroy();
  cache.uniforms.clear();
  cache.bindGroups.clear();
}

function bufferId(cache: DeviceCache, buffer: GPUBuffer): number {
  let id = cache.bufferIds.get(buffer);
  if (id === undefined) {
    id = cache.nextId++;
    cache.bufferIds.set(buffer, id);
  }
  return id;
}

function rangeKey(cache: DeviceCache, { buffer, offset, size }: BufferRange): string {
  const id = bufferId(cache, buffer);
  return size === buffer.size ? `${id}` : `${id}+${offset}/${size}`;
}

/** WebGPU tracks what a dispatch does to a buffer as a whole, so views of one buffer cannot be read and written together. */
function checkUsage(backend: GpuBackend, { program, tensors, writes }: Dispatch): void {
  const written = new Map(writes.map((t) => [rangeOf(backend, t).buffer, t]));
  for (const t of tensors) {
    const other = written.get(rangeOf(backend, t).buffer);
    if (!other || writes.some(({ dataId }) => dataId === t.dataId)) continue;
    throw new Error(
      `Shader ${program.key} reads a tensor [${t.shape}] and writes one [${other.shape}] of the same buffer; one dispatch cannot do both.`,
    );
  }
}

function uniformOf(backend: GpuBackend, cache: DeviceCache, bytes: ArrayBuffer, isVolatile: boolean) {
  const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
  if (isVolatile) {
    // Recycled only after the submit that reads it, as tfjs does with its own.
    const buffer = backend.bufferManager.acquireBuffer(bytes.byteLength, usage);
    backend.queue.writeBuffer(buffer, 0, bytes);
    backend.uniformPendingDisposal.push(buffer);
    return { buffer, id: bufferId(cache, buffer), text: '' };
  }
  const key = new Uint32Array(bytes).join(',');
  let entry = cache.uniforms.get(key);
  if (!entry) {
    if (cache.uniforms.size >= MAX_UNIFORMS) {
      trimUniforms();
    }
    const buffer = backend.device.createBuffer({ size: bytes.byteLength, usage });
    backend.queue.writeBuffer(buffer, 0, bytes);
    entry = { buffer, id: cache.nextId++, text: key };
    cache.uniforms.set(key, entry);
    counters.uniformBuffers++;
  }
  return entry;
}

/** Records one dispatch, and submits once SUBMIT_BATCH dispatches are recorded. */
export function dispatch(backend: GpuBackend, call: Dispatch): void {
  const { program, tensors, writes, uniforms, workgroups } = call;
  const cache = cacheOf(backend.device);
  const { pipeline, id } = pipelineOf(backend.device, program);
  const ranges = tensors.map((t) => rangeOf(backend, t));
  const live = uniforms instanceof ArrayBuffer ? null : uniforms;
  const recorder = activeRecorder();
  const write = () =>
    uniformOf(backend, cache, live ? bytesOf(live) : (uniforms as ArrayBuffer), !!live || !!call.volatile);
  const uniform = recorder ? recorder.writing(write) : write();
  const key = `${id}:${uniform.id}:${ranges.map((range) => rangeKey(cache, range)).join(',')}`;
  let bindGroup = cache.bindGroups.get(key);
  if (!bindGroup) {
    checkUsage(backend, call);
    if (cache.bindGroups.size >= MAX_BIND_GROUPS) cache.bindGroups.clear();
    bindGroup = backend.device.createBindGroup({
      label: program.key,
      layout: pipeline.getBindGroupLayout(0),
      entries: [...ranges, { buffer: uniform.buffer }].map((resource, binding) => ({ binding, resource })),
    });
    cache.bindGroups.set(key, bindGroup);
  }
  const pass = computePass(backend);
  for (const t of tensors) markUsed(backend, t);
  for (const t of writes) markWritten(backend, t);
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  const [x, y = 1, z = 1] = workgroups;
  const limit = backend.device.limits.maxComputeWorkgroupsPerDimension;
  if (x > limit || y > limit || z > limit) {
    throw new Error(
      `Shader ${program.key}: [${x}, ${y}, ${z}] workgroups exceed this device's limit of ${limit} per dimension.`,
    );
  }
  if (recorder) {
    if (call.volatile && !live) recorder.refuse(`${program.key}: its uniforms change, and are not live`);
    const workgroups: [number, number, number] = [x, y, z];
    recorder.dispatch({
      shader: program.key,
      pipeline,
      bindGroup,
      tensors,
      ranges,
      uniforms: live ?? uniform,
      workgroups,
    });
  }
  pass.dispatchWorkgroups(x, y, z);
  backend.dispatchCountInPass++;
  if (backend.dispatchCountInPass >= SUBMIT_BATCH) flush(backend);
}

type Field = { u: Live } | { f: Live };

function pack(fields: readonly Field[], view: DataView, at: number): void {
  fields.forEach((field, i) => {
    if ('u' in field) view.setUint32(at + i * 4, current(field.u) >>> 0, true);
    else view.setFloat32(at + i * 4, current(field.f), true);
  });
}

function bytesOf({ bytes, write }: LiveUniforms): ArrayBuffer {
  const block = new ArrayBuffer(bytes);
  write(new DataView(block), 0);
  return block;
}

/** Packs a uniform block of u32 and f32 scalars in order, padded to 16 bytes; later and again where a field is live. */
export function uniformBlock(...fields: Field[]): ArrayBuffer | LiveUniforms {
  const block: LiveUniforms = {
    bytes: Math.max(16, Math.ceil(fields.length / 4) * 16),
    write: (view, at) => pack(fields, view, at),
  };
  const isLive = fields.some((field) => typeof ('u' in field ? field.u : field.f) === 'function');
  return isLive ? block : bytesOf(block);
}
export const u = (value: Live) => ({ u: value });
export const f = (value: Live) => ({ f: value });
