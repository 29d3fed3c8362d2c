/** Filters, sorts and samples the examples of a dataset in slices of a few milliseconds, with the page at work in between. */

import { sample } from '../base/random';
import { writtenLabel } from '../data/example-kinds';
import { preferenceParts, preferenceTexts, textsOfTurns } from '../data/preference-parts';
import { type Example, type ExampleFacts, type ExampleSide, exampleSides, type ParsedDataset } from '../data/types';

export interface Query {
  /** Examples with this text anywhere, whatever its case. */
  text: string;
  /** Kind of a finding: only its rows. */
  finding: string | null;
  label: string | null;
  side: ExampleSide | null;
  /** So many, drawn at random with this seed from the whole dataset. */
  sample: { count: number; seed: number } | null;
  sort: 'row' | 'tokens' | 'label';
  /** From the last or largest. */
  down: boolean;
}

/** How often each label is given, most often first, and of how many examples. */
export interface Balance {
  labels: { label: string; count: number }[];
  examples: number;
}

export interface Shown {
  /** Indices of the examples; null is all of them in the order of the file. */
  order: Uint32Array | null;
  /** Null for data without labels or marks. */
  balance: Balance | null;
  /** Rows with a text that begins or ends with spaces. */
  spaced: readonly number[];
  /** Row -> tokens, if the order is by them. */
  tokens: ReadonlyMap<number, number> | null;
}

export interface Facts {
  byExample: ExampleFacts | null;
  findingRows: readonly number[];
}

/** The work was stopped; there is no result. */
export class TableStopped extends Error {}

interface Working {
  onProgress?: (share: number) => void;
  signal?: AbortSignal;
}

const SLICE_MS = 8;
/** The clock is looked at once in so many examples. */
const LOOK_EVERY = 256;

/** Lets the page do something else, without the wait of a timer. */
function breathe(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Calls `each` for 0..n-1 in slices. */
async function inSlices(
  n: number,
  part: [from: number, to: number],
  { onProgress, signal }: Working,
  each: (i: number) => void,
): Promise<void> {
  let start = performance.now();
  for (let i = 0; i < n; i++) {
    each(i);
    if (i % LOOK_EVERY !== LOOK_EVERY - 1 || performance.now() - start < SLICE_MS) continue;
    onProgress?.(part[0] + ((part[1] - part[0]) * i) / n);
    await breathe();
    if (signal?.aborted) throw new TableStopped();
    start = performance.now();
  }
}

/** The labels of an example as they are listed and chosen. */
export function labelsOf(example: Example): readonly string[] {
  if (example.kind === 'judged') return [example.good ? 'good' : 'bad'];
  if (example.kind !== 'labelled') return [];
  return Array.isArray(example.labels) && example.labels.length > 1 ? example.labels : [writtenLabel(example)];
}

const has = (text: string, wanted: string) => text.toLowerCase().includes(wanted);

const padded = (text: string) => /^\s|\s$/.test(text);

function hasSpaces(example: Example): boolean {
  switch (example.kind) {
    case 'messages':
      return example.messages.some(({ content }) => padded(content));
    case 'prompt_completion':
      return padded(example.prompt) || padded(example.completion);
    case 'tagged':
      return false;
    case 'pair':
    case 'judged':
    case 'prompt':
      // A space between a prompt and its answer is written in either.
      return preferenceParts(example).some(({ part, turns }) =>
        typeof turns === 'string'
          ? part === 'prompt'
            ? /^\s/.test(turns)
            : /\s$/.test(turns)
          : textsOfTurns(turns).some(padded),
      );
    default:
      return padded(example.text);
  }
}

/** `wanted` is in lower case. */
function mentions(example: Example, wanted: string): boolean {
  switch (example.kind) {
    case 'messages':
      return example.messages.some(
        ({ content, thoughts }) => has(content, wanted) || (thoughts && has(thoughts, wanted)),
      );
    case 'prompt_completion':
      return has(example.prompt, wanted) || has(example.completion, wanted);
    case 'text':
      return has(example.text, wanted);
    case 'labelled':
      return has(example.text, wanted) || labelsOf(example).some((label) => has(label, wanted));
    case 'tagged':
      return has(example.tokens.join(' '), wanted) || example.tags.some((tag) => has(tag, wanted));
    case 'pair':
    case 'judged':
    case 'prompt':
      return preferenceTexts(example).some((text) => has(text, wanted));
  }
  example satisfies never;
}

/** Throws TableStopped once it is aborted. */
export async function showExamples(
  { examples, format }: Pick<ParsedDataset, 'examples' | 'format'>,
  query: Query,
  { byExample, findingRows }: Facts,
  working: Working = {},
): Promise<Shown> {
  const n = examples.length;
  if (working.signal?.aborted) throw new TableStopped();
  const { sides, tokens } = await indexOf(query, byExample, working);
  const wanted = query.text.trim().toLowerCase();
  const rows = query.finding === null ? null : new Set(findingRows);
  const drawn = query.sample && sample(n, query.sample.count, query.sample.seed);
  const labelled = format === 'labelled' || format === 'unpaired_preference';
  const counts = new Map<string, number>();
  const kept = new Uint32Array(n);
  const spaced: number[] = [];
  let count = 0;
  let next = 0;
  await inSlices(n, [0.1, 0.7], working, (i) => {
    const example = examples[i]!;
    if (hasSpaces(example)) spaced.push(example.row);
    const labels = labelled ? labelsOf(example) : [];
    for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
    // The sample is in the order of the file, like the examples.
    if (drawn) {
      if (drawn[next] !== i) return;
      next++;
    }
    if (rows && !rows.has(example.row)) return;
    if (query.label !== null && !labels.includes(query.label)) return;
    if (sides && (sides.get(example.row) ?? 'left_out') !== query.side) return;
    if (wanted !== '' && !mentions(example, wanted)) return;
    kept[count++] = i;
  });
  const balance = labelled
    ? { labels: [...counts].map(([label, count]) => ({ label, count })).sort(byCount), examples: n }
    : null;
  const plain = count === n && query.sort === 'row' && !query.down;
  if (plain) return { order: null, balance, spaced, tokens };
  const order = kept.slice(0, count);
  if (query.sort !== 'row') {
    const key =
      query.sort === 'tokens'
        ? ({ row }: Example) => tokens?.get(row) ?? -1
        : labelRank(balance?.labels.map(({ label }) => label) ?? []);
    await sortBy(order, (i) => key(examples[i]!), working);
  }
  if (query.down) order.reverse();
  return { order, balance, spaced, tokens };
}

const byCount = (a: { label: string; count: number }, b: { label: string; count: number }) =>
  b.count - a.count || (a.label < b.label ? -1 : 1);

/** Numbers in the order of the names, with numbers among them by their values. */
function labelRank(labels: string[]): (example: Example) => number {
  const compare = new Intl.Collator('en', { numeric: true }).compare;
  const ranks = new Map([...labels].sort(compare).map((label, rank) => [label, rank]));
  return (example) => ranks.get(labelsOf(example)[0] ?? '') ?? -1;
}

/** What the query asks of each row; null for what it does not ask, or what is not known yet. */
async function indexOf({ side, sort }: Query, facts: ExampleFacts | null, working: Working) {
  const sides = facts && side !== null ? new Map<number, ExampleSide>() : null;
  const tokens = facts && sort === 'tokens' ? new Map<number, number>() : null;
  if (!facts || !(sides || tokens)) return { sides, tokens };
  await inSlices(facts.rows.length, [0, 0.1], working, (i) => {
    const row = facts.rows[i]!;
    sides?.set(row, exampleSides[facts.sides[i]!]!);
    tokens?.set(row, facts.tokens[i]!);
  });
  return { sides, tokens };
}

/**
 * Sorts in place by whole numbers of at least -1; equal ones keep their order. By counting, digit by digit, because a comparison
 * sort of 200,000 cannot be interrupted.
 */
async function sortBy(order: Uint32Array, key: (index: number) => number, working: Working): Promise<void> {
  const n = order.length;
  const keys = new Uint32Array(n);
  let largest = 0;
  await inSlices(n, [0.7, 0.85], working, (i) => {
    keys[i] = key(order[i]!) + 1;
    largest = Math.max(largest, keys[i]!);
  });
  const places = Uint32Array.from({ length: n }, (_, i) => i);
  const other = new Uint32Array(n);
  let [from, to] = [places, other];
  for (let shift = 0; largest >>> shift > 0 && shift < 32; shift += 11) {
    const starts = new Uint32Array(2049);
    await inSlices(n, [0.85, 0.9], working, (i) => void starts[((keys[from[i]!]! >>> shift) & 2047) + 1]!++);
    for (let digit = 0; digit < 2048; digit++) starts[digit + 1]! += starts[digit]!;
    await inSlices(n, [0.9, 1], working, (i) => {
      const place = from[i]!;
      to[starts[(keys[place]! >>> shift) & 2047]!++] = place;
    });
    [from, to] = [to, from];
  }
  const before = order.slice();
  await inSlices(n, [0.95, 1], working, (i) => {
    order[i] = before[from[i]!]!;
  });
}
