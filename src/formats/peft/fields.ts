/** Reads and checks the fields of an untrusted adapter_config.json. Omitted fields have PEFT's defaults. */
import { ADAPTER_CONFIG } from './folder';
import { EXPORT_AGAIN, refuse } from './refuse';

export type Json = Record<string, unknown>;

export const fieldPlace = (key: string) => `${ADAPTER_CONFIG}, ${key}`;

function impossible(key: string, value: unknown): never {
  refuse(fieldPlace(key), `${JSON.stringify(value)?.slice(0, 80)} is not a valid value.`, EXPORT_AGAIN);
}

export const present = (config: Json, key: string) => config[key] !== undefined && config[key] !== null;

export function numberField(config: Json, key: string, fallback: number, valid: (n: number) => boolean): number {
  const value = config[key] ?? fallback;
  if (typeof value !== 'number' || !valid(value)) impossible(key, value);
  return value;
}

const LARGEST = 65_536;
const isCount = (n: number) => Number.isInteger(n) && n >= 1 && n <= LARGEST;

export const countField = (config: Json, key: string, fallback = 0): number =>
  numberField(config, key, fallback, isCount);

export function textField<T extends string>(config: Json, key: string, fallback: T, choices: readonly T[]): T {
  const value = config[key] ?? fallback;
  if (!choices.includes(value as T)) impossible(key, value);
  return value as T;
}

export function stringOrNull(config: Json, key: string): string | null {
  const value = config[key];
  return typeof value === 'string' ? value : null;
}

/** Null if it is not a list of strings: for module names, PEFT also accepts regular expressions and 'all-linear'. */
export function namesField(config: Json, key: string): string[] | null {
  const value = config[key];
  return Array.isArray(value) && value.every((name) => typeof name === 'string') ? [...(value as string[])] : null;
}

/** rank_pattern and alpha_pattern. */
export function patternField(config: Json, key: string, valid: (n: number) => boolean): Record<string, number> {
  const value = config[key] ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) impossible(key, value);
  for (const [name, number] of Object.entries(value as Json)) {
    if (typeof number !== 'number' || !valid(number)) impossible(`${key}, ${name.slice(0, 80)}`, number);
  }
  return { ...(value as Record<string, number>) };
}

export const rankPattern = (config: Json) => patternField(config, 'rank_pattern', isCount);
