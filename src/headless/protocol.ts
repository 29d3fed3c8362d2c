/**
 * The messages between scripts/headless.mjs and the page. Node calls `window.tabtune`; the page calls
 * `window.tabtuneTell`, a function that Node exposes to it. Everything is plain JSON; bytes are sent in base64 pieces.
 * Input files (model folder, dataset, adapter folder) arrive through the page's file inputs, straight from disk.
 */
import type { ErrorData } from '../base/errors';
import type { HubSettings } from '../hub/descriptions';
import type { Recipe } from '../recipe/types';
import type { MergedDtype, ModelInfo } from '../session/api';

export type Outcome<T> = { ok: true; value: T } | { ok: false; error: ErrorData };

export interface CheckedInput {
  recipe: Recipe;
  /** Settings that have no effect, one line each. */
  notes: string[];
}

export interface RunOptions {
  recipe: Recipe;
  /** Names of the folders given to the file inputs; an adapter is called after its folder. */
  modelFolder: string | null;
  adapterFolder: string | null;
  /** Texts (token ids) whose logits to return after training, for comparison with other software. */
  logitsOf: number[][];
  /** Also writes the model with the adapter merged in, in this precision. Runs that produce a model default to F32. */
  merged: MergedDtype | null;
  /** For Hub models. The browser profile is then kept between runs, but only its models survive. */
  hub: HubSettings | null;
}

/** The output of a run besides its metrics and adapter. The summary is written to summary.json in key order. */
export interface RunOutput {
  summary: Record<string, unknown>;
  logits: { input_ids: number[]; base_logits: number[]; logits: number[] }[];
}

/** What to measure on an untrained model, for comparison with other software. Texts are token ids. */
export interface MeasureOptions {
  model: Recipe['model'];
  /** Name of the folder or file given to the file input. */
  modelFolder: string | null;
  /** Prompts, and how many tokens to generate greedily. */
  greedy: { prompt: number[]; tokens: number }[];
  /** Texts whose mean negative log-likelihood per token (nats) to return. */
  lossOf: number[][];
  /** Texts to embed. */
  embed: string[];
  /** Small files from subfolders of the model folder, whose paths a file input cannot give. */
  nested: { path: string; text: string }[];
}

export interface Measurements {
  model: Pick<ModelInfo, 'architecture' | 'parameters' | 'dtype'>;
  greedy: number[][];
  losses: number[];
  embeddings: number[][];
}

export type Message =
  /** A line for the terminal. */
  | { type: 'note'; text: string }
  /** The current activity; replaces the previous one. */
  | { type: 'progress'; text: string }
  /** A line of metrics.jsonl. */
  | { type: 'row'; row: Record<string, unknown> }
  /** A piece of a result file. */
  | { type: 'file'; folder: 'adapter' | 'model'; path: string; base64: string };

export interface HeadlessPage {
  check(recipeText: string): Promise<Outcome<CheckedInput>>;
  run(options: RunOptions): Promise<Outcome<RunOutput>>;
  measure(options: MeasureOptions): Promise<Outcome<Measurements>>;
}

declare global {
  interface Window {
    tabtune: HeadlessPage;
    tabtuneTell(message: Message): Promise<void>;
  }
}
