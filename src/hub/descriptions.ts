/**
 * What is known of a model before its weights are here, and how a download stands. Plain data: it crosses workers and is
 * shown as it is. A model of the Hub has the source `hf:ORG/NAME@COMMIT`, and `hf:ORG/NAME@COMMIT/FILE.gguf` when it is
 * one GGUF file of a repository.
 */
import type { ErrorData } from '../base/errors';
import type { ModelSection } from '../recipe/types';

export type Quantization = ModelSection['quantization'];

/** Whether this GPU can hold it. `unknown` when the browser gives nothing to go by. */
export type Verdict = 'fits' | 'tight' | 'too_big' | 'unknown';

/** What a plain LoRA run of a model would take, kept in one precision. */
export interface PrecisionPlan {
  quantization: Quantization;
  /** GPU bytes of the weights alone, and of the run altogether. */
  weightBytes: number;
  totalBytes: number;
  verdict: Verdict;
}

/** Where models are fetched from, and as whom. The token lives in memory only, never in storage. */
export interface HubSettings {
  /** `https://huggingface.co`, or a mirror with the same routes. */
  endpoint: string;
  token: string | null;
}

/** A line of a search result. */
export interface HubHit {
  /** ORG/NAME */
  id: string;
  downloads: number;
  likes: number;
  /** As the Hub writes it, e.g. `apache-2.0`; null when not stated. */
  licence: string | null;
  /** Null where the Hub has not counted them. */
  parameters: number | null;
  gated: boolean;
  private: boolean;
  /** Why it cannot be opened, as far as the listing tells: an architecture that is not read, no weights. */
  problem: string | null;
}

export interface HubFile {
  name: string;
  bytes: number;
}

/** One way to take a repository: its safetensors, or one of its GGUF files. */
export interface HubChoice {
  source: string;
  kind: 'safetensors' | 'gguf';
  /** `safetensors`, or the name of the GGUF file. */
  label: string;
  /** `BF16`, or of a GGUF file its quantisation, e.g. `Q4_K_M`. */
  dtype: string;
  files: HubFile[];
  bytes: number;
  downloaded: boolean;
  /** Safetensors can be quantised when they are loaded; a GGUF file comes as it is (`none` only). */
  precisions: PrecisionPlan[];
  /** Why this one cannot be opened. */
  problem: ErrorData | null;
}

/** What a person sees before anything large is fetched. */
export interface HubModel {
  id: string;
  /** What was asked for (`main`, a tag), and the commit it stands for now. */
  revision: string;
  commit: string;
  /** The page of this commit, for people. */
  url: string;
  licence: string | null;
  licenceUrl: string | null;
  downloads: number;
  gated: boolean;
  private: boolean;
  /**
   * `granted`: its files can be read. `token`: it needs an access token. `terms`: the token is good, and its owner has yet
   * to accept the terms on the model's page.
   */
  access: 'granted' | 'token' | 'terms';
  /** From config.json (or a GGUF header); null while it cannot be read. */
  facts: {
    architecture: string;
    kind: 'decoder' | 'encoder';
    parameters: number;
    contextLength: number;
    vocabSize: number;
    hiddenSize: number;
    layers: number;
  } | null;
  choices: HubChoice[];
  /** Why nothing of it can be opened, e.g. an unknown architecture with those that work in `action`. */
  problem: ErrorData | null;
}

/** A card of the curated shelf, planned for this GPU from its config alone. */
export interface ShelfModel {
  source: string;
  id: string;
  title: string;
  /** One sentence: what it is good for. */
  description: string;
  licence: string;
  parameters: number;
  bytes: number;
  gated: boolean;
  downloaded: boolean;
  precisions: PrecisionPlan[];
}

export interface Download {
  source: string;
  title: string;
  state: 'waiting' | 'downloading' | 'paused' | 'verifying' | 'done' | 'failed';
  /** The file that is being fetched or verified. */
  file: string;
  /** Bytes; of what is being verified while verifying. */
  loaded: number;
  total: number;
  /** Bytes a second over the last few seconds; null until it can be told. */
  rate: number | null;
  secondsLeft: number | null;
  /** What happened on the way that a person should know, though it goes on: a file that had to be fetched again. */
  note: string | null;
  /** Why it stopped; a pause without one was asked for. */
  error: ErrorData | null;
  updatedAt: number;
}
