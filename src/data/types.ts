/** What flows through `data/`: file -> rows -> examples -> tokens -> batches. */
import type { EncodingName, Mend } from '../base/encodings';
import type { Choice } from '../base/errors';
import type { TaskData } from '../base/task';
import type { DatasetFormat } from '../recipe/sections';
import type { PartName } from './parts';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
  /** What an assistant thinks before it answers (`reasoning_content`, `thinking`). */
  thoughts?: string;
  /** False: an assistant message that the model reads but is not trained on (OpenAI's `weight: 0`, TRL's prompts). */
  train?: false;
}

/** One training example in canonical form. `row` is 1-based: the line of a JSONL file, the data row of a CSV, the element of an array. */
export type Example = OfRow & ExampleContent;

interface OfRow {
  row: number;
  /** The side that the file puts it on; left out if it may be on either. */
  split?: 'train' | 'validation';
  /** Which dataset of a mix it is from, as an index into ParsedDataset.sources; left out for a single one. */
  from?: number;
}

type ExampleContent =
  | { kind: 'messages'; messages: ChatMessage[] }
  | { kind: 'prompt_completion'; prompt: string; completion: string }
  | { kind: 'text'; text: string }
  /**
   * A class, several (a list), or a number to predict (fractions). `written` is the file's spelling if `labels` has another:
   * "0.50" for 0.5. The model learns to write it with the sft objective.
   */
  | { kind: 'labelled'; text: string; labels: string[] | number; written?: string }
  /** As many tags as words. */
  | { kind: 'tagged'; tokens: string[]; tags: string[] }
  /** Two answers to a prompt, of which one is better; by `margin`, if the data say so. */
  | { kind: 'pair'; prompt: Turns; chosen: Turns; rejected: Turns; margin?: number }
  /** An answer that is good or bad. */
  | { kind: 'judged'; prompt: Turns; completion: Turns; good: boolean }
  /** A prompt that the model answers itself, and what rewards may look at: an expected answer, say. */
  | { kind: 'prompt'; prompt: Turns; columns: Record<string, unknown> };

/** A prompt or an answer: plain text, or messages for the model's chat template. All parts of an example are of the same form. */
export type Turns = string | ChatMessage[];

/** Something that a person should know about the data. */
export interface DataProblem {
  severity: 'error' | 'warning';
  code: string;
  /** 1-based, as in Example.row; left out if it concerns the whole file. */
  row?: number;
  message: string;
  /** What was done about it, or what to do. */
  action: string;
  /** The row was left out because of it. */
  dropped: boolean;
  /** How many rows it is about, if not one or the whole file. */
  rows?: number;
  /** It stands for `rows` further problems of its kind. */
  more?: true;
  /** The rows that it stands for, as far as they are known. */
  further?: number[];
  /** What a person can do about it with one press: recipe path -> value. */
  choices?: Choice[];
}

/** What became of a column. */
export interface ColumnUse {
  /** A name, or a path such as `input.messages`. */
  column: string;
  /** The part of an example that it holds; null if it is not used. */
  part: PartName | null;
  /** Rows that have something in it. */
  filled: number;
  /** What it is used as, or why it is not used, in a few words. */
  note?: string;
}

export interface ParsedDataset {
  name: string;
  /** The file kind it was read as. */
  fileType: 'jsonl' | 'json' | 'csv' | 'tsv' | 'text' | 'xlsx' | 'parquet';
  /** The detected format. */
  format: Exclude<DatasetFormat, 'auto'>;
  /** One sentence for the screen: what was detected, and from which columns. */
  detected: string;
  /** Column names in the file, to be mapped by hand. */
  columns: string[];
  /** Part of an example -> column, e.g. {prompt: 'question', completion: 'answer'}. */
  mapping: Record<string, string>;
  /** Every column of the file, in its order, and what became of it. */
  uses: ColumnUse[];
  examples: Example[];
  problems: DataProblem[];
  /** Rows in the file, dropped ones included. */
  totalRows: number;
  /** Rows of the file from which nothing is learned. */
  leftOut: number;
  /** How the text was decoded, with some words to judge it by; left out if the file is not text. */
  encoding?: { name: EncodingName | Mend; sample: string };
  /** The datasets of a mix, in order; rows of each begin at `firstRow`. Left out for a single one. */
  sources?: { source: string; name: string; examples: number; firstRow: number }[];
  /** The file cannot be written back as it was read, so its rows cannot be edited here. */
  readOnly?: boolean;
}

/** A sequence of tokens: an example, several packed into one, or a piece of a long text. */
export interface TokenSequence {
  /** Of the first example in it. */
  row: number;
  ids: Int32Array;
  /** Tokens truncated at max_length; 0 if all of them fit. */
  truncatedBy: number;
}

/** Each token is predicted from the ones before it. */
export interface NextTokenExample extends TokenSequence {
  kind: 'next_token';
  /** `ids[i]` if trained on, otherwise -100 (Hugging Face's convention, not shifted). */
  labels: Int32Array;
  /** Packed texts: for each token the index of its text's first token, whose label is -100. Null for a single text. */
  starts: Int32Array | null;
}

/** Tokens with their own labels. */
export interface TokenLabelsExample extends TokenSequence {
  kind: 'token_labels';
  /** Class indices, on the first token of each word; -100 elsewhere. Not shifted. */
  labels: Int32Array;
}

/** A text with targets as a whole. */
export interface TextTargetsExample extends TokenSequence {
  kind: 'text_targets';
  /** A class index or number to predict [1], or zeros and ones [labels]. */
  targets: Float32Array;
}

/** A text in which some tokens will be masked; which ones is drawn in each pass. */
export interface HiddenTokensExample extends TokenSequence {
  kind: 'hidden_tokens';
  /** 1 for tokens that are never masked ([CLS], [SEP]). */
  special: Uint8Array;
}

/** `ids` are the prompt with the better answer, `rejected` the prompt with the other; both begin with `promptLength` equal tokens. */
export interface PairExample extends TokenSequence {
  kind: 'pair';
  rejected: Int32Array;
  promptLength: number;
  /** Of `rejected`, if its answer begins elsewhere: a token of the prompt may be joined with the answer's first letters. */
  rejectedPromptLength?: number;
  /** By how much the better answer is better; 0 if the data do not say. */
  margin: number;
}

/** `ids` are the prompt, `promptLength` tokens of them, with an answer. A pair makes two of them, with the same `row`. */
export interface JudgedExample extends TokenSequence {
  kind: 'judged';
  promptLength: number;
  good: boolean;
  /** Where sequences are cut off; another prompt with this answer is, too. No limit if left out. */
  limit?: number;
  /** What was cut off of the answer, as far as a shorter prompt leaves room for it. Left out if nothing was. */
  beyond?: Int32Array;
}

/** `ids` are a prompt, with what opens the answer. */
export interface PromptExample extends TokenSequence {
  kind: 'prompt';
  prompt: Turns;
  columns: Record<string, unknown>;
}

/**
 * A model's input and what it learns from it. Kinds are named after what they hold, not after an objective. A new kind adds
 * an interface here, a batch below and its padding in batches.ts.
 */
export type TokenizedExample =
  | NextTokenExample
  | TokenLabelsExample
  | TextTargetsExample
  | HiddenTokensExample
  | PairExample
  | JudgedExample
  | PromptExample;

export type { TaskData } from '../base/task';

export interface TokenizedDataset {
  train: TokenizedExample[];
  validation: TokenizedExample[];
  /** Example.row of the examples on each side, ascending by their place in the file. */
  rows: { train: Int32Array; validation: Int32Array };
  /** The resolved limit. */
  maxLength: number;
  /** The labels of a classification, in the order of their numbers; null for other objectives. */
  task: TaskData | null;
  /** For lists of the examples. */
  byExample: ExampleFacts;
  problems: DataProblem[];
  stats: DatasetStats;
}

/** Of the examples that the model can read, one entry for each. */
export interface ExampleFacts {
  rows: Int32Array;
  /** Before truncation. */
  tokens: Int32Array;
  /** An index into `exampleSides`. */
  sides: Uint8Array;
}

/** Where an example went: nothing is left of it to learn, or it is on one side of the split. */
export const exampleSides = ['left_out', 'train', 'validation'] as const;
export type ExampleSide = (typeof exampleSides)[number];

export interface DatasetStats {
  /** Examples in the file, however they are packed or split. */
  examples: number;
  trainExamples: number;
  validationExamples: number;
  /** Of all examples, before truncation. */
  tokens: number;
  /** Tokens with a loss, or examples if whole texts have one; for masked language modelling, as many as will be masked. */
  targetTokens: number;
  longest: number;
  percentile95: number;
  truncated: number;
  /** Equal-width bins of example lengths, before truncation. */
  histogram: { from: number; to: number; count: number }[];
  duplicates: number;
  /** Of each dataset of a mix: its examples on either side, and how many of them an epoch has. Left out for a single one. */
  sources?: { train: number; validation: number; perEpoch: number }[];
}

/** One token for the screen. `tag`: on the first token of each word that has one. */
export interface ShownToken {
  id: number;
  text: string;
  trained: boolean;
  cut: boolean;
  tag?: string;
}

/** One example for the screen: its text as the model reads it, and its tokens. */
export interface TokenView {
  row: number;
  rendered: string;
  /** The labels of a text as a whole, separated by commas. */
  label?: string;
  tokens: ShownToken[];
  /** Of two answers to a prompt: the prompt with the other one; the above is the better one then. */
  rejected?: { rendered: string; tokens: ShownToken[] };
}

/** Tokens in a row that are all learned, or none of them. */
export interface TextSpan {
  text: string;
  tokens: number;
  trained: boolean;
  cut: boolean;
  tag?: string;
}

/** One example as text. */
export interface SpanView {
  row: number;
  /** As in TokenView. */
  label?: string;
  spans: TextSpan[];
  /** As in TokenView. */
  rejected?: TextSpan[];
}

/** Right-padded rows of tokens, row-major [batchSize, length]. */
export interface PaddedRows {
  batchSize: number;
  /** Padded length, a multiple of the bucket. */
  length: number;
  ids: Int32Array;
  /** Real tokens of each row, [batchSize]. */
  lengths: Int32Array;
}

interface Counted {
  /** How many targets the batch's loss is a mean over; each kind counts its own. */
  targetCount: number;
}

/** Counts the labels with a token before them: nothing predicts the one at position 0. */
export interface NextTokenBatch extends PaddedRows, Counted {
  kind: 'next_token';
  /** [batchSize · length]; -100 on padding. */
  labels: Int32Array;
  /** [batchSize · length], within the row; each padding token is a text by itself. Null if no row is packed. */
  starts: Int32Array | null;
}

/** Counts the labels. */
export interface TokenLabelsBatch extends PaddedRows, Counted {
  kind: 'token_labels';
  /** [batchSize · length]; -100 on padding. */
  labels: Int32Array;
}

/** Counts the rows. */
export interface TextTargetsBatch extends PaddedRows, Counted {
  kind: 'text_targets';
  /** [batchSize · width], as in TextTargetsExample. */
  targets: Float32Array;
  width: number;
}

/** Counts the tokens that may be masked; how many are, the objective knows once it has drawn them. */
export interface HiddenTokensBatch extends PaddedRows, Counted {
  kind: 'hidden_tokens';
  /** [batchSize · length]; 1 on padding too. */
  special: Uint8Array;
}

/** Rows [0, pairs) are the better answers with their prompts, rows [pairs, 2 · pairs) the others. Counts the pairs. */
export interface PairBatch extends PaddedRows, Counted {
  kind: 'pair';
  pairs: number;
  /** [batchSize · length]; -100 on prompts and padding. Not shifted. */
  labels: Int32Array;
  /** [pairs] */
  margins: Float32Array;
  /** TokenSequence.row of each pair, by which what was computed ahead for it is found. */
  rows: Int32Array;
}

/**
 * Rows [0, answers) are the answers with their prompts; rows [answers, 2 · answers) the same prompts with the answer of the row
 * before (the first with the last one's), which KTO estimates the divergence from the reference with. Counts the answers.
 */
export interface JudgedBatch extends PaddedRows, Counted {
  kind: 'judged';
  answers: number;
  /** [batchSize · length]; -100 on prompts and padding. Not shifted. */
  labels: Int32Array;
  /** [answers]; 1 for a good one. */
  good: Uint8Array;
  /** As in PairBatch. */
  rows: Int32Array;
}

/** Prompts that the model is to answer. Counts them. */
export interface PromptBatch extends PaddedRows, Counted {
  kind: 'prompt';
  prompts: readonly PromptExample[];
}

/**
 * Answers of the model itself, behind their prompts, with what an objective needs to know about each. Made by objectives, never by
 * the data layer. Counts the answers' tokens.
 */
export interface RolloutBatch extends PaddedRows, Counted {
  kind: 'rollout';
  /** [batchSize · length]; -100 on prompts and padding. Not shifted. */
  labels: Int32Array;
  /** Numbers by name, [batchSize · length] at the places of `labels` or [batchSize]: advantages, log-probabilities, returns. */
  figures: Readonly<Record<string, Float32Array>>;
}

/** A padded micro-batch. */
export type Batch =
  | NextTokenBatch
  | TokenLabelsBatch
  | TextTargetsBatch
  | HiddenTokensBatch
  | PairBatch
  | JudgedBatch
  | PromptBatch
  | RolloutBatch;
export type BatchKind = Batch['kind'];
export type BatchOf<K extends BatchKind> = Extract<Batch, { kind: K }>;

/** Batches as a pure function of the step: a resumed run sees the same data. */
export interface BatchSource {
  /** Optimiser steps in one epoch. */
  stepsPerEpoch: number;
  /** The micro-batches (gradient_accumulation_steps of them, fewer at an epoch's end) of optimiser step `step`, 0-based. */
  microBatches(step: number): Batch[];
  /** The validation set in order, unshuffled. */
  evaluation(): Batch[];
}
