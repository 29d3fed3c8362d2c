/** Untrusted JSON of a tokenizer's files. */
import { parseUntrusted } from '../../../base/json';

export type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Empty for what is no object. */
export function parseJson(text: string): Json {
  try {
    const value = parseUntrusted(text.replace(/^\uFEFF/, ''));
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** A special token's text: a string, or an object with its flags. */
export function contentOf(value: unknown): string | null {
  const content = isObject(value) ? value.content : value;
  return typeof content === 'string' && content !== '' ? content : null;
}
