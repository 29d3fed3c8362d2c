/**
 * tfjs keeps every buffer it ever created, by exact size, and never frees one: a run whose batches have ten lengths would
 * hold ten times its memory. Here the pool stays within what the largest unit of work so far needed: when something new
 * must be created, buffers left over from older units are destroyed. Work of the same shapes finds the same buffers.
 */
import * as tf from '@tensorflow/tfjs-core';
import { flush, type GpuBackend, isGpu } from './backend';
import { type BufferState, bufferCount, stateOf } from './buffers';

interface Pool {
  /** Units of work so far. */
  work: number;
  /** Bytes at the peak of any unit of work, not counting what others left over. */
  high: number;
  /** Buffers that may be destroyed in this unit of work, oldest last; null until needed. */
  old: GPUBuffer[] | null;
}

const pools = new WeakMap<GpuBackend, Pool>();

/** The pool may always grow to this size: recreating buffers costs time, and nobody misses so little memory. */
export const KEEP_BYTES = 256 * 2 ** 20;

/** Whoever wants to know which buffers are handed out and given back meanwhile; one at a time. */
export interface PoolWatch {
  /** `mapped`: for bytes that JavaScript writes. */
  handedOut(state: BufferState, mapped: boolean): void;
  givenBack(state: BufferState): void;
}

let watch: PoolWatch | null = null;
export function watchPool(by: PoolWatch | null): void {
  watch = by;
}

let handedOut = 0;
/** How many buffers the pools have handed out. */
export const handedOutSoFar = (): number => handedOut;

/** Call once per backend, before it creates buffers. */
export function managePool(backend: GpuBackend): void {
  const pool: Pool = { work: 0, high: 0, old: null };
  pools.set(backend, pool);
  const manager = backend.bufferManager;
  const acquire = manager.acquireBuffer.bind(manager);
  manager.acquireBuffer = (size, usage, mappedAtCreation, reuse) => {
    const recycled = reuse !== false && (manager.freeBuffers.get(`${size}_${usage}`)?.length ?? 0) > 0;
    if (!recycled) makeRoom(backend, pool, size);
    const buffer = acquire(size, usage, mappedAtCreation, reuse);
    const state = stateOf(buffer);
    Object.assign(state, { held: true, handedOut: ++handedOut, lastUse: pool.work } satisfies Partial<BufferState>);
    watch?.handedOut(state, mappedAtCreation === true);
    return buffer;
  };
  const release = manager.releaseBuffer.bind(manager);
  manager.releaseBuffer = (buffer, reuse) => {
    release(buffer, reuse);
    const state = stateOf(buffer);
    state.held = false;
    watch?.givenBack(state);
  };
}

function makeRoom(backend: GpuBackend, pool: Pool, size: number): void {
  const count = bufferCount(backend.device);
  const limit = Math.max(pool.high, KEEP_BYTES);
  while (count.bytes + size > limit) {
    pool.old ??= oldBuffers(backend, pool);
    const buffer = pool.old.pop();
    if (!buffer) break;
    if (stateOf(buffer).lastUse !== pool.work) destroyFree(backend, buffer);
  }
  pool.high = Math.max(pool.high, count.bytes + size);
}

/** Marks free buffers as used by this unit of work without handing them out: nothing else destroys them before the next one. */
export function touchFree(backend: GpuBackend, buffers: readonly BufferState[]): void {
  const { work } = pools.get(backend)!;
  for (const state of buffers) state.lastUse = work;
}

function oldBuffers(backend: GpuBackend, { work }: Pool): GPUBuffer[] {
  const age = (buffer: GPUBuffer) => work - stateOf(buffer).lastUse;
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

/** Called when memory is freed between models and runs, by whoever keeps some. */
const trims: (() => void)[] = [];
export function onTrim(trim: () => void): void {
  trims.push(trim);
}

/** Destroys pooled buffers that nothing uses. Call between models and runs. */
export function trimPool(): void {
  const backend = tf.backend();
  if (!isGpu(backend)) return;
  flush(backend);
  for (const trim of trims) trim();
  for (const buffers of [...backend.bufferManager.freeBuffers.values()]) {
    for (const buffer of [...buffers]) destroyFree(backend, buffer);
  }
  const pool = pools.get(backend);
  if (pool) Object.assign(pool, { high: bufferCount(backend.device).bytes, old: null } satisfies Partial<Pool>);
}

const bufferOrder = new WeakMap<GPUBuffer, number>();
let buffersSeen = 0;

/**
 * Starts a unit of work: a micro-batch, a batch of an evaluation or of texts, a token. Recorded work is submitted, so that
 * nothing it uses can be destroyed too early. The recycled buffers are put in a fixed order: tfjs hands out the one
 * returned last, so work would find its buffers permuted and create new bind groups forever.
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
