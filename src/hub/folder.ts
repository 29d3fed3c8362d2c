/** Model folders that people add themselves: just dropped, or stored in this browser. */

import { COMPLETE_FOLDER, refuse } from '../base/bad-model';
import { TabtuneError } from '../base/errors';
import type { BlobReader } from '../storage/chunks';
import { listFiles, openFile, putFolder } from '../storage/files';
import { blobFolder } from './blob-folder';
import { type CheckedModel, checkModelFolder } from './check';
import type { ModelFolder } from './types';

/** A file of a dropped folder, with its path relative to the drop. */
export interface DroppedFile {
  path: string;
  file: Blob;
}

/** The topmost directory with a config.json, or else the topmost with any file. Ends with a slash, or is empty. */
function modelDirectory(files: readonly DroppedFile[]): string {
  const directories = files.map(({ path }) => path.slice(0, path.lastIndexOf('/') + 1));
  const depth = (directory: string) => directory.split('/').length;
  const withConfig = directories.filter((directory, i) => files[i]!.path === `${directory}config.json`);
  return [...(withConfig.length > 0 ? withConfig : directories)].sort((a, b) => depth(a) - depth(b))[0] ?? '';
}

/** Where sentence-transformers stores how embeddings are pooled: the only file read from a subfolder. */
const POOLING = /^\d+_Pooling\/config\.json$/;

/** The files directly in that directory, by name, and the pooling config. Hidden files and subfolders are skipped. */
function modelFiles(files: readonly DroppedFile[]): Map<string, Blob> {
  const directory = modelDirectory(files);
  const inside = new Map<string, Blob>();
  for (const { path, file } of files) {
    const name = path.slice(directory.length);
    const wanted = POOLING.test(name) || (!name.includes('/') && !name.startsWith('.'));
    if (path.startsWith(directory) && wanted) inside.set(name, file);
  }
  return inside;
}

/** A dropped folder, read from where it is on disk. */
export function droppedModelFolder(source: string, files: readonly DroppedFile[]): ModelFolder {
  const inside = modelFiles(files);
  const blob = (name: string): Blob =>
    inside.get(name) ?? refuse(name, 'The model folder has no such file.', COMPLETE_FOLDER);
  const read = (name: string, start?: number, end?: number): Promise<ArrayBuffer> =>
    blob(name)
      .slice(start, end)
      .arrayBuffer()
      .catch((cause) => {
        throw TabtuneError.from(cause, {
          code: 'bad_model',
          message: 'The file could not be read. It may have been changed, moved or deleted after you chose it.',
          where: name,
          action: 'Drop the model folder again.',
        });
      });
  return blobFolder(source, inside, read);
}

/** Opens a model folder stored as `model/NAME/…`. Throws `bad_model` if there is none. */
export async function openStoredModel(name: string): Promise<ModelFolder> {
  const prefix = `model/${name}/`;
  const sizes = new Map((await listFiles(`model/${name}`)).map(({ id, size }) => [id.slice(prefix.length), size]));
  if (sizes.size === 0) {
    refuse(`file:${name}`, 'This model is not stored in this browser.', 'Drop its folder again.');
  }
  const readers = new Map<string, Promise<BlobReader | null>>();
  const open = async (file: string): Promise<BlobReader> => {
    const opening = readers.get(file) ?? openFile(prefix + file);
    readers.set(file, opening);
    const reader = await opening;
    if (!reader) {
      readers.delete(file);
      refuse(file, 'The model folder has no such file.', 'Delete the model and drop its folder again.');
    }
    return reader;
  };
  const read = async (file: string, start?: number, end?: number) => (await open(file)).read(start, end);
  return {
    source: `file:${name}`,
    files: [...sizes.keys()],
    has: (file) => sizes.has(file),
    size: (file) => sizes.get(file),
    text: async (file) => new TextDecoder().decode(await read(file)),
    bytes: read,
    hash: async (file) => (await open(file)).hash(),
  };
}

/** The configs, tokeniser files and documents kept besides the weights; not pickles or other copies of the weights. */
const KEPT = /\.(json|jinja|txt|md|model)$|^(license|licence|notice)$/i;

/** Checks a dropped folder and stores it as `model/NAME`. Throws `bad_model` or `storage_full`, storing nothing. */
export async function importModelFolder(name: string, files: readonly DroppedFile[]): Promise<CheckedModel> {
  const checked = await checkModelFolder(droppedModelFolder(`file:${name}`, files));
  const weights = new Set([...checked.tensors.values()].map(({ file }) => file));
  const kept = [...modelFiles(files)].filter(([file]) => weights.has(file) || KEPT.test(file));
  await putFolder(
    `model/${name}`,
    kept.map(([file, source]) => ({ name: file, source })),
  );
  return checked;
}
