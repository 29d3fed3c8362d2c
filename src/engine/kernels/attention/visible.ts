/**
 * Which keys a query may attend to, in the form the attention kernel reads: int32 [B·Tq, 2], for each query the range
 * [first, end) within its row's keys. One range covers causal masks, padding on either side, packed documents, sliding
 * windows and caches. Runs on the CPU; a padding query gets the empty range and attends to nothing.
 */

/** A token sees itself and what precedes it. `lengths` counts each row's real tokens; padding follows them. */
export function causalVisible(lengths: ArrayLike<number>, length: number): Int32Array {
  const out = new Int32Array(lengths.length * length * 2);
  for (let b = 0; b < lengths.length; b++) {
    const real = Math.min(lengths[b]!, length);
    for (let t = 0; t < real; t++) out[(b * length + t) * 2 + 1] = t + 1;
  }
  return out;
}

/** Like causalVisible, for rows padded on the left. */
export function leftPaddedVisible(lengths: ArrayLike<number>, length: number): Int32Array {
  const out = new Int32Array(lengths.length * length * 2);
  for (let b = 0; b < lengths.length; b++) {
    const first = Math.max(0, length - lengths[b]!);
    for (let t = first; t < length; t++) out.set([first, t + 1], (b * length + t) * 2);
  }
  return out;
}

/** Every real token sees every real token of its row, as in encoders. */
export function fullVisible(lengths: ArrayLike<number>, length: number): Int32Array {
  const out = new Int32Array(lengths.length * length * 2);
  for (let b = 0; b < lengths.length; b++) {
    const real = Math.min(lengths[b]!, length);
    for (let t = 0; t < real; t++) out[(b * length + t) * 2 + 1] = real;
  }
  return out;
}

/**
 * Several texts in each row, causal within each text. `documents[b]` lists the lengths of row b's texts in order; the rest
 * of `length` is padding.
 */
export function packedVisible(documents: readonly (readonly number[])[], length: number): Int32Array {
  const out = new Int32Array(documents.length * length * 2);
  documents.forEach((texts, b) => {
    let first = 0;
    for (const size of texts) {
      const end = Math.min(first + size, length);
      for (let t = first; t < end; t++) out.set([first, t + 1], (b * length + t) * 2);
      first = end;
    }
  });
  return out;
}

/** Narrows every range to its last `window` keys (sliding-window attention; the token itself counts). */
export function slidingWindow(visible: Int32Array, window: number): Int32Array {
  const out = visible.slice();
  for (let i = 0; i < out.length; i += 2) out[i] = Math.max(out[i]!, out[i + 1]! - window);
  return out;
}

/** One row of `count` new tokens after `past` cached ones. */
export function cacheVisible(past: number, count: number): Int32Array {
  const out = new Int32Array(count * 2);
  for (let t = 0; t < count; t++) out[t * 2 + 1] = past + t + 1;
  return out;
}

/** For the reference kernels: calls `body` for each query and head with its row's first key, its range and its key head. */
export function eachQuery(
  visible: ArrayLike<number>,
  a: { batch: number; queryLength: number; keyLength: number; heads: number; kvHeads: number; window?: number | null },
  body: (query: number, head: number, keys: { base: number; first: number; end: number; head: number }) => void,
): void {
  for (let query = 0; query < a.batch * a.queryLength; query++) {
    const base = Math.floor(query / a.queryLength) * a.keyLength;
    const end = Math.min(visible[query * 2 + 1]!, a.keyLength);
    const first = Math.max(0, visible[query * 2]!, end - (a.window ?? end));
    for (let head = 0; head < a.heads; head++) {
      body(query, head, { base, first, end, head: Math.floor((head * a.kvHeads) / a.heads) });
    }
  }
}
