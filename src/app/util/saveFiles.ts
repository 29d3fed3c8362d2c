/** Files that people download. */

import { chunk } from '../../base/chunks';
import { exportBy, recipeFileName, type Trained } from '../../exports';
import { useCompare } from '../../stores/compare';
import { toErrorData } from '../../stores/errors';
import { useMerge } from '../../stores/merge';
import { useRecipe } from '../../stores/recipe';
import { common } from '../text/common';
import { downloadBlob } from './downloadBlob';
import { chooseZip, saveStream } from './saveStream';

const zips = chunk(() => import('../../formats/zip'));

export function saveRecipe(): void {
  const { recipe } = useRecipe.getState();
  const text = `${JSON.stringify(recipe, null, 2)}\n`;
  downloadBlob(new Blob([text], { type: 'application/json' }), recipeFileName(recipe.name));
}

/** What is on the model, or what the recipe would train. */
function trained(): Trained {
  const { adapter } = useCompare.getState();
  const { method, objective } = useRecipe.getState().recipe;
  return adapter ?? { method: method.type, objective: objective.type };
}

export async function saveAdapter(): Promise<void> {
  const adapter = await useCompare.getState().exportAdapter();
  if (!adapter) return;
  try {
    const { createZip } = await zips();
    const zip = await createZip(adapter.files);
    downloadBlob(new Blob([zip], { type: 'application/zip' }), exportBy('adapter').fileName(adapter.name, trained()));
  } catch (cause) {
    useCompare.setState({ exportError: toErrorData(cause, common.archiveFailed) });
  }
}

export async function saveMerged(): Promise<void> {
  const { adapter } = useCompare.getState();
  const { recipe } = useRecipe.getState();
  const name = adapter?.name ?? recipe.name;
  const target = await chooseZip(exportBy('model').fileName(name, trained()));
  if (!target) return;
  await useMerge.getState().merge(async (merged, signal) => {
    const files = merged.files.map(({ path, blob }) => ({ path: `${merged.name}/${path}`, blob }));
    const { zipStream } = await zips();
    await saveStream(target, zipStream(files), signal);
  });
}
