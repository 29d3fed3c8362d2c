/** A model's folder by its source, whoever serves it. */
import { openBuiltinModel } from './builtin';
import { refuse } from './errors';
import { openStoredModel } from './folder';
import type { ModelFolder } from './types';

/**
 * Opens `builtin:NAME` or `file:NAME`. `baseUrl` is the page's (`document.baseURI`): a worker's own address is that of
 * its script. Reads no weights. Throws `bad_model`, `network`, `storage`.
 */
export async function openModelFolder(source: string, { baseUrl }: { baseUrl: string | URL }): Promise<ModelFolder> {
  const colon = source.indexOf(':');
  const scheme = source.slice(0, colon);
  const name = source.slice(colon + 1);
  if (scheme === 'hf') {
    refuse(
      source,
      'Models cannot be fetched from the Hugging Face Hub yet.',
      'Download the model folder, then drop it here.',
    );
  }
  if ((scheme !== 'builtin' && scheme !== 'file') || name === '' || /[/\\]|^\.\.?$/.test(name)) {
    refuse(
      source,
      'This is not the name of a model.',
      'Use builtin:NAME for a built-in model or file:NAME for a dropped one.',
    );
  }
  return scheme === 'builtin' ? openBuiltinModel(name, baseUrl) : openStoredModel(name);
}
