/** Which training examples of a mix an epoch has: each dataset's, as often as its weight says. */
import { permutation, Stream } from '../base/random';

/**
 * round(weight × n) of the n examples of each dataset: all of them ⌊weight⌋ times, and a sample of them, drawn by the seed, once
 * more. The result is in the order of `indices`, copies beside each other. `from` says which dataset an index is of.
 */
export function weighted(
  indices: readonly number[],
  from: (index: number) => number,
  weights: readonly number[],
  seed: number,
): number[] {
  const counts = weights.map(() => 0);
  for (const index of indices) counts[from(index)]!++;
  const times = weights.map((weight, part) => {
    const n = counts[part]!;
    const wanted = Math.round(weight * n);
    const whole = n === 0 ? 0 : Math.floor(wanted / n);
    const more = new Uint8Array(n);
    const order = permutation(n, seed, Stream.mix, part);
    for (let i = 0; i < wanted - whole * n; i++) more[order[i]!] = 1;
    return { whole, more };
  });
  const met = weights.map(() => 0);
  return indices.flatMap((index) => {
    const part = from(index);
    const { whole, more } = times[part]!;
    return new Array<number>(whole + more[met[part]!++]!).fill(index);
  });
}
