/** Figures about a dataset: lengths before cutting, duplicates, how evenly labels are spread. */
import type { DatasetStats, Example } from './types';

const HISTOGRAM_BINS = 24;

/**
 * The smallest length that at least `share` of the lengths do not exceed (nearest-rank percentile); 0 for none.
 */
export function percentile(lengths: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(lengths).sort();
  if (sorted.length === 0) return 0;
  const rank = Math.min(sorted.length, Math.max(1, Math.ceil(share * sorted.length)));
  return sorted[rank - 1]!;
}

/** Equal-width bins from 0 to the longest; `from` is inside a bin, `to` belongs to the next, but for the last. */
export function histogram(lengths: ArrayLike<number>, bins = HISTOGRAM_BINS): DatasetStats['histogram'] {
  let longest = 0;
  for (let i = 0; i < lengths.length; i++) longest = Math.max(longest, lengths[i]!);
  if (lengths.length === 0) return [];
  // Whole numbers of tokens: a bin of 2.5 tokens would hold two lengths here and three there.
  const width = Math.max(1, Math.ceil((longest + 1) / bins));
  const count = Math.max(1, Math.ceil((longest + 1) / width));
  const out = Array.from({ length: count }, (_, i) => ({ from: i * width, to: (i + 1) * width, count: 0 }));
  for (let i = 0; i < lengths.length; i++) out[Math.floor(lengths[i]! / width)]!.count++;
  return out;
}

export interface LabelShare {
  label: string;
  count: number;
  /** Of the examples, 0..1. */
  share: number;
  /** Where it occurs first. */
  row: number;
}

/** Labels of labelled rows, and answers where they stand for labels, the most frequent first. */
export function labelBalance(examples: readonly Example[]): LabelShare[] {
  const counts = new Map<string, { count: number; row: number }>();
  let total = 0;
  for (const example of examples) {
    const labels =
      example.kind === 'prompt_completion'
        ? [example.completion]
        : example.kind === 'labelled'
          ? [example.labels].flat().map(String)
          : null;
    if (!labels) continue;
    total++;
    for (const label of labels) countLabel(counts, label, example.row);
  }
  return sharesOf(counts, total);
}

/** Tags of tagged rows, as shares of their words. */
export function tagBalance(examples: readonly Example[]): LabelShare[] {
  const counts = new Map<string, { count: number; row: number }>();
  let total = 0;
  for (const example of examples) {
    if (example.kind !== 'tagged') continue;
    total += example.tags.length;
    for (const tag of example.tags) countLabel(counts, tag, example.row);
  }
  return sharesOf(counts, total);
}

function countLabel(counts: Map<string, { count: number; row: number }>, label: string, row: number): void {
  const found = counts.get(label);
  if (found) found.count++;
  else counts.set(label, { count: 1, row });
}

function sharesOf(counts: ReadonlyMap<string, { count: number; row: number }>, total: number): LabelShare[] {
  return [...counts]
    .map(([label, { count, row }]) => ({ label, count, share: count / total, row }))
    .sort((a, b) => b.count - a.count || (a.label < b.label ? -1 : 1));
}

/** How many examples repeat an earlier one. */
export function countDuplicates(keys: readonly string[]): number {
  return keys.length - new Set(keys).size;
}
