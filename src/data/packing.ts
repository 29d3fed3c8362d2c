/**
 * Several texts in a row, so that little of it is padding. Each token knows where its text starts (`starts`): attention
 * does not cross that boundary, positions restart there, and the first token is not a target.
 */
import { IGNORE_INDEX } from '../base/ignore-index';
import type { NextTokenExample } from './types';

/**
 * Which examples share a row of at most `maxLength` tokens: best fit decreasing, as TRL's `bfd` packing (Ding et al.,
 * "Fewer Truncations Improve Language Modeling", 2024). The longest come first, each into the row that it fills most;
 * among rows with the same space, into the one that has had it longest. No length may exceed the limit.
 */
export function bestFit(lengths: ArrayLike<number>, maxLength: number): number[][] {
  const order = Array.from(lengths, (_, i) => i)
    .filter((i) => lengths[i]! > 0)
    .sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const rows: number[][] = [];
  // Rows by the space left in them, oldest first; an unused row has all of it.
  const bySpace: { rows: number[]; first: number }[] = Array.from({ length: maxLength + 1 }, () => ({
    rows: [],
    first: 0,
  }));
  const spaces = new SpaceTree(maxLength);
  for (const i of order) {
    const length = lengths[i]!;
    const space = spaces.atLeast(length);
    let row: number;
    if (space === null) {
      row = rows.push([]) - 1;
    } else {
      const queue = bySpace[space]!;
      row = queue.rows[queue.first++]!;
      if (queue.first === queue.rows.length) {
        spaces.set(space, false);
        bySpace[space] = { rows: [], first: 0 };
      }
    }
    rows[row]!.push(i);
    const left = (space ?? maxLength) - length;
    if (left > 0) {
      bySpace[left]!.rows.push(row);
      spaces.set(left, true);
    }
  }
  return rows;
}

/** The spaces that some row has; finds the smallest of at least a length in logarithmic time. */
class SpaceTree {
  private readonly size: number;
  private readonly any: Uint8Array;

  constructor(largest: number) {
    this.size = 2 ** Math.ceil(Math.log2(largest + 1));
    this.any = new Uint8Array(2 * this.size);
  }

  set(space: number, present: boolean): void {
    let node = space + this.size;
    this.any[node] = present ? 1 : 0;
    for (node >>= 1; node > 0; node >>= 1) this.any[node] = this.any[2 * node]! | this.any[2 * node + 1]!;
  }

  atLeast(space: number): number | null {
    let node = space + this.size;
    // Up until the right sibling has something, then down along the left.
    if (!this.any[node]) {
      while (node > 1 && !(node % 2 === 0 && this.any[node + 1])) node >>= 1;
      if (node <= 1) return null;
      node++;
    }
    while (node < this.size) node = this.any[2 * node] ? 2 * node : 2 * node + 1;
    return node - this.size;
  }
}

/** Examples that each fit a row, several per row. */
export function packExamples(examples: readonly NextTokenExample[], maxLength: number): NextTokenExample[] {
  const lengths = Int32Array.from(examples, ({ ids }) => ids.length);
  return bestFit(lengths, maxLength).map((members) => joined(members.map((i) => examples[i]!)));
}

/**
 * Texts end to end, split into rows of `maxLength` (TRL's `wrapped` packing): only the last row may be shorter. The
 * rest of a text in the next row is a separate text there.
 */
export function wrapExamples(examples: readonly NextTokenExample[], maxLength: number): NextTokenExample[] {
  const rows: NextTokenExample[] = [];
  let parts: NextTokenExample[] = [];
  let space = maxLength;
  for (const example of examples) {
    for (let from = 0; from < example.ids.length; ) {
      const to = Math.min(example.ids.length, from + space);
      parts.push(piece(example, from, to));
      space -= to - from;
      from = to;
      if (space > 0) continue;
      rows.push(joined(parts));
      parts = [];
      space = maxLength;
    }
  }
  if (parts.length > 0) rows.push(joined(parts));
  return rows.filter(({ labels }) => labels.some((label) => label !== IGNORE_INDEX));
}

/** A long text as several rows; a row with nothing to predict (a single token at the end) is left out. */
export function piecesOf(example: NextTokenExample, maxLength: number): NextTokenExample[] {
  if (example.ids.length <= maxLength) return [example];
  const pieces: NextTokenExample[] = [];
  for (let from = 0; from < example.ids.length; from += maxLength) {
    pieces.push(piece(example, from, Math.min(example.ids.length, from + maxLength)));
  }
  return pieces.filter(({ labels }) => labels.some((label, i) => i > 0 && label !== IGNORE_INDEX));
}

// slice, not subarray: the arrays are sent to another worker, and a view would take its whole buffer along.
function piece({ row, ids, labels, truncatedBy }: NextTokenExample, from: number, to: number): NextTokenExample {
  return {
    kind: 'next_token',
    row,
    ids: ids.slice(from, to),
    labels: labels.slice(from, to),
    starts: null,
    truncatedBy: from === 0 ? truncatedBy : 0,
  };
}

function joined(parts: readonly NextTokenExample[]): NextTokenExample {
  const length = parts.reduce((sum, { ids }) => sum + ids.length, 0);
  const ids = new Int32Array(length);
  const labels = new Int32Array(length);
  const starts = new Int32Array(length);
  let at = 0;
  for (const part of parts) {
    ids.set(part.ids, at);
    labels.set(part.labels, at);
    labels[at] = IGNORE_INDEX;
    starts.fill(at, at, at + part.ids.length);
    at += part.ids.length;
  }
  const truncatedBy = parts.reduce((sum, part) => sum + part.truncatedBy, 0);
  return { kind: 'next_token', row: parts[0]!.row, ids, labels, starts, truncatedBy };
}
