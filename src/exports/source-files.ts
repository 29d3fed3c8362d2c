/** Files that several exports take from the open model. */
import { TOKENIZER_FILES } from '../hub/types';
import type { ExportedFile, ExportJob, ExportSource } from './export';

export const jsonBlob = (value: unknown): Blob => new Blob([`${JSON.stringify(value, null, 2)}\n`]);

export async function tokenizerFilesOf({ model: { folder } }: Pick<ExportSource, 'model'>): Promise<ExportedFile[]> {
  const names = TOKENIZER_FILES.filter((name) => folder.has(name));
  return Promise.all(names.map(async (path) => ({ path, blob: new Blob([await folder.bytes(path)]) })));
}

/** A base that comes with Tabtune cannot be found elsewhere, so it goes along with its adapter. `folder` is left out where it does not. */
export async function builtinBase(
  { model }: Pick<ExportSource, 'model'>,
  { withoutBase }: ExportJob,
): Promise<{ files: ExportedFile[]; folder?: string }> {
  if (withoutBase || !model.folder.source.startsWith('builtin:')) return { files: [] };
  const folder = 'base';
  const files = model.folder.files.map(async (name) => ({
    path: `${folder}/${name}`,
    blob: new Blob([await model.folder.bytes(name)]),
  }));
  return { files: await Promise.all(files), folder };
}
