/**
 * tfjs keeps every buffer that was ever made, by its exact size, and never frees one: a run whose batches have ten lengths
 * would hold ten times its memory. Here the pool is kept within what the widest piece of work so far needed: what older
 * pieces left is destroyed when there is something new to be made. Work of the same shapes finds the same buffers.
 */
import * as tf from '@tensorflow/tfjs-core';
import { flush, type GpuBackend, isGpu } from './backend';
import { bufferCount } from './buffers';

interface Pool {
  /** Pieces of work so far, and in which one each buffer was handed out last. */
  work: number;
  lastUse: WeakMap<GPUBuffer, number>;
  /** Bytes at the widest moment of any piece of work, without what others had left. */
  high: number;
  /** What may be destroyed in this piece of work, the oldest last; null until somebody asks. */
  old: GPUBuffer[] | null;
}

const pools = new WeakMap<GpuBackend, Pool>();

/** Up to here the pool may grow: making buffers anew costs time, and so little memory nobody misses. */
export const KEEP_BYTES = 256 * 2 ** 20;

/** To be called once for a backend, before it makes buffers. */
export function managePool(backend: GpuBackend): void {
  const pool: Pool = { work: 0, lastUse: new WeakMap(), high: 0, old: null };
  pools.set(backend, pool);
  const manager = backend.bufferManager;
  const acquire = manager.acquireBuffer.bind(manager);
  manager.acquireBuffer = (size, usage, mappedAtCreation, reuse) => {
    const recycled = reuse !== false && (manager.freeBuffers.get(`${size}_${usage}`)?.length ?? 0) > 0;
    if (!recycled) makeRoom(backend, pool, size);
    const buffer = acquire(size, usage, mappedAtCreation, reuse);
    pool.lastUse.set(buffer, pool.work);
    return buffer;
  };
}

function makeRoom(backend: GpuBackend, pool: Pool, size: number): void {
  const count = bufferCount(backend.device);
  const limit = Math.max(pool.high, KEEP_BYTES);
  while (count.bytes + size > limit) {
    pool.old ??= oldBuffers(backend, pool);
    const buffer = pool.old.pop();
    if (!buffer) break;
    if (pool.lastUse.get(buffer) !== pool.work) destroyFree(backend, buffer);
  }
  pool.high = Math.max(pool.high, count.bytes + size);
}

function oldBuffers(backend: GpuBackend, { lastUse, work }: Pool): GPUBuffer[] {
  const age = (buffer: GPUBuffer) => work - (lastUse.get(buffer) ?? 0);
  return [...backend.bufferManager.freeBuffers.values()]
    .flat()
    .filter((buffer) => age(buffer) > 0)
    .sort((a, b) => age(a) - age(b));
}

function destroyFree({ bufferManager }: GpuBackend, buffer: GPUBuffer): void {
  const free = bufferManager.freeBuffers.get(`${buffer.size}_${buffer.usage}`)!;
  free.splice(free.indexOf(buffer), 1);
  bufferManager.numFreeBuffers--;
  bufferManager.numBytesAllocated -= buffer.size;
  buffer.destroy();
}

/** Destroys pooled buffers that nothing uses. Call between models and runs. */
export function trimPool(): void {
  const backend = tf.backend();
  if (!isGpu(backend)) return;
  flush(backend);
  for (const buffers of [...backend.bufferManager.freeBuffers.values()]) {
    for (const buffer of [...buffers]) destroyFree(backend, buffer);
  }
  const pool = pools.get(backend);
  if (pool) Object.assign(pool, { high: bufferCount(backend.device).bytes, old: null } satisfies Partial<Pool>);
}

const bufferOrder = new WeakMap<GPUBuffer, number>();
let buffersSeen = 0;

/**
 * Begins a piece of work: a micro-batch, a batch of an evaluation or of texts, a token. What was recorded is sent, so that nothing of
 * it can be destroyed too early, and the recycled buffers are put in a fixed order: tfjs hands out the one that came back
 * last, so that work would find its buffers permuted and make bind groups for ever.
 */
export function beginWork(): void {
  const backend = tf.backend();
  if (!isGpu(backend)) return;
  flush(backend);
  const pool = pools.get(backend);
  if (pool) {
    pool.work++;
    pool.old = null;
  }
  const order = (buffer: GPUBuffer): number => {
    let n = bufferOrder.get(buffer);
    if (n === undefined) {
      n = buffersSeen++;
      bufferOrder.set(buffer, n);
    }
    return n;
  };
  for (const buffers of backend.bufferManager.freeBuffers.values()) buffers.sort((a, b) => order(a) - order(b));
}
