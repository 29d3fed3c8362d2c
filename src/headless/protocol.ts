/**
 * What scripts/headless.mjs and the page say to one another. Node calls `window.tabtune`; the page calls the function
 * that Node has put into it as `window.tabtuneTell`. Everything is plain JSON; bytes travel as base64, piece by piece.
 * Input files (model folder, dataset, adapter folder) come through the page's file inputs, straight from the disk.
 */
import type { ErrorData } from '../base/errors';
import type { Recipe } from '../recipe/types';

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
}

/** What a run leaves besides its metrics and its adapter. Becomes summary.json, in the order written here. */
export interface RunOutput {
  summary: Record<string, unknown>;
  logits: { input_ids: number[]; base_logits: number[]; logits: number[] }[];
}

export type Message =
  /** A line for the terminal. */
  | { type: 'note'; text: string }
  /** What is being done now; replaces the one before. */
  | { type: 'progress'; text: string }
  /** A line of metrics.jsonl. */
  | { type: 'row'; row: Record<string, unknown> }
  /** A piece of a file of the adapter folder. */
  | { type: 'file'; path: string; base64: string };

export interface HeadlessPage {
  check(recipeText: string): Promise<Outcome<CheckedInput>>;
  run(options: RunOptions): Promise<Outcome<RunOutput>>;
}

declare global {
  interface Window {
    tabtune: HeadlessPage;
    tabtuneTell(message: Message): Promise<void>;
  }
}
