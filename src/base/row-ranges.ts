/** Rows of a file as a recipe lists them: `3,7-9,120`. */

export const ROW_RANGES = /^\d{1,9}(-\d{1,9})?(,\d{1,9}(-\d{1,9})?)*$/;

export function rangesOf(rows: Iterable<number>): string {
  const sorted = [...new Set(rows)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length; ) {
    let end = i;
    while (sorted[end + 1] === sorted[end]! + 1) end++;
    parts.push(end === i ? `${sorted[i]}` : `${sorted[i]}-${sorted[end]}`);
    i = end + 1;
  }
  return parts.join(',');
}

/** Whether a row is listed. What is no list lists nothing. */
export function inRanges(text: string): (row: number) => boolean {
  if (!ROW_RANGES.test(text)) return () => false;
  const ranges = text
    .split(',')
    .map((part) => part.split('-').map(Number))
    .map(([from, to]) => [from!, to ?? from!] as const)
    .sort(([a], [b]) => a - b);
  // The furthest end so far, since ranges may lie in each other.
  let furthest = 0;
  const ends = ranges.map(([, to]) => {
    furthest = Math.max(furthest, to);
    return furthest;
  });
  return (row) => {
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ranges[middle]![0] <= row) low = middle + 1;
      else high = middle;
    }
    return low > 0 && row <= ends[low - 1]!;
  };
}

/** The same rows under their new numbers, once `gone` have been taken out of the file; null if none is left. */
export function renumbered(text: string, gone: readonly number[]): string | null {
  if (!ROW_RANGES.test(text)) return text;
  const sorted = [...new Set(gone)].sort((a, b) => a - b);
  const goneUpTo = (row: number) => {
    const next = sorted.findIndex((removed) => removed > row);
    return next === -1 ? sorted.length : next;
  };
  const parts = text.split(',').flatMap((part) => {
    const [first, last] = part.split('-').map(Number) as [number, number | undefined];
    const from = first - goneUpTo(first - 1);
    const to = (last ?? first) - goneUpTo(last ?? first);
    return to < from ? [] : [to === from ? `${from}` : `${from}-${to}`];
  });
  return parts.length === 0 ? null : parts.join(',');
}
