/** page.json: what an exported page is told about itself. Written with the page, read by src/page-export. */
import type { PromptStyle } from '../../data/prompt-style';
import type { Recipe } from '../../recipe/types';

export const MANIFEST = 'page.json';
/** Folders of the page's zip: the base, and what was trained on top of it. */
export const MODEL_FOLDER = 'model/';
export const ADAPTER_FOLDER = 'adapter/';

/** What a visitor does: chats, labels whole texts or their words, or scores an answer to a prompt. */
export type PageForm = 'chat' | 'texts' | 'words' | 'answers';

export interface PageGeneration {
  maxNewTokens: number;
  /** 0 is greedy. */
  temperature: number;
  topP: number;
  seed: number;
}

/** A piece of a file, small enough for hosts that refuse large files. */
export interface PagePart {
  /** Relative to the page. */
  path: string;
  size: number;
  /** In hexadecimal. */
  sha256: string;
}

export interface PageFile {
  /** `model/model.safetensors`, whether the file is there whole or in parts. */
  path: string;
  size: number;
  /** In order. */
  parts: PagePart[];
}

export interface PageManifest {
  version: 1;
  title: string;
  about: string;
  /** Examples that a visitor can press. */
  prompts: string[];
  form: PageForm;
  /** Said to the model before every conversation; empty for nothing. */
  system: string;
  generation: PageGeneration;
  style: PromptStyle;
  /** How the base's weights are kept on the GPU, as in training. */
  quantization: Recipe['model']['quantization'];
  model: {
    /** The run's or adapter's name. */
    name: string;
    /** The model that it was made from. */
    base: string;
    licence: string | null;
    /** "A LoRA adapter"; null for a model without anything trained on top of it. */
    trained: string | null;
  };
  /** The program that wrote the page, with its version. */
  madeWith: string;
  files: PageFile[];
}
