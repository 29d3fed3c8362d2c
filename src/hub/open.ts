/** Opens a model folder by its source, wherever it is stored. */

import { refuse } from '../base/bad-model';
import { openBuiltinModel } from './builtin';
import { openCachedModel } from './cache';
import { openStoredModel } from './folder';
import { withGguf } from './gguf/with-gguf';
import type { ModelFolder } from './types';

/**
 * Opens `builtin:NAME`, `file:NAME`, or a downloaded `hf:ORG/NAME`. `baseUrl` is the page's (`document.baseURI`),
 * because a worker's own address is that of its script. Reads no weights. Throws `bad_model`, `network`, `storage`.
 */
export async function openModelFolder(source: string, { baseUrl }: { baseUrl: string | URL }): Promise<ModelFolder> {
  const colon = source.indexOf(':');
  const scheme = source.slice(0, colon);
  const name = source.slice(colon + 1);
  if (scheme === 'hf') return withGguf(await openCachedModel(source));
  if ((scheme !== 'builtin' && scheme !== 'file') || name === '' || /[/\\]|^\.\.?$/.test(name)) {
    refuse(
      source,
      'This is not a model source.',
      'Use builtin:NAME for a built-in model, file:NAME for one you added, or hf:ORG/NAME for one from the Hugging Face Hub.',
    );
  }
  return scheme === 'builtin' ? openBuiltinModel(name, baseUrl) : withGguf(await openStoredModel(name));
}
