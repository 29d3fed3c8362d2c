/** Fewer points than a long run has, that draw the same picture. */
import { type Plot, placeOf } from './series';

/** The steps that are shown: all of them, or a part that was zoomed into. */
export type Range = readonly [from: number, to: number];

/**
 * The plot within the range, and one step further on each side so that lines reach the edge. If there are more steps than
 * `columns`, a column of several keeps its first and last step and the smallest and largest value of each line, which is
 * all that a column of pixels can show. Dots are kept, as they are few.
 */
export function thin({ x, series }: Plot, range: Range | null, columns: number): Pick<Plot, 'x' | 'series'> {
  const start = range ? Math.max(0, placeOf(x, range[0]) - 1) : 0;
  const end = range ? Math.min(x.length, placeOf(x, range[1]) + 2) : x.length;
  const count = end - start;
  if (count <= 4 * columns) {
    if (count === x.length) return { x, series };
    return {
      x: x.slice(start, end),
      series: series.map((one) => ({ ...one, values: one.values.slice(start, end) })),
    };
  }
  const kept = new Uint8Array(count);
  for (let column = 0; column < columns; column++) {
    const from = start + Math.floor((column * count) / columns);
    const to = start + Math.floor(((column + 1) * count) / columns);
    kept[from - start] = 1;
    kept[to - 1 - start] = 1;
    for (const { values, points } of series) if (!points) keepExtremes(values, from, to, start, kept);
  }
  for (const { values, points } of series) {
    if (points) for (let i = start; i < end; i++) if (values[i] != null) kept[i - start] = 1;
  }
  const places: number[] = [];
  for (let i = 0; i < count; i++) if (kept[i]) places.push(start + i);
  return {
    x: places.map((place) => x[place]!),
    series: series.map((one) => ({ ...one, values: places.map((place) => one.values[place] ?? null) })),
  };
}

function keepExtremes(values: (number | null)[], from: number, to: number, start: number, kept: Uint8Array): void {
  let least = -1;
  let most = -1;
  for (let i = from; i < to; i++) {
    const value = values[i];
    if (value == null) continue;
    if (least < 0 || value < values[least]!) least = i;
    if (most < 0 || value > values[most]!) most = i;
  }
  if (least >= 0) kept[least - start] = 1;
  if (most >= 0) kept[most - start] = 1;
}

/** The least that can be zoomed into, in steps. */
const NARROWEST = 4;

/** Zooms by a factor around a step, within the whole; null is the whole. */
export function zoomed(shown: Range, whole: Range, around: number, factor: number): Range | null {
  const length = Math.max(NARROWEST, (shown[1] - shown[0]) * factor);
  if (length >= whole[1] - whole[0]) return null;
  const share = shown[1] > shown[0] ? (around - shown[0]) / (shown[1] - shown[0]) : 0.5;
  const from = Math.min(Math.max(around - share * length, whole[0]), whole[1] - length);
  return [from, from + length];
}

/** Moves the range so that the step is within it. */
export function including(range: Range, step: number): Range {
  const [from, to] = range;
  if (step >= from && step <= to) return range;
  const by = step < from ? step - from : step - to;
  return [from + by, to + by];
}
