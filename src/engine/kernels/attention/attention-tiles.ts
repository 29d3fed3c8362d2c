/**
 * How attention runs on a device. Three paths give the same result:
 *
 *   scores   takes one pair of batch entry and key head at a time (or several) and keeps its scores in a scratch buffer of
 *            bounded size: products in full register tiles. For short texts, and on a CPU for medium ones.
 *   flash    one pass over the keys by tiles in workgroup memory; scores never leave it. For all others on a GPU; on a CPU,
 *            barriers cost more than they save.
 *   online   one pass over the keys; scores never leave registers, and its memory does not grow with the square of the length
 *            either. For long texts on a CPU, and for few queries on many keys.
 */
import { philox4x32, Stream } from '../../../base/random';
import { adapterTraits } from '../../webgpu/adapter';
import type { GpuBackend } from '../../webgpu/backend';
import { f, u, uniformBlock } from '../../webgpu/dispatch';
import { current, type Live } from '../../webgpu/live';
import type { LiveUniforms } from '../../webgpu/recorder';
import { threshold } from '../pointwise/dropout';
import type { ScoreTile } from './attention-scores-wgsl';
import { type AttentionTile, type HeadWidth, unitsOf } from './attention-wgsl';
import { type FlashTile, flashBytes, widthInQuads } from './flash-attention-wgsl';

export interface AttentionAttrs {
  batch: number;
  queryLength: number;
  keyLength: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  /** Of the scores; usually 1/√D. */
  scale: number;
  /** Limits a query to the last `window` keys of its range, its own key included; null or omitted: no limit. */
  window?: number | null;
  /** Bounds the scores to ±softcap. */
  softcap?: number | null;
  /**
   * No query i sees a key after i + keyLength − queryLength: a promise about `visible` that lets a key's gradient skip
   * earlier queries.
   */
  causal?: boolean;
  /** Of the probabilities, in training; null or omitted: none. */
  dropout?: AttentionDropout | null;
}

/**
 * Which probabilities become 0, as a function of (seed, step, site, query, head, key); the others are divided by 1 − p.
 * Philox with the counter (row · ⌈keys / 4⌉ + key / 4, step, site, attention stream), row = query · heads + head, one call
 * per four keys. The forward and backward passes therefore draw the same mask on either path.
 */
export interface AttentionDropout {
  /** In [0, 1). */
  p: number;
  seed: number;
  step: Live;
  /** Where in the model: its layer. */
  site: number;
}

export const hasDropout = ({ dropout }: AttentionAttrs): boolean => Boolean(dropout && dropout.p > 0);

/** The factor of a probability, 0 or 1 / (1 − p); for the references, which ask for one key after another. */
export function keptOf(a: AttentionAttrs): (row: number, key: number) => number {
  if (!a.dropout || !hasDropout(a)) return () => 1;
  const { p, seed, site } = a.dropout;
  const step = current(a.dropout.step);
  const [limit, scale] = [threshold(p), 1 / (1 - p)];
  let last = -1;
  let words: readonly number[] = [];
  return (row, key) => {
    const quad = row * quadsOf(a) + (key >> 2);
    if (quad !== last) words = philox4x32([quad, step, site, Stream.attention], [seed >>> 0, 0]);
    last = quad;
    return words[key & 3]! >>> 8 >= limit ? scale : 0;
  };
}

/** Maximum bytes of a scratch buffer of scores (the backward pass has two of them); a test may set another limit. */
export const attentionMemory = { scores: 16 * 2 ** 20 };

/** From how many keys on, and rows of a pair, a GPU takes the flash path, and the workgroup memory it may use; a test may set others. */
export const flashLimits = { keys: 512, rows: 64, storage: Number.POSITIVE_INFINITY };

/** A static rule, so that a resumed run sums in the same order. */
export function attentionPath(backend: GpuBackend, a: AttentionAttrs): 'scores' | 'flash' | 'online' {
  const { software } = adapterTraits(backend.device);
  const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupStorageSize } = backend.device.limits;
  const holds = maxComputeInvocationsPerWorkgroup >= 256 && maxComputeWorkgroupStorageSize >= flashBytes(32);
  if (!software && holds && a.keyLength >= flashLimits.keys && rowsOf(a) >= flashLimits.rows) return 'flash';
  return pairsAtATime(a) > 0 ? 'scores' : 'online';
}

/** Rows of one pair: its queries, for every head of the group. */
export const rowsOf = (a: AttentionAttrs) => (a.queryLength * a.heads) / a.kvHeads;

/** Length of a row of scores, in vec4. */
export const quadsOf = (a: AttentionAttrs) => Math.ceil(a.keyLength / 4);

/** Pairs whose scores are computed at a time; 0 if not even one fits, and the online path is taken. */
export function pairsAtATime(a: AttentionAttrs): number {
  const fit = Math.floor(attentionMemory.scores / Math.max(1, rowsOf(a) * quadsOf(a) * 16));
  return Math.min(fit, a.batch * a.kvHeads);
}

/** Calls `record` for every chunk of pairs, with the uniforms for all its dispatches. */
export function eachChunk(
  a: AttentionAttrs,
  record: (uniforms: ArrayBuffer | LiveUniforms, pairs: number) => void,
): void {
  const size = pairsAtATime(a);
  const all = a.batch * a.kvHeads;
  for (let first = 0; first < all; first += size) {
    const pairs = Math.min(size, all - first);
    record(attentionUniforms(a, first, pairs), pairs);
  }
}

export function attentionUniforms(
  a: AttentionAttrs,
  firstPair = 0,
  pairs = a.batch * a.kvHeads,
): ArrayBuffer | LiveUniforms {
  const group = a.heads / a.kvHeads;
  return uniformBlock(
    ...[a.batch, a.queryLength, a.keyLength, a.heads, a.kvHeads, group, a.causal ? 1 : 0].map(u),
    f(a.scale),
    ...[firstPair, pairs, quadsOf(a), unitsOf(a.headDim), a.window ?? 0].map(u),
    f(a.softcap ?? 0),
    ...(a.dropout && hasDropout(a)
      ? [...[threshold(a.dropout.p), a.dropout.seed, a.dropout.step, a.dropout.site].map(u), f(1 / (1 - a.dropout.p))]
      : []),
  );
}

/** The score for a product q·k, and its derivative with respect to that product. */
export function scoreOf(dot: number, { scale, softcap }: AttentionAttrs): { score: number; slope: number } {
  if (!softcap) return { score: dot * scale, slope: scale };
  const t = Math.tanh((dot * scale) / softcap);
  return { score: softcap * t, slope: (1 - t * t) * scale };
}

/** The smallest number of equal slices of a head's width that have at most `limit` units each. */
function slicesFor(headDim: number, limit: number): number {
  const units = unitsOf(headDim);
  for (let slices = 1; slices < units; slices++) {
    if (units % slices === 0 && units / slices <= limit) return slices;
  }
  return units;
}

/**
 * Tiles for every shader. A CPU has expensive loads and few threads, so it gets large tiles, which use each value often. A
 * GPU needs many threads first, and tiles that fit its register file.
 */
export function attentionTiles(backend: GpuBackend, attrs: AttentionAttrs) {
  const { headDim, softcap } = attrs;
  const { software } = adapterTraits(backend.device);
  const quads = headDim % 4 === 0;
  // A CPU adapter would take many seconds to compile unrolled code for several rows, and again for every new width.
  const width: HeadWidth = {
    quads,
    units: software ? 0 : unitsOf(headDim),
    softcap: Boolean(softcap),
    dropout: hasDropout(attrs),
  };
  const online = (rows: number, keys: number, vectors: number): AttentionTile =>
    software
      ? { ...width, rows: 2, keys: 4, sums: 'memory', slices: 1 }
      : { ...width, rows, keys, sums: 'registers', slices: slicesFor(headDim, quads ? vectors : vectors * 4) };
  const scores = (large: [number, number], small: [number, number]): ScoreTile => {
    const [rows, columns] = software ? large : small;
    return { ...width, rows, columns };
  };
  return {
    width,
    lanes: software ? (1 as const) : (64 as const),
    online: { forward: online(1, 4, 32), query: online(1, 4, 32), keyValue: online(4, 1, 16) },
    scores: {
      scores: scores([4, 8], [4, 4]),
      weights: scores([4, 4], [4, 4]),
      mix: scores([8, 2], [4, 1]),
      gather: scores([8, 2], [4, 1]),
    },
  };
}

/**
 * Tiles of the flash path. A thread sums up 4 rows by at most 4 quads of the width, or by 2 where it has the sums of both keys and
 * values.
 */
export function flashTiles(backend: GpuBackend, attrs: AttentionAttrs) {
  const { headDim, softcap } = attrs;
  const storage = Math.min(backend.device.limits.maxComputeWorkgroupStorageSize, flashLimits.storage);
  const width: HeadWidth = {
    quads: headDim % 4 === 0,
    units: unitsOf(headDim),
    softcap: Boolean(softcap),
    dropout: hasDropout(attrs),
  };
  const tile = (quadsEach: number): FlashTile => ({
    ...width,
    others: storage >= flashBytes(64) ? 64 : 32,
    slices: Math.ceil(widthInQuads(width) / (16 * quadsEach)),
  });
  return { forward: tile(4), query: tile(4), keyValue: tile(2) };
}
