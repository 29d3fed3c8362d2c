/** config.json of a merged model folder. */
import { labelsWords, type TaskData } from '../base/task';
import { families, readFamilyConfig } from '../families';
import type { Family, FamilyConfig } from '../families/family';
import { spelled } from '../families/rope-spellings';
import { headClass, headOf, taskKindOf } from '../families/task-heads';
import type { MergedDtype } from './export';

export const DTYPE_NAMES: Record<MergedDtype, string> = { F32: 'float32', BF16: 'bfloat16', F16: 'float16' };

export interface MergedFacts {
  /** The file holds an output projection that is not the embedding. */
  outputApart?: boolean;
  /** The tokenizer's; null if it has none. */
  padTokenId?: number | null;
}

/**
 * The base's own in the new precision, whatever quantisation it came in; with a classification head, that of transformers'
 * class with such a head, and its labels. Code that the source's config names is not in the folder, so `auto_map` goes.
 */
export function mergedConfig(
  json: Record<string, unknown>,
  dtype: MergedDtype,
  task: TaskData | null,
  { outputApart = false, padTokenId = null }: MergedFacts = {},
): Record<string, unknown> {
  const { quantization_config: _quantised, _name_or_path: _path, auto_map: _code, ...source } = json;
  const { family, config } = readFamilyConfig(source);
  const kept = { ...source, ...(family.spellings && spelled(source, config, family.spellings)) };
  // transformers 5 reads `dtype`, older ones `torch_dtype`.
  const stored = { ...kept, dtype: DTYPE_NAMES[dtype], torch_dtype: DTYPE_NAMES[dtype] };
  if (!task) return { ...stored, ...outputFields(family, config, source.architectures, outputApart) };
  const { problemType, labels } = task;
  const { problem_type: _problem, num_labels: _count, ...rest } = stored as Record<string, unknown>;
  return {
    ...rest,
    architectures: [headClass(family, taskKindOf(task))],
    id2label: Object.fromEntries(labels.map((label, i) => [i, label])),
    label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
    ...(labelsWords(task) ? {} : { problem_type: problemType }),
    ...padding(rest, headOf(family, taskKindOf(task), '').row, padTokenId),
  };
}

/** A head that reads a text's last token finds it by the padding, without which transformers takes one text at a time. */
function padding(
  { pad_token_id: own }: Record<string, unknown>,
  row: 'first' | 'last' | null,
  padTokenId: number | null,
): Record<string, unknown> {
  const known = typeof own === 'number' && own >= 0;
  return row !== 'last' || known || padTokenId === null ? {} : { pad_token_id: padTokenId };
}

/** tokenizer_config.json without the code that its source names, and with a padding token where a batch needs one. */
export function mergedTokenizerConfig(text: string, needsPadding: boolean): string {
  const config = objectOf(text);
  if (!config) return text;
  const { auto_map: code, ...own } = config;
  const padded = needsPadding && (own.pad_token ?? null) === null && (own.eos_token ?? null) !== null;
  if (code === undefined && !padded) return text;
  return `${JSON.stringify(padded ? { ...own, pad_token: own.eos_token } : own, null, 2)}\n`;
}

/** transformers' class of the tokenizer, if tokenizer_config.json names one. */
export function tokenizerClassOf(text: string): string | null {
  const name = objectOf(text)?.tokenizer_class;
  return typeof name === 'string' ? name : null;
}

/** Null for what is not a JSON object. */
function objectOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

/** What config.json says of the output projection: whether it is the embedding, and that the class has one. */
function outputFields(
  family: Family,
  { tie_word_embeddings: tied }: FamilyConfig,
  architectures: unknown,
  apart: boolean,
): Record<string, unknown> {
  const bare = Array.isArray(architectures) && !architectures.some((name) => family.architectures.includes(name));
  return {
    ...(apart && tied && { tie_word_embeddings: false }),
    ...(bare && { architectures: [family.architectures[0]] }),
  };
}

/** Fields that transformers 5 accepts as floats only: it refuses 30 for 30.0, and JSON.parse drops the point. */
const FLOATS = [
  ...['initializer_range', 'rms_norm_eps', 'layer_norm_eps', 'layer_norm_epsilon'],
  // Of rotary positions; older versions refuse a whole number for some of them.
  ...['rope_theta', 'rope_local_base_freq', 'rotary_emb_base', 'rotary_pct', 'partial_rotary_factor', 'factor'],
  ...['low_freq_factor', 'high_freq_factor', 'attention_factor', 'beta_fast', 'beta_slow', 'mscale', 'mscale_all_dim'],
];

/** As text that transformers opens. */
export function configText(config: Record<string, unknown>): string {
  const fields = [...FLOATS, ...families.flatMap(({ floatFields = [] }) => floatFields)];
  const whole = new RegExp(`^(\\s*"(?:${fields.join('|')})": -?\\d+)(?=,?$)`, 'gm');
  return `${JSON.stringify(config, null, 2).replace(whole, '$1.0')}\n`;
}
