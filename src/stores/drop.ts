/** Dropped or chosen files: a dataset, a recipe, a model or an adapter, recognised by name and content. */

import type { ErrorData } from '../base/errors';
import { parseUntrusted } from '../base/json';
import { zipNames } from '../formats/zip-names';
import { parseRecipe } from '../recipe/schema';
import { readAsDetected } from '../recipe/sections';
import { useCompare } from './compare';
import { useData } from './data';
import { toErrorData } from './errors';
import { useModel } from './model';
import type { PageName } from './pages';
import { useRecipe } from './recipe';
import { useScreen } from './screen';
import { useTraining } from './training';

export interface NamedFile {
  /** With its folder, e.g. `my-model/config.json`. */
  path: string;
  file: File;
}

export const datasetEndings = [
  ...['.jsonl', '.ndjson', '.json', '.csv', '.tsv', '.txt', '.md', '.conll', '.srt', '.vtt'],
  ...['.xlsx', '.parquet', '.zip', '.gz', '.zst'],
];

const baseName = (path: string) => path.split('/').at(-1) ?? path;

type Kind = 'adapter' | 'model' | 'file' | 'unknown';

async function kindOf(files: NamedFile[]): Promise<Kind> {
  const names = files.map(({ path }) => baseName(path));
  if (names.length === 1 && /\.zip$/i.test(names[0]!)) return kindOfZip(files[0]!.file);
  if (names.includes('adapter_config.json')) return 'adapter';
  if (names.includes('config.json') || names.some((name) => /\.(safetensors|gguf)$/i.test(name))) return 'model';
  return files.length === 1 ? 'file' : 'unknown';
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

async function looksLikeRecipe(file: File): Promise<boolean> {
  if (!file.name.endsWith('.json') || file.size > 100_000) return false;
  try {
    const value = parseUntrusted(await file.text()) as Record<string, unknown>;
    const sections = ['model', 'dataset', 'method', 'objective', 'training'];
    const isSection = (found: unknown) => typeof found === 'object' && found !== null && !Array.isArray(found);
    // A dataset may have a version too, and its rows in a list under one of these names.
    return typeof value.version === 'number' && sections.some((name) => isSection(value[name]));
  } catch {
    return false;
  }
}

export async function openRecipeFile(file: File): Promise<boolean> {
  try {
    useRecipe.getState().replace(parseRecipe(await file.text()));
    return true;
  } catch (cause) {
    const error = toErrorData(cause, 'the file could not be read.');
    const where = [file.name, error.where === 'recipe' ? '' : error.where].filter(Boolean).join(', ');
    useScreen.getState().showError({ ...error, where, message: `The recipe cannot be used: ${error.message}` });
    return false;
  }
}

export async function openDatasetFile(file: File): Promise<boolean> {
  const source = await useData.getState().importFile(file);
  if (source === null) return false;
  const before = useRecipe.getState().recipe.dataset.source;
  // The format and columns chosen for the last file do not apply to this one.
  useRecipe.getState().set({ 'dataset.source': source, ...readAsDetected, name: undefined });
  // A new file under the old name changes no field of the recipe, so the pipeline does not notice.
  if (source === before) void useData.getState().open(useRecipe.getState().recipe.dataset);
  return true;
}

export async function openModelFolder(files: NamedFile[]): Promise<boolean> {
  const source = await useModel.getState().importFolder(files);
  if (source === null) return false;
  const before = useRecipe.getState().recipe.model.source;
  useRecipe.getState().set({ 'model.source': source, 'model.quantization': undefined });
  if (source === before) void useModel.getState().open(useRecipe.getState().recipe.model);
  return true;
}

/** Opens files dropped anywhere on the page; resolves to the page that shows them. */
export async function receiveFiles(files: NamedFile[]): Promise<PageName | null> {
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
      if (await looksLikeRecipe(only)) {
        await openRecipeFile(only);
        return 'recipe';
      }
      await openDatasetFile(only);
      return 'data';
  }
}
