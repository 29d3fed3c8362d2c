/**
 * How a model's hidden states become one vector per text. sentence-transformers stores this with the model:
 * modules.json lists the steps and N_Pooling/config.json says how to pool. Without them the mean is used, as
 * sentence-transformers does.
 */

import { COMPLETE_FOLDER, OTHER_MODEL, refuse, show } from '../base/bad-model';
import { parseUntrusted } from '../base/json';
import { CONFIG_LIMIT } from '../base/limits';
import { readJson } from './read-json';
import type { ModelFolder } from './types';

export interface Pooling {
  /** Mean over all tokens, or the hidden state of the first token. */
  mode: 'mean' | 'cls';
  /** Vectors are scaled to length 1. */
  normalize: boolean;
  /** Maximum tokens per text; null means as many as the model supports. */
  maxLength: number | null;
  /** Texts are lowercased first. */
  lowercase: boolean;
}

const MODULES = 'modules.json';
const TRANSFORMER = 'sentence_bert_config.json';

/** The supported modes in the older spelling, which has one flag per mode. */
const MODES: Record<string, Pooling['mode']> = { pooling_mode_mean_tokens: 'mean', pooling_mode_cls_token: 'cls' };

/** Throws `bad_model` if a step is not supported. */
export async function readPooling(folder: ModelFolder): Promise<Pooling> {
  const pooling: Pooling = { mode: 'mean', normalize: false, maxLength: null, lowercase: false };
  if (folder.has(TRANSFORMER)) {
    const { max_seq_length, do_lower_case } = await readJson(folder, TRANSFORMER, CONFIG_LIMIT);
    if (typeof max_seq_length === 'number' && max_seq_length >= 2) pooling.maxLength = Math.floor(max_seq_length);
    pooling.lowercase = do_lower_case === true;
  }
  for (const { type, path } of await modulesOf(folder)) {
    switch (type.slice(type.lastIndexOf('.') + 1)) {
      case 'Transformer':
        break;
      case 'Pooling':
        pooling.mode = await modeOf(folder, `${path}/config.json`);
        break;
      case 'Normalize':
        pooling.normalize = true;
        break;
      default:
        refuse(MODULES, `The sentence embedding step ${show(type)} is not supported.`, OTHER_MODEL);
    }
  }
  return pooling;
}

async function modulesOf(folder: ModelFolder): Promise<{ type: string; path: string }[]> {
  if (!folder.has(MODULES)) return [];
  let list: unknown;
  try {
    list = parseUntrusted(await folder.text(MODULES));
  } catch {
    list = null;
  }
  const steps = Array.isArray(list) ? list : [];
  const valid = steps.every((step) => typeof step?.type === 'string' && typeof step?.path === 'string');
  if (steps.length === 0 || !valid)
    refuse(MODULES, 'The file is not a list of steps, each with a type and a path.', COMPLETE_FOLDER);
  return steps;
}

async function modeOf(folder: ModelFolder, file: string): Promise<Pooling['mode']> {
  if (!folder.has(file)) refuse(file, 'The file that says how embeddings are pooled is missing.', COMPLETE_FOLDER);
  const json = await readJson(folder, file, CONFIG_LIMIT);
  // Newer versions write the mode as one word.
  const named = typeof json.pooling_mode === 'string' ? [json.pooling_mode] : null;
  const on = named ?? Object.keys(json).filter((key) => key.startsWith('pooling_mode_') && json[key] === true);
  const modes = on.map((mode) => (named ? (mode === 'mean' || mode === 'cls' ? mode : undefined) : MODES[mode]));
  const [mode] = modes;
  if (modes.length !== 1 || !mode)
    refuse(file, `The pooling mode ${show(on)} is not supported; mean and cls are.`, OTHER_MODEL);
  return mode;
}
