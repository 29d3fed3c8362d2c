/** Rows that a GGUF file holds in another order than Hugging Face's checkpoint. */
import type { RowLayout } from './names';

export interface Heads {
  heads: number;
  kvHeads: number;
}

/**
 * For each row of a group, as Hugging Face counts them, the row of the file; the same for every group of that many rows.
 * Null where nothing has moved. Llama: converters wrote row (half, i) of a head to (i, half). GPT-NeoX: row (head, part, i)
 * to (part, head, i).
 */
export function rowOrder(layout: RowLayout, rows: number, { heads, kvHeads }: Heads): Uint32Array | null {
  switch (layout) {
    case 'plain':
      return null;
    case 'queries':
      return halves(rows / heads);
    case 'keys':
      return halves(rows / kvHeads);
    case 'fused heads': {
      const width = rows / heads / 3;
      return Uint32Array.from({ length: rows }, (_, row) => {
        const head = Math.floor(row / (3 * width));
        const part = Math.floor(row / width) % 3;
        return part * heads * width + head * width + (row % width);
      });
    }
  }
}

function halves(width: number): Uint32Array {
  return Uint32Array.from({ length: width }, (_, row) => (row < width / 2 ? 2 * row : 2 * row - width + 1));
}

/** Puts rows [from, to) into their order; `bytes` are the file's rows of all groups that they belong to. */
export function orderRows(bytes: Uint8Array, order: Uint32Array, from: number, to: number): ArrayBuffer {
  const group = order.length;
  const first = Math.floor(from / group) * group;
  const size = bytes.length / (Math.ceil(to / group) * group - first);
  const out = new Uint8Array((to - from) * size);
  for (let row = from; row < to; row++) {
    const base = Math.floor((row - first) / group) * group;
    const source = base + order[(row - first) % group]!;
    out.set(bytes.subarray(source * size, (source + 1) * size), (row - from) * size);
  }
  return out.buffer;
}
