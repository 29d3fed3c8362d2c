/** What goes along with every script or config: what training starts from, the recipe, and a base that nobody finds elsewhere. */
import type { AdapterFiles } from '../../formats/adapter-format';
import type { Recipe } from '../../recipe/types';
import type { ExportedFile, ExportJob, ExportSource } from '../export';
import { type BaseModel, baseFiles } from './base-model';

/** Of the adapter that training starts from. */
export const ADAPTER_FOLDER = 'init_adapter';

interface RunParts {
  recipe: Recipe;
  base: BaseModel;
  /** Null, or empty, where there is none. */
  adapter: AdapterFiles | null;
}

export async function runFiles(
  { model }: Pick<ExportSource, 'model'>,
  { recipe, base, adapter }: RunParts,
  job: ExportJob,
): Promise<ExportedFile[]> {
  const { folder } = model;
  const total = folder.files.reduce((sum, name) => sum + (folder.size(name) ?? 0), 0);
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    job.onProgress({ phase: 'writing', done, total });
  };
  return [
    ...(adapter ?? []).map(({ path, bytes }) => ({
      path: `${ADAPTER_FOLDER}/${path}`,
      blob: new Blob([bytes as BlobPart]),
    })),
    { path: 'recipe.json', blob: new Blob([`${JSON.stringify(recipe, null, 2)}\n`]) },
    ...(await baseFiles(model, base, { signal: job.signal, onBytes })),
  ];
}
