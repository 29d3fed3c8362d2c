/**
 * The messages between scripts/headless.mjs and the program. In a page, Node calls `window.tabtune`; the page calls
 * `window.tabtuneTell`, a function that Node exposes to it. Without a browser, the same goes between two processes
 * (scripts/headless-node). Everything is plain JSON; bytes are sent in base64 pieces. Input files (model folder, dataset, adapter
 * folder) arrive through the page's file inputs or by their paths, straight from disk.
 */
import type { ErrorData } from '../base/errors';
import type { ExportId } from '../exports';
import type { HubSettings } from '../hub/descriptions';
import type { Recipe } from '../recipe/types';
import type { SelfInstructSettings } from '../self-instruct';
import type { ModelInfo } from '../session/api';
import type { WritingEnd } from '../session/self-instruct-types';

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
  rewardFolder: string | null;
  /** Texts (token ids) whose logits to return after training, for comparison with other software. */
  logitsOf: number[][];
  /** Prompts that the trained model is to continue, for the same purpose. */
  greedyOf: GreedyPrompt[];
  /** Texts (token ids) whose mean loss per token to return after training, in nats. */
  lossOf: number[][];
  /** What to write besides the adapter, or, of runs that leave a model, besides the model in float32. */
  exports: ExportId[];
  /** Write nothing but `exports`, for checks: the comparison of each takes a while where WebGPU runs in software. */
  onlyExports: boolean;
  /** What computes products: `--kernels` as it was given. */
  kernels: string;
  /** What earlier runs have timed of this computer's cards, as the app keeps it. */
  timed: Record<string, unknown>;
  /** For Hub models. The browser profile is then kept between runs, but only its models survive. */
  hub: HubSettings | null;
}

/** Token ids, and how many to add greedily. */
export interface GreedyPrompt {
  prompt: number[];
  tokens: number;
}

/** The output of a run besides its metrics and adapter. The summary is written to summary.json in key order. */
export interface RunOutput {
  summary: Record<string, unknown>;
  logits: { input_ids: number[]; base_logits: number[]; logits: number[] }[];
  greedy: number[][];
  losses: number[];
}

/** What to measure on an untrained model, for comparison with other software. Texts are token ids. */
export interface MeasureOptions {
  model: Recipe['model'];
  /** Name of the folder or file given to the file input. */
  modelFolder: string | null;
  greedy: GreedyPrompt[];
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

/** How a model writes its own dataset. */
export interface SelfInstructOptions {
  model: Recipe['model'];
  modelFolder: string | null;
  hub: HubSettings | null;
  /** A file of the person's own seed tasks; the built-in ones without. */
  seeds: { name: string; text: string } | null;
  /** Those that differ from the default. */
  settings: Partial<SelfInstructSettings>;
  /** What was kept of an earlier run, to go on with. */
  draft: string | null;
}

export interface SelfInstructOutput {
  end: WritingEnd;
  seeds: number;
  tasks: number;
  /** Examples that the model wrote. */
  rows: number;
  /** As a text. */
  funnel: string;
}

export type Message =
  /** A line for the terminal. */
  | { type: 'note'; text: string }
  /** The current activity; replaces the previous one. */
  | { type: 'progress'; text: string }
  /** A line of metrics.jsonl. */
  | { type: 'row'; row: Record<string, unknown> }
  /** What is known by now of this computer's cards, for later runs. */
  | { type: 'kernels'; kept: Record<string, unknown> }
  /** All that is kept so far, and the dataset that it makes. */
  | { type: 'draft'; draft: string; dataset: string }
  /** A piece of a result file; its path is inside the output folder. */
  | { type: 'file'; path: string; base64: string };

export interface HeadlessPage {
  /** `exports` as they were given on the command line. */
  check(recipeText: string, exports: string[]): Promise<Outcome<CheckedInput>>;
  run(options: RunOptions): Promise<Outcome<RunOutput>>;
  measure(options: MeasureOptions): Promise<Outcome<Measurements>>;
  selfInstruct(options: SelfInstructOptions): Promise<Outcome<SelfInstructOutput>>;
}

declare global {
  interface Window {
    tabtune: HeadlessPage;
    tabtuneTell(message: Message): Promise<void>;
  }
}
