/** Folders that hold a GGUF file instead of a config, opened by code that is loaded when the first of them is. */
import { refuse } from '../../base/bad-model';
import { chunk } from '../../base/chunks';
import type { ModelFolder } from '../types';

const gguf = chunk(() => import('./folder'));

/** The only GGUF file of a folder without other weights; null if there is none. */
function ggufFileOf({ files, has }: ModelFolder): string | null {
  if (has('model.safetensors') || has('model.safetensors.index.json')) return null;
  const found = files.filter((name) => /\.gguf$/i.test(name));
  if (found.length < 2) return found[0] ?? null;
  const [first, second] = found as [string, string];
  if (/-\d{5}-of-\d{5}\.gguf$/i.test(first)) {
    refuse(first, 'The model is split into several GGUF files.', 'Join them with llama-gguf-split --merge.');
  }
  refuse(first, `There are ${found.length} GGUF files, ${first} and ${second} among them.`, 'Drop only one of them.');
}

/**
 * The folder itself, or one made from its GGUF file. Reads only the file's header. Throws `bad_model`.
 */
export async function withGguf(folder: ModelFolder): Promise<ModelFolder> {
  if (folder.tensors) return folder;
  const name = ggufFileOf(folder);
  return name === null ? folder : (await gguf()).openGgufFolder(folder, name);
}
