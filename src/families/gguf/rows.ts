/** Orders in which GGUF files store rows that Hugging Face's checkpoints store otherwise. */
import type { HeadShape } from '../config';

export interface HeadCounts {
  heads: number;
  kvHeads: number;
}

/** Of a decoder; families without key-value heads of their own have as many as query heads. */
export function headCounts(config: object): HeadCounts {
  const { num_attention_heads: heads = 0, num_key_value_heads: kvHeads = heads } = config as Partial<HeadShape>;
  return { heads, kvHeads };
}

/**
 * For each row of a group in Hugging Face's order, the row of the file; the same for every group of that many rows. Null if
 * the heads do not divide the rows: the shape is wrong then, and refused for that.
 */
export type RowOrder = (rows: number, counts: HeadCounts) => Uint32Array | null;

/** Llama's queries: llama.cpp rotates neighbours, so row (half, i) of each head is stored as row (i, half). */
export const queryHalves: RowOrder = (rows, { heads }) => halves(rows, heads);

/** The same for keys. */
export const keyHalves: RowOrder = (rows, { kvHeads }) => halves(rows, kvHeads);

function halves(rows: number, heads: number): Uint32Array | null {
  if (!divides(heads, 2, rows)) return null;
  const width = rows / heads;
  return Uint32Array.from({ length: width }, (_, row) => (row < width / 2 ? 2 * row : 2 * row - width + 1));
}

/** GPT-NeoX: queries, keys and values one after another, not head by head; row (head, part, i) is stored as (part, head, i). */
export const fusedByPart: RowOrder = (rows, { heads }) => {
  if (!divides(heads, 3, rows)) return null;
  const width = rows / heads / 3;
  return Uint32Array.from({ length: rows }, (_, row) => {
    const head = Math.floor(row / (3 * width));
    const part = Math.floor(row / width) % 3;
    return part * heads * width + head * width + (row % width);
  });
};

const divides = (heads: number, parts: number, rows: number): boolean =>
  Number.isInteger(heads) && rows > 0 && rows % (heads * parts) === 0;

/** The permutation that undoes another one. */
export function inverse(order: Uint32Array): Uint32Array {
  const undone = new Uint32Array(order.length);
  for (const [to, from] of order.entries()) undone[from] = to;
  return undone;
}
