/** Files that people download. */
import { chunk } from '../../base/chunks';
import { type Exported, type ExportId, exportBy, fileName, recipeFileName } from '../../exports';
import { useCompare } from '../../stores/compare';
import { useExports } from '../../stores/exports';
import { useModel } from '../../stores/model';
import { useRecipe } from '../../stores/recipe';
import { downloadBlob } from './downloadBlob';
import { chooseFile, saveStream } from './saveStream';

const zips = chunk(() => import('../../formats/zip'));

export function saveRecipe(): void {
  const { recipe } = useRecipe.getState();
  const text = `${JSON.stringify(recipe, null, 2)}\n`;
  downloadBlob(new Blob([text], { type: 'application/json' }), recipeFileName(recipe.name));
}

type Adapter = ReturnType<typeof useCompare.getState>['adapter'];
type Recipe = ReturnType<typeof useRecipe.getState>['recipe'];

const exportedOf = (adapter: Adapter, { method, objective }: Recipe, family: string | null): Exported => ({
  method: adapter?.settings ?? method,
  objective: adapter?.objective ?? objective.type,
  family,
});

/**
 * What an export is of: what is on the model, or what the recipe would train. Exports that need no training are always of the recipe,
 * whatever is on the model.
 */
export function useExported(): (id: ExportId) => Exported {
  const adapter = useCompare((state) => state.adapter);
  const recipe = useRecipe((state) => state.recipe);
  const family = useModel((state) => state.info?.architecture ?? null);
  return (id) => exportedOf(exportBy(id).needsTraining === false ? null : adapter, recipe, family);
}

/** As it will be saved; null while nothing is on the model. */
export function exportFileName(id: ExportId, exported: Exported): string | null {
  const one = exportBy(id);
  const { adapter } = useCompare.getState();
  const { recipe } = useRecipe.getState();
  if (one.needsTraining === false) return one.fileName(fileName(recipe.name), exported);
  return adapter && one.fileName(fileName(adapter.name), exported);
}

/** Exports what is on the model, and saves it as a zip or, if it is one file, as it is. Called from a press: it may ask where. */
export async function saveExport(id: ExportId): Promise<void> {
  const { adapter } = useCompare.getState();
  const { recipe } = useRecipe.getState();
  const one = exportBy(id);
  const family = useModel.getState().info?.architecture ?? null;
  const exported = exportedOf(one.needsTraining === false ? null : adapter, recipe, family);
  const name = exportFileName(id, exported) ?? one.fileName(fileName(recipe.name), exported);
  // A whole model is too large to be held in memory until it is saved, and a base may go along with a script.
  const target = one.group === 'adapter' ? ({ kind: 'download', name } as const) : await chooseFile(name);
  if (!target) return;
  await useExports.getState().export(id, recipe, async ({ files }, signal) => {
    const only = files.length === 1 && !name.endsWith('.zip') ? files[0]! : null;
    if (only) return saveStream(target, only.blob.stream() as ReadableStream<Uint8Array<ArrayBuffer>>, signal);
    const { zipStream } = await zips();
    // In a folder of its own, so that it unpacks into one.
    const folder = name.replace(/\.zip$/, '');
    await saveStream(target, zipStream(files.map(({ path, blob }) => ({ path: `${folder}/${path}`, blob }))), signal);
  });
}
