/** Dataset statistics: lengths before truncation, duplicates and label balance. */
import type { DatasetStats, Example } from './types';

const HISTOGRAM_BINS = 24;

/**
 * The smallest length that at least `share` of the lengths do not exceed (nearest-rank percentile); 0 if there are
 * none.
 */
export function percentile(lengths: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(lengths).sort();
  if (sorted.length === 0) return 0;
  const rank = Math.min(sorted.length, Math.max(1, Math.ceil(share * sorted.length)));
  return sorted[rank - 1]!;
}

/** Equal-width bins from 0 to the longest; bins include `from` and exclude `to`. */
export function histogram(lengths: ArrayLike<number>, bins = HISTOGRAM_BINS): DatasetStats['histogram'] {
  let longest = 0;
  for (let i = 0; i < lengths.length; i++) longest = Math.max(longest, lengths[i]!);
  if (lengths.length === 0) return [];
  // Bins span whole numbers of tokens: a bin of 2.5 tokens would sometimes contain two lengths and sometimes three.
  const width = Math.max(1, Math.ceil((longest + 1) / bins));
  const count = Math.max(1, Math.ceil((longest + 1) / width));
  const out = Array.from({ length: count }, (_, i) => ({ from: i * width, to: (i + 1) * width, count: 0 }));
  for (let i = 0; i < lengths.length; i++) out[Math.floor(lengths[i]! / width)]!.count++;
  return out;
}

export interface LabelShare {
  label: string;
  count: number;
  /** Share of the examples, 0..1. */
  share: number;
  /** The row where it first occurs. */
  row: number;
}

/** Labels of labelled rows, or answers used as labels, most frequent first. */
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

/** Tags of tagged rows, with their share of the words. */
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
