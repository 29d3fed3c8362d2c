/** Train and validation, without the same text on both sides. */
import { permutation, Stream } from '../base/random';

export interface Split {
  /** Indices into the examples, ascending. */
  train: number[];
  validation: number[];
}

/**
 * Holds out round(n × share) examples, at least one where share > 0 and there are two or more. `keys[i]` stands for
 * the content of example i: those with equal keys stay together, so that the share can be met only as nearly as they
 * allow. With `shuffle` off the last ones are held out, as train_test_split(shuffle=False) does.
 */
export function splitExamples(keys: readonly string[], share: number, seed: number, shuffle: boolean): Split {
  const n = keys.length;
  const wanted = share > 0 && n >= 2 ? Math.min(n - 1, Math.max(1, Math.round(n * share))) : 0;
  const groups = new Map<string, number[]>();
  keys.forEach((key, i) => {
    const group = groups.get(key);
    if (group) group.push(i);
    else groups.set(key, [i]);
  });
  const list = [...groups.values()];
  const order = shuffle
    ? permutation(list.length, seed, Stream.split)
    : Uint32Array.from({ length: list.length }, (_, i) => list.length - 1 - i);
  const held = new Set<number>();
  for (const g of order) {
    const group = list[g]!;
    // A group that does not fit any more is passed over for smaller ones behind it.
    if (held.size + group.length > wanted) continue;
    for (const i of group) held.add(i);
    if (held.size === wanted) break;
  }
  const train: number[] = [];
  const validation: number[] = [];
  for (let i = 0; i < n; i++) (held.has(i) ? validation : train).push(i);
  return { train, validation };
}
