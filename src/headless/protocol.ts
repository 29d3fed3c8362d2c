/**
 * What scripts/headless.mjs and the page say to one another. Node calls `window.tabtune`; the page calls the function
 * that Node has put into it as `window.tabtuneTell`. Everything is plain JSON; bytes travel as base64, piece by piece.
 * Input files (model folder, dataset, adapter folder) come through the page's file inputs, straight from the disk.
 */
import type { ErrorData } from '../base/errors';
import type { HubSettings } from '../hub/descriptions';
import type { Recipe } from '../recipe/types';
import type { MergedDtype, ModelInfo } from '../session/api';

export type Outcome<T> = { ok: true; value: T } | { ok: false; error: ErrorData };

export interface CheckedInput {
  recipe: Recipe;
  /** What has no effect, each a line. */
  notes: string[];
}

export interface RunOptions {
  recipe: Recipe;
  /** Names of the folders that were put into the file inputs; a PEFT folder is known by its own name. */
  modelFolder: string | null;
  adapterFolder: string | null;
  /** Texts, as token ids, whose logits to return after training: for comparing with other software. */
  logitsOf: number[][];
  /** Also writes the base with the adapter merged in, in this precision; F32 where a run leaves a model and no adapter. */
  merged: MergedDtype | null;
  /** For models of the Hub. Then this browser is kept between runs: of earlier ones only models are left in it. */
  hub: HubSettings | null;
}

/** What a run leaves besides its metrics and its adapter. Becomes summary.json, in the order written here. */
export interface RunOutput {
  summary: Record<string, unknown>;
  logits: { input_ids: number[]; base_logits: number[]; logits: number[] }[];
}

/** What to find out about a model as it is, for comparing with other software. Texts are token ids. */
export interface MeasureOptions {
  model: Recipe['model'];
  /** Name of the folder or file that was put into the file input. */
  modelFolder: string | null;
  /** Prompts, and how many tokens to go on greedily. */
  greedy: { prompt: number[]; tokens: number }[];
  /** Texts whose mean negative log-likelihood a token (nats) to give. */
  lossOf: number[][];
  /** Texts to embed. */
  embed: string[];
  /** Small files from subfolders of the model's, which a file input cannot name. */
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
  /** What is being done now; replaces the one before. */
  | { type: 'progress'; text: string }
  /** A line of metrics.jsonl. */
  | { type: 'row'; row: Record<string, unknown> }
  /** A piece of a file of a folder of results. */
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
