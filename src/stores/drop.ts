/** Dropped or chosen files: a dataset, a recipe, a model or an adapter, recognised by name and content. */

import { chunk } from '../base/chunks';
import type { ErrorData } from '../base/errors';
import { parseUntrusted } from '../base/json';
import { zipNames } from '../formats/zip-names';
import { parseRecipe } from '../recipe/schema';
import { useCompare } from './compare';
import { toErrorData } from './errors';
import { useImported } from './imported';
import { useModel } from './model';
import type { PageName } from './pages';
import { useRecipe } from './recipe';
import { useScreen } from './screen';
import { useTraining } from './training';

const library = chunk(() => import('./library'));
const conversion = chunk(() => import('../recipe/conversion/import'));
const gguf = chunk(() => import('../formats/gguf'));

const GGUF_BEGINNING = 64 * 1024;

export interface NamedFile {
  /** With its folder, e.g. `my-model/config.json`. */
  path: string;
  file: File;
}

const baseName = (path: string) => path.split('/').at(-1) ?? path;

type Kind = 'adapter' | 'model' | 'file' | 'unknown';

async function kindOf(files: NamedFile[]): Promise<Kind> {
  const names = files.map(({ path }) => baseName(path));
  if (names.length === 1 && /\.zip$/i.test(names[0]!)) return kindOfZip(files[0]!.file);
  if (names.length === 1 && /\.gguf$/i.test(names[0]!)) return kindOfGguf(files[0]!.file);
  // By itself it holds settings, and no adapter.
  if (names.includes('adapter_config.json') && names.length > 1) return 'adapter';
  if (names.includes('config.json') || names.some((name) => /\.(safetensors|gguf)$/i.test(name))) return 'model';
  return files.length === 1 ? 'file' : 'unknown';
}

/** llama.cpp stores adapters in files of the same format, and says so before the long lists. */
async function kindOfGguf(file: File): Promise<Kind> {
  const { earlyValue } = await gguf();
  const bytes = new Uint8Array(await file.slice(0, GGUF_BEGINNING).arrayBuffer());
  return earlyValue(bytes, 'general.type') === 'adapter' ? 'adapter' : 'model';
}

/** What is in an archive decides where it goes; what cannot be listed is opened as data, which says what is wrong with it. */
async function kindOfZip(file: File): Promise<Kind> {
  const names = (await zipNames(file)).map(baseName);
  if (names.includes('adapter_config.json')) return 'adapter';
  return names.some((name) => /\.(safetensors|gguf)$/i.test(name)) ||
    (names.includes('config.json') && names.includes('tokenizer.json'))
    ? 'model'
    : 'file';
}

const refuse = (error: ErrorData): null => {
  useScreen.getState().showError(error);
  return null;
};

const isSection = (found: unknown) => typeof found === 'object' && found !== null && !Array.isArray(found);

/** A recipe of Tabtune's, by its sections. */
function isRecipe(text: string, needsVersion: boolean): boolean {
  try {
    const value = parseUntrusted(text) as Record<string, unknown>;
    const sections = ['model', 'dataset', 'method', 'objective', 'training'];
    // A dataset may have a version too, and its rows in a list under one of these names.
    return (!needsVersion || typeof value.version === 'number') && sections.some((name) => isSection(value[name]));
  } catch {
    return false;
  }
}

const MOST_BYTES = 1_000_000;

/** What a dropped file holds besides data; YAML is never data. */
async function settingsIn(file: File): Promise<'recipe' | 'config' | null> {
  if (/\.ya?ml$/i.test(file.name)) return 'config';
  if (!/\.json$/i.test(file.name) || file.size > MOST_BYTES) return null;
  const text = await file.text();
  if (isRecipe(text, true)) return 'recipe';
  return (await conversion()).isConfig(text) ? 'config' : null;
}

function refuseRecipe(name: string, cause: unknown): boolean {
  const error = toErrorData(cause, 'the file could not be read.');
  const where = [name, error.where === 'recipe' ? '' : error.where].filter(Boolean).join(', ');
  useScreen.getState().showError({ ...error, where, message: `The recipe cannot be used: ${error.message}` });
  return false;
}

/** Another trainer's config is offered, and not taken over: not all of it has a place here. */
async function offerConfig(file: File): Promise<boolean> {
  try {
    const { importConfig } = await conversion();
    useImported.getState().offer(file.name, importConfig(await file.text(), file.name));
    return true;
  } catch (cause) {
    return refuseRecipe(file.name, cause);
  }
}

/** A recipe, or the config of another trainer. */
export async function openRecipeFile(file: File): Promise<boolean> {
  const text = await file.text();
  const yaml = /\.ya?ml$/i.test(file.name);
  if (yaml || (!isRecipe(text, false) && (await conversion()).isConfig(text))) return offerConfig(file);
  try {
    useRecipe.getState().apply(file.name, parseRecipe(text));
    return true;
  } catch (cause) {
    return refuseRecipe(file.name, cause);
  }
}

export async function openDatasetFile(file: File): Promise<boolean> {
  const { useLibrary } = await library();
  return useLibrary.getState().add(file);
}

export async function openModelFolder(files: NamedFile[]): Promise<boolean> {
  const source = await useModel.getState().importFolder(files);
  if (source === null) return false;
  const before = useRecipe.getState().recipe.model.source;
  useRecipe.getState().set({ 'model.source': source, 'model.quantization': undefined });
  if (source === before) void useModel.getState().open(useRecipe.getState().recipe.model);
  return true;
}

/**
 * Opens files dropped anywhere on the page; resolves to the page that shows them. `arrive` is told of it before a file is read,
 * which may take a while.
 */
export async function receiveFiles(
  files: NamedFile[],
  arrive: (page: PageName) => void = () => {},
): Promise<PageName | null> {
  useScreen.getState().showError(null);
  if (files.length === 0) return null;
  if (useTraining.getState().phase !== 'idle') {
    return refuse({
      code: 'bad_data',
      message: 'A run is in progress, so nothing else can be opened now.',
      action: 'Stop it, or drop the file again when it has ended.',
    });
  }
  const only = files[0]!.file;
  switch (await kindOf(files)) {
    case 'adapter':
      await useCompare.getState().importAdapter(files);
      return 'compare';
    case 'model':
      if (/\.zip$/i.test(only.name)) {
        return refuse({
          code: 'bad_model',
          message: 'This archive holds a model.',
          where: only.name,
          action: 'Unpack it and drop the folder.',
        });
      }
      await openModelFolder(files);
      return 'model';
    case 'unknown':
      return refuse({
        code: 'bad_data',
        message: `${files.length} files were dropped together, and they are neither a model nor an adapter.`,
        action: 'Drop one dataset file, or the whole folder of a model with its config.json.',
      });
    default:
      if ((await settingsIn(only)) !== null) {
        await openRecipeFile(only);
        return 'recipe';
      }
      arrive('data');
      await openDatasetFile(only);
      return 'data';
  }
}
