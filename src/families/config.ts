/** Reading the fields of a config.json, each checked where it is read. */
import { OTHER_MODEL, refuse, show } from '../base/bad-model';

export const CONFIG = 'config.json';
export const RESTORE = 'Use the config.json that belongs to these weights.';

/** Far above any model that fits in a tab; keeps damaged numbers from becoming endless loops. */
const LIMITS: Record<string, number> = {
  vocab_size: 2 ** 22,
  hidden_size: 2 ** 17,
  intermediate_size: 2 ** 19,
  num_hidden_layers: 512,
  num_attention_heads: 1024,
  num_key_value_heads: 1024,
  head_dim: 4096,
  max_position_embeddings: 2 ** 26,
};
const LIMIT = 2 ** 26;

type Json = Record<string, unknown>;

/** The family's name; familyOf has checked it. */
export const modelType = (json: Json): string => String(json.model_type);

/** A positive whole number; `as` names its limit if the family calls the field something else. */
export function dimension(json: Json, name: string, fallback?: number, as = name): number {
  const value = json[name] ?? fallback;
  const where = `${CONFIG}, ${name}`;
  if (value === undefined) refuse(where, `config.json has no ${name}.`, RESTORE);
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
    refuse(where, `${name} is ${show(value)}, not a positive whole number.`, RESTORE);
  }
  if (value > (LIMITS[as] ?? LIMIT)) {
    refuse(where, `${name} is ${value}, more than any model that could run here.`, OTHER_MODEL);
  }
  return value;
}

export function flag(json: Json, name: string, fallback = false, path = name): boolean {
  const value = json[name] ?? fallback;
  if (typeof value !== 'boolean')
    refuse(`${CONFIG}, ${path}`, `${name} is ${show(value)}, not true or false.`, RESTORE);
  return value;
}

/** A finite number above zero. */
export function positive(json: Json, name: string, fallback?: number, path = name): number {
  const value = json[name] ?? fallback;
  if (value === undefined) refuse(`${CONFIG}, ${path}`, `config.json has no ${name}.`, RESTORE);
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
    refuse(`${CONFIG}, ${path}`, `${name} is ${show(value)}, not a positive number.`, RESTORE);
  }
  return value;
}

/** Standard deviation of new weights. */
export const initializerRange = (json: Json) => positive(json, 'initializer_range', 0.02);

/** The ε of a norm. */
export function epsilon(json: Json, name: string, fallback: number): number {
  const value = json[name] ?? fallback;
  if (typeof value !== 'number' || !(value > 0 && value < 1)) {
    refuse(`${CONFIG}, ${name}`, `${name} is ${show(value)}, not a small positive number.`, RESTORE);
  }
  return value;
}

/** One of a few words. */
export function choice<T extends string>(json: Json, name: string, allowed: readonly T[], fallback: T): T {
  const value = json[name] ?? fallback;
  if (typeof value !== 'string' || !(allowed as readonly string[]).includes(value)) {
    refuse(`${CONFIG}, ${name}`, `${name} is ${show(value)}; only ${allowed.join(', ')} can be computed.`, OTHER_MODEL);
  }
  return value as T;
}

/** Attention heads and their width. */
export interface HeadShape {
  num_attention_heads: number;
  num_key_value_heads: number;
  head_dim: number;
}

/** Heads whose width follows from the hidden size; `field` is the family's name for their number. */
export function evenHeads(
  json: Json,
  field: string,
  hidden: number,
  fallback?: number,
): { num_attention_heads: number; head_dim: number } {
  const num_attention_heads = dimension(json, field, fallback, 'num_attention_heads');
  if (hidden % num_attention_heads !== 0) {
    refuse(`${CONFIG}, ${field}`, `${num_attention_heads} heads do not divide the hidden size ${hidden}.`, RESTORE);
  }
  return { num_attention_heads, head_dim: hidden / num_attention_heads };
}

/** Refuses a switch that is on. */
export function refuseFlag(json: Json, name: string, meaning: string): void {
  if (flag(json, name)) refuse(`${CONFIG}, ${name}`, `${meaning} cannot be computed.`, OTHER_MODEL);
}

/** Query heads, key-value heads and head width under their usual names. */
export function headShape(json: Json, hidden: number): HeadShape {
  const num_attention_heads = dimension(json, 'num_attention_heads');
  const num_key_value_heads = dimension(json, 'num_key_value_heads', num_attention_heads);
  if (num_attention_heads % num_key_value_heads !== 0) {
    refuse(
      `${CONFIG}, num_key_value_heads`,
      `${num_key_value_heads} key-value heads do not divide ${num_attention_heads} attention heads.`,
      RESTORE,
    );
  }
  const given = json.head_dim !== undefined && json.head_dim !== null;
  if (!given && hidden % num_attention_heads !== 0) {
    refuse(
      `${CONFIG}, num_attention_heads`,
      `${num_attention_heads} heads do not divide the hidden size ${hidden}.`,
      RESTORE,
    );
  }
  const head_dim = dimension(json, 'head_dim', hidden / num_attention_heads);
  if (head_dim % 2 !== 0) {
    refuse(`${CONFIG}, head_dim`, `head_dim is ${head_dim}; rotary positions need an even number.`, RESTORE);
  }
  return { num_attention_heads, num_key_value_heads, head_dim };
}
