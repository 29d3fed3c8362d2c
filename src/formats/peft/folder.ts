/**
 * The folder in which PEFT saves an adapter: `adapter_config.json` and `adapter_model.safetensors`
 * (huggingface/peft, src/peft/config.py and src/peft/utils/save_and_load.py).
 */
import { parseUntrusted, utf8Text } from '../../base/json';
import { CONFIG_LIMIT } from '../../base/limits';
import { EXPORT_AGAIN, refuse } from './refuse';

export const ADAPTER_CONFIG = 'adapter_config.json';
export const ADAPTER_WEIGHTS = 'adapter_model.safetensors';

/** The contents of the two files: the parsed config, and the weights as stored. */
export interface PeftFiles {
  config: Record<string, unknown>;
  weights: Uint8Array;
}

/** `adapter_config.json` as PEFT writes it: indented by two spaces, keys sorted, no newline at the end. */
export function formatAdapterConfig(config: Record<string, unknown>): string {
  return JSON.stringify(sortKeys(config), null, 2);
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  );
}

/** The files of the folder, ready for a zip or a directory. */
export function peftFolder(files: PeftFiles): { path: string; bytes: Uint8Array }[] {
  return [
    { path: ADAPTER_CONFIG, bytes: new TextEncoder().encode(formatAdapterConfig(files.config)) },
    { path: ADAPTER_WEIGHTS, bytes: files.weights },
  ];
}

/** Finds the two files of a PEFT folder among `files`, which may be inside an enclosing directory. */
export function readPeftFolder(files: readonly { path: string; bytes: Uint8Array }[]): PeftFiles {
  const find = (name: string) => {
    const found = files.filter(({ path }) => path === name || path.endsWith(`/${name}`));
    if (found.length > 1) {
      refuse(name, `The folder contains ${found.length} adapters.`, 'Drop the folder of one adapter.');
    }
    return found[0];
  };
  const config = find(ADAPTER_CONFIG);
  if (!config) {
    refuse(ADAPTER_CONFIG, 'The folder has no adapter_config.json, so it is not a PEFT adapter.', EXPORT_AGAIN);
  }
  const weights = find(ADAPTER_WEIGHTS);
  if (!weights) {
    const pickled = find('adapter_model.bin') !== undefined;
    refuse(
      ADAPTER_WEIGHTS,
      pickled
        ? 'The adapter is saved as a pickled adapter_model.bin, which can run code when opened.'
        : 'The folder has no adapter_model.safetensors.',
      EXPORT_AGAIN,
    );
  }
  return { config: parseAdapterConfig(config.bytes), weights: weights.bytes };
}

/** Parses the bytes of `adapter_config.json`. */
export function parseAdapterConfig(bytes: Uint8Array): Record<string, unknown> {
  if (bytes.length > CONFIG_LIMIT) {
    refuse(ADAPTER_CONFIG, `The file has ${bytes.length} bytes; a PEFT config has only a few hundred.`, EXPORT_AGAIN);
  }
  let value: unknown;
  try {
    value = parseUntrusted(utf8Text(bytes));
  } catch (cause) {
    refuse(ADAPTER_CONFIG, 'The file is not valid JSON.', EXPORT_AGAIN, String(cause));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(ADAPTER_CONFIG, 'The file is not a JSON object.', EXPORT_AGAIN);
  }
  return value as Record<string, unknown>;
}
