/**
 * What is known about a model before its weights are downloaded, and the state of a download. Plain data: it crosses
 * worker boundaries and is shown unchanged. The source of a Hub model is `hf:ORG/NAME@COMMIT`, or
 * `hf:ORG/NAME@COMMIT/FILE.gguf` for one GGUF file of a repository.
 */
import type { ErrorData } from '../base/errors';
import type { ModelSection } from '../recipe/types';

export type Quantization = ModelSection['quantization'];

/** Whether it fits in this GPU's memory. `unknown` if the browser does not reveal enough to tell. */
export type Verdict = 'fits' | 'tight' | 'too_big' | 'unknown';

/** The memory that a plain LoRA run of the model would need at one precision. */
export interface PrecisionPlan {
  quantization: Quantization;
  /** GPU bytes for the weights alone, and for the whole run. */
  weightBytes: number;
  totalBytes: number;
  verdict: Verdict;
}

/** Where models are fetched from, and with which token. The token is kept only in memory, never in storage. */
export interface HubSettings {
  /** `https://huggingface.co`, or a mirror with the same routes. */
  endpoint: string;
  token: string | null;
}

/** One search result. */
export interface HubHit {
  /** ORG/NAME */
  id: string;
  downloads: number;
  likes: number;
  /** The Hub's identifier, e.g. `apache-2.0`; null if not stated. */
  licence: string | null;
  /** Null if the Hub has not counted them. */
  parameters: number | null;
  gated: boolean;
  private: boolean;
  /** Why it cannot be opened, if the listing shows it: an unsupported architecture or no weights. */
  problem: string | null;
}

export interface HubFile {
  name: string;
  bytes: number;
}

/** One way to download a repository: its safetensors, or one of its GGUF files. */
export interface HubChoice {
  source: string;
  kind: 'safetensors' | 'gguf';
  /** `safetensors`, or the name of the GGUF file. */
  label: string;
  /** E.g. `BF16`; for a GGUF file its quantisation, e.g. `Q4_K_M`. */
  dtype: string;
  files: HubFile[];
  bytes: number;
  downloaded: boolean;
  /** Safetensors can be quantised on loading; a GGUF file is used as stored (`none` only). */
  precisions: PrecisionPlan[];
  /** Why this choice cannot be opened. */
  problem: ErrorData | null;
}

/** What people see before anything large is fetched. */
export interface HubModel {
  id: string;
  /** The requested revision (`main`, a tag), and the commit it points to now. */
  revision: string;
  commit: string;
  /** The web page of this commit. */
  url: string;
  licence: string | null;
  licenceUrl: string | null;
  downloads: number;
  gated: boolean;
  private: boolean;
  /**
   * `granted`: its files can be read. `token`: it needs an access token. `terms`: the token is valid, but its owner has
   * not yet accepted the terms on the model's page.
   */
  access: 'granted' | 'token' | 'terms';
  /** From config.json (or a GGUF header); null if it cannot be read. */
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
  /** Why none of the choices can be opened, e.g. an unknown architecture, with the supported ones in `action`. */
  problem: ErrorData | null;
}

/** A card on the curated shelf, planned for this GPU from its config alone. */
export interface ShelfModel {
  source: string;
  id: string;
  title: string;
  /** One sentence: what it is good for. */
  description: string;
  licence: string;
  parameters: number;
  /** Of the weights; the download has a tokenizer too. */
  bytes: number;
  gated: boolean;
  downloaded: boolean;
  precisions: PrecisionPlan[];
}

export interface Download {
  source: string;
  title: string;
  state: 'waiting' | 'downloading' | 'paused' | 'verifying' | 'done' | 'failed';
  /** The file being fetched or verified. */
  file: string;
  /** Bytes of the model, or of `file` while it is being verified. */
  loaded: number;
  total: number;
  /** Bytes per second over the last few seconds; null until known. */
  rate: number | null;
  secondsLeft: number | null;
  /** A notice for people while the download continues, e.g. that a file had to be fetched again. */
  note: string | null;
  /** Why it stopped; null if a person paused it. */
  error: ErrorData | null;
  updatedAt: number;
}
