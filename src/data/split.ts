/** Splits examples into training and validation sets that share no text. */
import { permutation, Stream } from '../base/random';
import type { DatasetSection } from '../recipe/sections';
import type { ProblemList } from './problems';
import type { Example } from './types';

export interface Split {
  /** Indices into the examples, ascending. */
  train: number[];
  validation: number[];
}

/** Examples as they are split: one entry of each list for each. */
export interface Splittable {
  /** The side that the file puts each of them on. */
  sides: readonly Example['split'][];
  /** Equal ones stay on one side of the split. */
  splitKeys: readonly string[];
  strata: readonly string[] | undefined;
}

/** The split that the file has a column for; null if it has none, or nothing on one side. */
export function ownSplit(sides: Splittable['sides']): Split | null {
  const validation = sides.flatMap((side, i) => (side === 'validation' ? [i] : []));
  const train = sides.flatMap((side, i) => (side === 'validation' ? [] : [i]));
  return validation.length === 0 || train.length === 0 ? null : { train, validation };
}

/** The file's own split, or else one by share. What is doubtful about the file's is among `problems`. */
export function splitDataset(
  { sides, splitKeys, strata }: Splittable,
  { validation_split, shuffle }: Pick<DatasetSection, 'validation_split' | 'shuffle'>,
  seed: number,
  problems: ProblemList,
): Split {
  const own = ownSplit(sides);
  if (!own) return splitExamples(splitKeys, validation_split, seed, shuffle, strata);
  const { train, validation } = own;
  const warn = (code: string, message: string, action: string) =>
    problems.add({ severity: 'warning', code, message, action, dropped: false });
  const learned = new Set(train.map((i) => splitKeys[i]));
  const leaked = validation.filter((i) => learned.has(splitKeys[i])).length;
  if (leaked > 0) {
    warn(
      'split_leak',
      `${leaked} of ${validation.length} validation examples are also among those that are trained on.`,
      'The validation loss is too good by as much. Remove the copies from one side.',
    );
  }
  if (validation_split > 0) return own;
  warn(
    'split_unused',
    `The file puts ${validation.length} examples into its validation set, and validation is switched off.`,
    'They are not used. Set validation_split above 0 to evaluate on them.',
  );
  return { train, validation: [] };
}

/**
 * Holds out round(n × share) examples, and at least one if share > 0 and there are two or more. `keys[i]` identifies
 * the content of example i. Examples with equal keys stay together, so the share is met only as closely as they allow.
 * Without `shuffle`, the last examples are held out, as in train_test_split(shuffle=False).
 *
 * `strata[i]` is the class of example i. The same share of each class is held out, as closely as whole examples allow,
 * and every class is on both sides if enough examples are held out.
 */
export function splitExamples(
  keys: readonly string[],
  share: number,
  seed: number,
  shuffle: boolean,
  strata?: readonly string[],
): Split {
  const n = keys.length;
  const wanted = share > 0 && n >= 2 ? Math.min(n - 1, Math.max(1, Math.round(n * share))) : 0;
  const groups = new Map<string, number[]>();
  keys.forEach((key, i) => {
    const group = groups.get(key);
    if (group) group.push(i);
    else groups.set(key, [i]);
  });
  const list = [...groups.values()];
  // Copies with different labels count as the class of the first.
  const stratumOf = (group: readonly number[]) => strata?.[group[0]!] ?? '';
  const left = allotted(
    list.map((group) => ({ stratum: stratumOf(group), size: group.length })),
    wanted,
    share,
  );
  const order = shuffle
    ? permutation(list.length, seed, Stream.split)
    : Uint32Array.from({ length: list.length }, (_, i) => list.length - 1 - i);
  const held = new Set<number>();
  for (const g of order) {
    const group = list[g]!;
    const stratum = stratumOf(group);
    // A group that is now too large is skipped in favour of smaller ones.
    if (group.length > left.get(stratum)!) continue;
    left.set(stratum, left.get(stratum)! - group.length);
    for (const i of group) held.add(i);
    if (held.size === wanted) break;
  }
  const train: number[] = [];
  const validation: number[] = [];
  for (let i = 0; i < n; i++) (held.has(i) ? validation : train).push(i);
  return { train, validation };
}

/** How many examples of each class to hold out: `wanted` in total, allocated by largest remainder. */
function allotted(
  groups: readonly { stratum: string; size: number }[],
  wanted: number,
  share: number,
): Map<string, number> {
  const classes = new Map<string, { examples: number; groups: number; held: number }>();
  for (const { stratum, size } of groups) {
    const found = classes.get(stratum) ?? { examples: 0, groups: 0, held: 0 };
    found.examples += size;
    found.groups++;
    classes.set(stratum, found);
  }
  if (classes.size === 1) return new Map([...classes].map(([stratum]) => [stratum, wanted]));
  const all = [...classes.values()];
  for (const c of all)
    c.held = c.groups < 2 ? 0 : Math.min(c.examples - 1, Math.max(1, Math.floor(c.examples * share)));
  let rest = wanted - all.reduce((sum, c) => sum + c.held, 0);
  // One per class may be too many: take from the largest allocations, and then from the rarest classes.
  for (; rest < 0; rest++) {
    const most = all.reduce((x, y) => (y.held > x.held ? y : x));
    if (most.held > 1) most.held--;
    else all.filter((c) => c.held === 1).reduce((x, y) => (y.examples < x.examples ? y : x)).held = 0;
  }
  const missing = (c: (typeof all)[number]) => c.examples * share - c.held;
  while (rest > 0) {
    const order = all.filter((c) => c.groups >= 2 && c.held < c.examples - 1).sort((a, b) => missing(b) - missing(a));
    if (order.length === 0) break;
    for (const c of order.slice(0, rest)) c.held++;
    rest -= Math.min(rest, order.length);
  }
  return new Map([...classes].map(([stratum, { held }]) => [stratum, held]));
}
