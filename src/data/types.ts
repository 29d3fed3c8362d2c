/** What flows through `data/`: file -> rows -> examples -> tokens -> batches. Nothing here knows of engine or screen. */
import type { TaskData } from '../base/task';
import type { DatasetFormat } from '../recipe/types';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
  /** False: an assistant's message that is shown to the model but not learned (OpenAI's `weight: 0`, TRL's prompts). */
  train?: false;
}

/** One training example in canonical form. `row` is 1-based: the line of a JSONL file, the data row of a CSV, the element of an array. */
export type Example =
  | { kind: 'messages'; row: number; messages: ChatMessage[] }
  | { kind: 'prompt_completion'; row: number; prompt: string; completion: string }
  | { kind: 'text'; row: number; text: string }
  /**
   * A class, several (a list), or a number to predict (fractions). `written` is the label as the file spells it where
   * `labels` does not: "0.50" for 0.5. It is what the model learns to write with the sft objective.
   */
  | { kind: 'labelled'; row: number; text: string; labels: string[] | number; written?: string }
  /** As many tags as words. */
  | { kind: 'tagged'; row: number; tokens: string[]; tags: string[] };

/** Something about the data a person should know; `dropped` says whether the row was left out because of it. */
export interface DataProblem {
  severity: 'error' | 'warning';
  code: string;
  /** 1-based, as in Example.row; absent when the whole file is meant. */
  row?: number;
  message: string;
  /** What was done about it, or what to do. */
  action: string;
  dropped: boolean;
}

export interface ParsedDataset {
  name: string;
  /** The file kind it was read as. */
  fileType: 'jsonl' | 'json' | 'csv' | 'tsv' | 'text';
  /** What the shape was taken to be; never 'auto'. */
  format: Exclude<DatasetFormat, 'auto'>;
  /** One sentence for the screen: what was detected and from which columns. */
  detected: string;
  /** Column names seen, for mapping by hand. */
  columns: string[];
  /** Which column plays which part, e.g. {prompt: 'question', completion: 'answer'}. */
  mapping: Record<string, string>;
  examples: Example[];
  problems: DataProblem[];
  /** Rows in the file, dropped ones included. */
  totalRows: number;
}

/**
 * What the model sees at once: an example, several packed into one, or a piece of a long text. `labels[i]` is `ids[i]` where
 * trained on, else -100 (Hugging Face's convention, not shifted). Token classification has numbers of tags there instead, on
 * the first token of each word; sequence classification -100 throughout; masked language modelling every id that may be hidden.
 */
export interface TokenizedExample {
  /** Of the first example in it. */
  row: number;
  ids: Int32Array;
  labels: Int32Array;
  /** Tokens cut off at max_length; 0 when it fitted. */
  truncatedBy: number;
  /** Sequence classification: [1] a class's number or a number to predict, or [labels] of zeros and ones. */
  classes?: Float32Array;
  /** Packed texts: for each token the index of its text's first token, whose label is -100. */
  starts?: Int32Array;
  /** Masked language modelling: 1 for tokens that are never hidden ([CLS], [SEP]). */
  special?: Uint8Array;
}

export type { TaskData } from '../base/task';

export interface TokenizedDataset {
  train: TokenizedExample[];
  validation: TokenizedExample[];
  /** The resolved limit. */
  maxLength: number;
  /** Classification: the labels in the order of their numbers, and what kind it is; null for other objectives. */
  task: TaskData | null;
  problems: DataProblem[];
  stats: DatasetStats;
}

export interface DatasetStats {
  /** Examples as the file has them, however they are packed or cut into pieces. */
  examples: number;
  trainExamples: number;
  validationExamples: number;
  /** Over all examples, before cutting. */
  tokens: number;
  /** Tokens that a loss is taken of; examples in sequence classification; as many as will be hidden in masked language modelling. */
  targetTokens: number;
  longest: number;
  percentile95: number;
  truncated: number;
  /** Equal-width bins of example lengths, before cutting. */
  histogram: { from: number; to: number; count: number }[];
  duplicates: number;
}

/** One example for the screen: its rendered text and its tokens, each with whether it is trained on. */
export interface TokenView {
  row: number;
  rendered: string;
  /** Sequence classification: the example's labels, joined by commas. */
  label?: string;
  /** `tag`: token classification, on the first token of each word. */
  tokens: { id: number; text: string; trained: boolean; cut: boolean; tag?: string }[];
}

/** A padded micro-batch, row-major [batchSize, length]. Rows are right-padded; `labels` is -100 on padding. */
export interface Batch {
  batchSize: number;
  /** Padded length, a multiple of the bucket. */
  length: number;
  ids: Int32Array;
  labels: Int32Array;
  /** Real tokens of each row, [batchSize]. */
  lengths: Int32Array;
  /**
   * What the loss is a mean over: label positions that count after the shift (a label at position 0 predicts nothing and does
   * not count); labelled tokens where labels are not shifted; rows in sequence classification. Masked language modelling: the
   * tokens that may be hidden, since which are is drawn at each pass: the objective counts them.
   */
  targetTokens: number;
  /** [batchSize · width], as in TokenizedExample. */
  classes?: Float32Array;
  /** [batchSize · length], within the row; padding is a text of its own at each position. */
  starts?: Int32Array;
  /** [batchSize · length]; 1 on padding too. */
  special?: Uint8Array;
}

/** Batches as a pure function of the step, so that a resumed run sees the same data. */
export interface BatchSource {
  /** Optimiser steps in one epoch. */
  stepsPerEpoch: number;
  /** The micro-batches (gradient_accumulation_steps of them, fewer at an epoch's end) of optimiser step `step`, 0-based. */
  microBatches(step: number): Batch[];
  /** The validation set in order, unshuffled. */
  evaluation(): Batch[];
}
