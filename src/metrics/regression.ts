/** How close predicted numbers are to the expected ones. */

/** NaN for no numbers. */
export function meanSquaredError(predicted: ArrayLike<number>, actual: ArrayLike<number>): number {
  return meanOver(actual.length, (i) => (predicted[i]! - actual[i]!) ** 2);
}

/** NaN for no numbers. */
export function meanAbsoluteError(predicted: ArrayLike<number>, actual: ArrayLike<number>): number {
  return meanOver(actual.length, (i) => Math.abs(predicted[i]! - actual[i]!));
}

/** Pearson's correlation coefficient; NaN if either side is constant, as in scipy.stats.pearsonr. */
export function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const n = a.length;
  const meanA = meanOver(n, (i) => a[i]!);
  const meanB = meanOver(n, (i) => b[i]!);
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < n; i++) {
    const x = a[i]! - meanA;
    const y = b[i]! - meanB;
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  const spread = Math.sqrt(aa) * Math.sqrt(bb);
  // Rounding can push a perfect correlation slightly past 1.
  return spread === 0 ? Number.NaN : Math.max(-1, Math.min(1, ab / spread));
}

/** Spearman's rank correlation: Pearson's of the ranks, where ties share their mean rank (scipy.stats.spearmanr). */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return pearson(ranks(a), ranks(b));
}

/** 1-based; ties get the mean of the ranks they span. */
function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from(values, (_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const out = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++;
    for (let k = from; k < to; k++) out[order[k]!] = (from + to + 1) / 2;
    from = to;
  }
  return out;
}

function meanOver(n: number, value: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += value(i);
  return n === 0 ? Number.NaN : sum / n;
}
