/** What Compare asks of the session: several models at once, measured on data that none of them has learned from. */
import type { ErrorData } from '../base/errors';
import type { LabelScore } from '../data/label-scores';
import type { Recipe } from '../recipe/types';

export type { LabelScore };

export interface GenerationOptions {
  maxNewTokens: number;
  /** 0 is greedy. */
  temperature: number;
  topP: number;
  seed: number;
  /** 0 is the base model, 1 the fine-tuned one; other values scale the adapter. */
  adapterStrength: number;
}

/**
 * A model to compare: the base, what a run left behind (`run:ID`), one of the checkpoints that it keeps (`run:ID@latest`,
 * `run:ID@best`), or an adapter from files (`file:NAME`).
 */
export type ModelId = 'base' | `run:${string}` | `file:${string}`;

export interface KeptCheckpoint {
  slot: 'latest' | 'best';
  step: number;
  createdAt: number;
}

/** An example of the data as a prompt. */
export interface SplitPrompt {
  /** 1-based, as in Example.row. */
  row: number;
  text: string;
  system?: string;
  /** The answer in the data; absent if it has none. */
  expected?: string;
}

/** The two sides of the data as a run has them. Of very many examples, only the first. */
export interface DataSplit {
  /** The file's name. */
  dataset: string;
  heldOut: SplitPrompt[];
  /** In an order that the run's seed decides. */
  trained: SplitPrompt[];
  heldOutTotal: number;
  trainedTotal: number;
  /** Why it is not certain that what is held out was never learned from; null if it is. */
  doubt: string | null;
}

/** Whose data: those of a run, or of the recipe on the screen when nothing is known of what an adapter learned from. */
export type DataOf = { runId: string } | { recipe: Recipe };

/** An example in a prompt. */
export type Shot = Pick<SplitPrompt, 'text'> & { expected: string };

/** An answer with its prompt, for reward models. */
export interface JudgedText {
  prompt: string;
  answer: string;
}

export interface AskedColumn {
  model: ModelId;
  /** 0 is the base, 1 as trained. */
  strength: number;
  /** Examples that come before the prompt. */
  shots?: Shot[];
  /** How this column draws its tokens, if not as the others do. */
  sampling?: Pick<GenerationOptions, 'temperature' | 'topP' | 'seed'>;
}

export interface ColumnAnswer {
  text: string;
  scores?: LabelScore[];
  /** Why this column alone has no answer. */
  error?: ErrorData;
}

export interface Answered {
  answers: ColumnAnswer[];
  /** The models did not fit on the GPU together, so they answered one after another. */
  inTurn: boolean;
}

export interface FewShot {
  /** Those that fit. */
  shots: Shot[];
  /** Tokens of the whole prompt. */
  tokens: number;
  /** The prompt as the model reads it, without special tokens. */
  text: string;
}

export interface HeldOutMeasure {
  loss: number;
  perplexity: number | null;
  /** The mean loss of each held-out example, in the order of `rows`. */
  losses: Float32Array;
  rows: number[];
  metrics: Record<string, number>;
  /** Of the answers to the first held-out prompts; null where none have an answer in the data, or the model writes none. */
  answers: { count: number; rougeL: number; exactMatch: number } | null;
}

/** How far a tensor of the model was moved. */
export interface LayerChange {
  /** The tensor's name in the checkpoint. */
  name: string;
  /** Counted from 0; null for embeddings and what follows the blocks. */
  layer: number | null;
  /** ‖ΔW‖ / ‖W‖. */
  relative: number;
  change: number;
  weight: number;
}

export interface Forgetting {
  before: number;
  after: number;
  /** Measured during the run, on the text that it names, or now. */
  from: 'run' | 'now';
}

/** Prompts that a person keeps. */
export type KeptPrompt = Pick<SplitPrompt, 'text' | 'system' | 'expected'>;

export interface PromptSet {
  name: string;
  prompts: KeptPrompt[];
}

/** One of two answers, and how it came about. */
export interface Contestant {
  model: ModelId;
  /** What the model was called on the screen. */
  name: string;
  temperature: number;
  seed: number;
  text: string;
}

/** `a` and `b` name the better answer. */
export type Verdict = 'a' | 'b' | 'both_good' | 'both_bad';

/** What a person said of two answers to a prompt. */
export interface Vote {
  prompt: Pick<SplitPrompt, 'text' | 'system'>;
  a: Contestant;
  b: Contestant;
  verdict: Verdict;
  /** Milliseconds since 1970. */
  at: number;
}

export type Progress = (done: number, total: number) => void;

/** All calls reject with a TabtuneError; one that its signal ended with `cancelled`, but an answer gives what it has. */
export interface Comparison {
  /** The checkpoints that a run keeps; one if both are the same step. */
  kept(runId: string): Promise<KeptCheckpoint[]>;
  /** The data of a run, split as it split them, without what any of the `others` has learned from. */
  split(of: DataOf, others?: readonly string[]): Promise<DataSplit>;
  /** As many of these examples before a prompt as fit into the context beside the answer. */
  fewShot(prompt: Pick<SplitPrompt, 'text' | 'system'>, shots: readonly Shot[], room: number): Promise<FewShot>;
  /** All columns answer at the same time; `onText` gets a column's whole text so far. */
  answer(
    columns: readonly AskedColumn[],
    prompt: Pick<SplitPrompt, 'text' | 'system'>,
    options: Omit<GenerationOptions, 'adapterStrength'>,
    onText: (column: number, text: string) => void,
    signal?: AbortSignal,
  ): Promise<Answered>;
  /** The labels of a text by each column. The base answers under an untrained head. */
  classify(columns: readonly AskedColumn[], text: string | JudgedText, signal?: AbortSignal): Promise<Answered>;
  /** Loss and metrics over the whole held-out side of the data. */
  measure(model: ModelId, of: DataOf, onProgress: Progress, signal?: AbortSignal): Promise<HeldOutMeasure>;
  /**
   * Loss on text like that of the base's training, before and after: what the run has measured, else measured now. Null if the
   * model predicts no tokens.
   */
  forgetting(model: ModelId, signal?: AbortSignal): Promise<Forgetting | null>;
  /** How far each tensor was moved; empty for a method that moves none. */
  changes(model: ModelId, onProgress: Progress, signal?: AbortSignal): Promise<LayerChange[]>;

  /** The sets of prompts that are kept in this browser, by name. */
  promptSets(): Promise<PromptSet[]>;
  /** Stores a set, replacing the one of this name. Resolves with the name that it has there. */
  savePromptSet(set: PromptSet): Promise<string>;
  /** Reads a file of prompts. Throws bad_data with the line that is wrong. */
  readPromptSet(file: File): Promise<PromptSet>;
  deletePromptSet(name: string): Promise<void>;

  /** The votes on pairs of answers that are kept in this browser, the oldest first. */
  votes(): Promise<Vote[]>;
  /** Stores all votes in place of those that are stored. */
  saveVotes(votes: readonly Vote[]): Promise<void>;
}
