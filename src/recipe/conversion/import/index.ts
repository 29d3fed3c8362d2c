/** Another trainer's config file as a recipe. Nothing in it is run, and nothing that it names is fetched. */
import { type ImportedConfig, readConfig } from '../read';
import { notAConfig, trainerOf } from './detect';
import { parseConfig } from './parse';

export type { Assumed, ImportedConfig, Left, Taken } from '../read';

/** `name` is the file's, which may say which of TRL's trainers it is for. Throws bad_recipe. */
export function importConfig(text: string, name = ''): ImportedConfig {
  const config = parseConfig(text);
  const trainer = trainerOf(config);
  if (trainer === null) throw notAConfig(config);
  // A word boundary is wanted between `dpo_config` and `dpo`.
  return readConfig(trainer, config, name.toLowerCase().replace(/[^a-z0-9]+/g, ' '));
}

/** Whether a file is such a config, and not data: for files that are dropped without a word. */
export function isConfig(text: string): boolean {
  try {
    return trainerOf(parseConfig(text)) !== null;
  } catch {
    return false;
  }
}
