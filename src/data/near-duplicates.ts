/** Examples whose texts are nearly equal: in groups to look at, and as links that a split must not cut. */
import { exampleKey, writtenLabel } from './example-kinds';
import { NearIndex } from './near-index';
import { askedText, beside, comparedText, sharedShingles, shinglesOf } from './shingles';
import type { Example } from './types';

/** Work in steps: each yields how many examples are done, so that its caller can show it, and stop. */
export type Steps<T> = Generator<number, T>;

export interface NearGroup {
  /** Example.row of the one that stands for the others: the first in the file. */
  kept: number;
  /** Each is near to the kept one itself, not only to another of the group. */
  others: { row: number; similarity: number; otherLabel?: true }[];
}

/** Texts that are looked at to learn what a template writes into all of them; with fewer, nothing is said to be shared. */
const SAMPLE = 1000;
const FEWEST = 20;

/** What is compared of each of these examples. */
function comparing(examples: readonly Example[]): (example: Example) => Uint32Array {
  const step = Math.max(1, Math.ceil(examples.length / SAMPLE));
  const texts = new Set(examples.filter((_, i) => i % step === 0).map(comparedText));
  const shared = texts.size < FEWEST ? new Set<number>() : sharedShingles([...texts]);
  return (example) => beside(shinglesOf(comparedText(example)), shared);
}

/** What is said of a text, which may differ where texts are alike. */
function labelOf(example: Example): string {
  if (example.kind === 'labelled') return writtenLabel(example);
  return example.kind === 'judged' ? String(example.good) : '';
}

/** Groups of nearly equal examples, in the order of the file. Exact copies of a kept one are not counted: they have a finding of their own. */
export function* nearDuplicates(examples: readonly Example[]): Steps<NearGroup[]> {
  const index = new NearIndex(examples.length);
  const setOf = comparing(examples);
  const keys = new Map<string, number>();
  const groups = new Map<number, NearGroup>();
  for (const [i, example] of examples.entries()) {
    yield i;
    const key = exampleKey(example);
    if (keys.has(key)) continue;
    const set = setOf(example);
    let best = -1;
    let similarity = 0;
    index.near(set, (id, value) => {
      if (value > similarity || (value === similarity && id < best)) [best, similarity] = [id, value];
      return true;
    });
    if (best === -1) {
      index.add(i, set);
      keys.set(key, i);
      continue;
    }
    const first = examples[best]!;
    const group = groups.get(best) ?? { kept: first.row, others: [] };
    groups.set(best, group);
    const otherLabel = labelOf(first) !== labelOf(example);
    group.others.push({ row: example.row, similarity, ...(otherLabel && { otherLabel }) });
  }
  return [...groups.entries()].sort(([a], [b]) => a - b).map(([, group]) => group);
}

/** How a validation example stands among those that are trained on, the worst first. */
export type LeakKind = 'exact' | 'near' | 'prompt';

export interface Leak {
  /** Example.row, on the validation side. */
  row: number;
  /** Example.row of the first that is trained on and says the same. */
  of: number;
  how: LeakKind;
  /** For near ones. */
  similarity?: number;
}

const normal = (text: string) => text.toLowerCase().replace(/\s+/gu, ' ').trim();

/** What two examples share if they ask the same; null if nothing is asked. */
function askedKey(example: Example): string | null {
  const asked = askedText(example);
  return asked === null || asked.trim() === '' ? null : normal(asked);
}

/** Validation examples whose text, or whose prompt, is trained on. */
export function* findLeaks(train: readonly Example[], validation: readonly Example[]): Steps<Leak[]> {
  const index = new NearIndex(train.length);
  const setOf = comparing(train);
  const keys = new Map<string, number>();
  const asked = new Map<string, number>();
  const first = (map: Map<string, number>, key: string | null, i: number) => {
    if (key !== null && !map.has(key)) map.set(key, i);
  };
  for (const [i, example] of train.entries()) {
    yield i;
    first(keys, exampleKey(example), i);
    first(asked, askedKey(example), i);
    index.add(i, setOf(example));
  }
  const leaks: Leak[] = [];
  for (const [i, example] of validation.entries()) {
    yield train.length + i;
    const { row } = example;
    const copy = keys.get(exampleKey(example));
    if (copy !== undefined) {
      leaks.push({ row, of: train[copy]!.row, how: 'exact' });
      continue;
    }
    let best = -1;
    let similarity = 0;
    index.near(setOf(example), (id, value) => {
      if (value > similarity || (value === similarity && id < best)) [best, similarity] = [id, value];
      return true;
    });
    if (best !== -1) {
      leaks.push({ row, of: train[best]!.row, how: 'near', similarity });
      continue;
    }
    const question = asked.get(askedKey(example) ?? '');
    if (question !== undefined) leaks.push({ row, of: train[question]!.row, how: 'prompt' });
  }
  return leaks;
}

/**
 * For each example a key that those share which must stand on one side of a split: equal or nearly equal texts, equal
 * prompts, and whatever `keys` (one for each example) holds together, also by way of others.
 */
export function* togetherKeys(examples: readonly Example[], keys: readonly string[]): Steps<string[]> {
  const parent = Int32Array.from(examples, (_, i) => i);
  const find = (i: number) => {
    let root = i;
    while (parent[root] !== root) root = parent[root]!;
    for (let at = i; at !== root; ) [at, parent[at]] = [parent[at]!, root];
    return root;
  };
  const join = (a: number, b: number) => {
    const [x, y] = [find(a), find(b)];
    // The first in the file stands for all, whatever the order in which they are met.
    parent[Math.max(x, y)] = Math.min(x, y);
  };
  const index = new NearIndex(examples.length);
  const setOf = comparing(examples);
  const seen = new Map<string, number>();
  for (const [i, example] of examples.entries()) {
    yield i;
    const asked = askedKey(example);
    for (const key of [`k${keys[i]}`, ...(asked === null ? [] : [`p${asked}`])]) {
      const before = seen.get(key);
      if (before === undefined) seen.set(key, i);
      else join(before, i);
    }
    const set = setOf(example);
    index.near(set, (id) => {
      join(id, i);
      return true;
    });
    index.add(i, set);
  }
  return Array.from(examples, (_, i) => String(find(i)));
}

export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
