/** JSON files of a model folder. */

import { COMPLETE_FOLDER, refuse } from '../base/bad-model';
import { parseUntrusted } from '../base/json';
import type { ModelFolder } from './types';

/** Parses a JSON object from a file of at most `limit` bytes. Throws `bad_model`. */
export async function readJson(folder: ModelFolder, file: string, limit: number): Promise<Record<string, unknown>> {
  if (!folder.has(file)) refuse(file, `The model folder has no ${file}.`, COMPLETE_FOLDER);
  const size = folder.size(file) ?? 0;
  if (size > limit) refuse(file, `${file} is ${size} bytes, far larger than it should be.`, COMPLETE_FOLDER);
  const text = await folder.text(file);
  let value: unknown;
  try {
    value = parseUntrusted(text);
  } catch (cause) {
    refuse(file, `${file} is not valid JSON.`, COMPLETE_FOLDER, String(cause).slice(0, 300));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(file, `${file} is not a JSON object.`, COMPLETE_FOLDER);
  }
  return value as Record<string, unknown>;
}
