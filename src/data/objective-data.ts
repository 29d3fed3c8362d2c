/**
 * What an objective tells the data layer: which examples it learns from, and how they are encoded, labelled, truncated, packed
 * and shown. Each objective's answers are in its file in src/objectives; the data layer does not know which objectives there are.
 */
import type { Encoded } from './loss-mask';
import type { Rendered, RenderOptions } from './render';
import type { AnswerRenderOptions, RenderedAnswers } from './render-answers';
import type { RenderNote } from './render-notes';
import type { TextTokenizer } from './tokenizer';
import type { DataProblem, Example, NextTokenExample, TaskData, TokenizedExample, Turns } from './types';

/** How a model's text is written, whatever the objective. */
export type TextOptions = Omit<RenderOptions, 'assistantOnlyLoss'> & {
  /** render.ts, which only the data worker loads: descriptors are also part of the page. */
  render: (example: Example, options: RenderOptions) => Rendered;
  /** render-answers.ts, likewise. */
  renderAnswers: (prompt: Turns, answers: readonly Turns[], options: AnswerRenderOptions) => RenderedAnswers;
};

/**
 * What a loss is a mean over. `shifted`: tokens with a label, each predicted from the tokens before it; `labelled`: tokens with
 * a label, or tokens that may be masked; `rows`: texts.
 */
export type Counting = 'shifted' | 'labelled' | 'rows';

export interface EncodedExample {
  /** As the model reads it, for the screen. */
  rendered: string;
  /** The text of `encoded.rejected`. */
  rejected?: string;
  encoded: Encoded;
  /** What was changed on the way. */
  notes?: readonly RenderNote[];
}

/** The examples of a dataset that could be encoded. */
export interface UsableExamples {
  /** The dataset's name. */
  name: string;
  examples: readonly Example[];
  /** The column that holds the labels; it names the number to predict. */
  labelColumn: string;
}

export interface Limits {
  maxLength: number;
  packing: boolean;
  /** Tokens that the model can read, of which prompts leave some for the answer. */
  contextLength: number;
}

/** A dataset whose labels have been read. */
export interface Labelled {
  task: TaskData | null;
  /** Classes that the split balances; left out if there are none. */
  strata?: readonly string[];
  problems: readonly DataProblem[];
  /**
   * What is trained on of example `i`: itself, truncated, or several pieces. Empty if it has nothing to learn from; null if
   * its label cannot be used, which is among `problems`; a problem if it is left out at these limits.
   */
  tokenize(encoded: Encoded, i: number, limits: Limits): TokenizedExample[] | DataProblem | null;
}

export interface ObjectiveData {
  /** The only kinds of example that it learns from, and what to say if a dataset has none; any kind if left out. */
  needs?: { kind: Example['kind'] | readonly Example['kind'][]; message: string; action: string };
  counts: Counting;
  /** Settings of the objective that encoding depends on. Others can change without encoding again. */
  encodedBy?: unknown;
  /** What the model lacks for these examples. */
  warnings?(examples: readonly Example[], options: TextOptions): DataProblem[];
  /** Why this example is left out; null if it is not. */
  refuse?(example: Example): DataProblem | null;
  /** Nothing is truncated here, so that another limit needs no second pass. Throws bad_model or bad_data. */
  encode(example: Example, options: TextOptions, tokenizer: TextTokenizer): EncodedExample;
  /** Throws bad_data if the labels cannot be learned. */
  label(dataset: UsableExamples): Labelled;
  /** What happens to a text above the limit: its end is cut off, it becomes several pieces, or it is left out. */
  longTexts: 'truncated' | 'split' | 'left_out';
  /** Fills rows of at most `maxLength` tokens with several examples; left out if examples cannot share a row. */
  pack?(examples: readonly NextTokenExample[], maxLength: number): NextTokenExample[];
  /** Examples with equal keys stay on one side of the split; `togetherKey` if left out. */
  splitKey?(example: Example): string;
  /** What is trained on of each example, in an order of its own; the order of the examples if left out. */
  arrange?(pieces: readonly TokenizedExample[][]): TokenizedExample[];
  /** How many of `targets` possible targets a loss is computed on; all of them if left out. */
  targetTokens?(targets: number): number;
  /** The label of a whole text, as the token view shows it. */
  shownLabel?(example: Example): string;
}

/** For objectives that learn from the tokens themselves. */
export const unlabelled = (tokenize: (encoded: Encoded, limits: Limits) => TokenizedExample[]): Labelled => ({
  task: null,
  problems: [],
  tokenize: (encoded, _i, limits) => tokenize(encoded, limits),
});
