/** Padded batches of answers to compare: two sequences for each example. */
import { IGNORE_INDEX } from '../base/ignore-index';
import type { JudgedBatch, JudgedExample, PairBatch, PairExample, TokenizedExample } from './types';

/** Tokens of an example's longest sequence. */
export const tokensOf = (example: TokenizedExample): number =>
  example.kind === 'pair' ? Math.max(example.ids.length, example.rejected.length) : example.ids.length;

/** What memory depends on in an example. */
export interface ExampleSize {
  /** Of its longest sequence. */
  tokens: number;
  /** Tokens that have a target, or 1 for a text as a whole. */
  targets: number;
  /** How many sequences an example is in a batch; 1 if left out. */
  sequences?: number;
  /** Of an answer that also stands behind another prompt: both without truncation, and where sequences are cut off. */
  apart?: { prompt: number; answer: number; limit: number };
}

/** Sizes of what is compared: both answers, or an answer that is also read behind another prompt. */
export function comparedSize(example: PairExample | JudgedExample): ExampleSize {
  const { promptLength } = example;
  if (example.kind === 'pair') {
    const { ids, rejected, rejectedPromptLength = promptLength } = example;
    const targets = ids.length - promptLength + rejected.length - rejectedPromptLength;
    return { tokens: tokensOf(example), targets, sequences: 2 };
  }
  const { ids, beyond, limit = Number.POSITIVE_INFINITY } = example;
  const answer = ids.length - promptLength;
  const apart = { prompt: promptLength, answer: answer + (beyond?.length ?? 0), limit };
  return { tokens: ids.length, targets: 2 * answer, sequences: 2, apart };
}

/** Tokens of a batch's longest sequence: of examples, or of one's prompt with the answer of the one before it. */
export function longestSequence(sizes: readonly ExampleSize[]): number {
  return sizes.reduce((longest, { tokens, apart }, i) => {
    const before = sizes[(i + sizes.length - 1) % sizes.length]!.apart;
    const mismatched = apart && before ? Math.min(apart.limit, apart.prompt + before.answer) : 0;
    return Math.max(longest, tokens, mismatched);
  }, 0);
}

interface Sequence {
  ids: Int32Array;
  promptLength: number;
}

/** Right-padded sequences, and the labels of what follows their prompts. */
function padSequences(sequences: readonly Sequence[], padTokenId: number, bucket: number) {
  const lengths = Int32Array.from(sequences, ({ ids }) => ids.length);
  const length = Math.max(bucket, Math.ceil(Math.max(...lengths) / bucket) * bucket);
  const ids = new Int32Array(sequences.length * length).fill(padTokenId);
  const labels = new Int32Array(sequences.length * length).fill(IGNORE_INDEX);
  sequences.forEach((sequence, r) => {
    ids.set(sequence.ids, r * length);
    labels.set(sequence.ids.subarray(sequence.promptLength), r * length + sequence.promptLength);
  });
  return { batchSize: sequences.length, length, ids, lengths, labels };
}

export function pairBatch(examples: readonly PairExample[], padTokenId: number, bucket: number): PairBatch {
  const chosen = examples.map(({ ids, promptLength }) => ({ ids, promptLength }));
  const rejected = examples.map((example) => ({
    ids: example.rejected,
    promptLength: example.rejectedPromptLength ?? example.promptLength,
  }));
  return {
    kind: 'pair',
    ...padSequences([...chosen, ...rejected], padTokenId, bucket),
    pairs: examples.length,
    margins: Float32Array.from(examples, ({ margin }) => margin),
    rows: Int32Array.from(examples, ({ row }) => row),
    targetCount: examples.length,
  };
}

export function judgedBatch(examples: readonly JudgedExample[], padTokenId: number, bucket: number): JudgedBatch {
  const before = (i: number) => examples[(i + examples.length - 1) % examples.length]!;
  const mismatched = examples.map(({ ids, promptLength, limit }, i) => {
    const { ids: theirs, promptLength: from, beyond = [] } = before(i);
    const whole = [...ids.subarray(0, promptLength), ...theirs.subarray(from), ...beyond];
    return { ids: Int32Array.from(whole.slice(0, limit)), promptLength };
  });
  return {
    kind: 'judged',
    ...padSequences([...examples, ...mismatched], padTokenId, bucket),
    answers: examples.length,
    good: Uint8Array.from(examples, ({ good }) => (good ? 1 : 0)),
    rows: Int32Array.from(examples, ({ row }) => row),
    targetCount: examples.length,
  };
}
