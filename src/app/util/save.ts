/** Files that people download. */
import { createZip, zipStream } from '../../formats/zip';
import { leavesModel } from '../../recipe/kinds';
import type { MethodType } from '../../recipe/types';
import { useCompare } from '../../stores/compare';
import { toErrorData } from '../../stores/errors';
import { useMerge } from '../../stores/merge';
import { useRecipe } from '../../stores/recipe';
import { common } from '../text/common';
import { downloadBlob } from './download';
import { chooseZip, saveStream } from './saveAs';

const fileName = (name: string) => name.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[-.]+|[-.]+$/g, '') || 'tabtune';

export function saveRecipe(): void {
  const { recipe } = useRecipe.getState();
  const text = `${JSON.stringify(recipe, null, 2)}\n`;
  downloadBlob(new Blob([text], { type: 'application/json' }), `${fileName(recipe.name)}.recipe.json`);
}

/** Name of the file that `Export adapter` makes, e.g. `pirate-chat-lora.zip`. */
export function adapterFileName(name: string, method: MethodType): string {
  const clean = fileName(name);
  const kind = method.replace('_tuning', '');
  return clean.toLowerCase().endsWith(kind) ? `${clean}.zip` : `${clean}-${kind}.zip`;
}

export async function saveAdapter(): Promise<void> {
  const adapter = await useCompare.getState().exportAdapter();
  if (!adapter) return;
  try {
    const zip = await createZip(adapter.files);
    downloadBlob(
      new Blob([zip], { type: 'application/zip' }),
      adapterFileName(adapter.name, useCompare.getState().adapter?.method ?? 'lora'),
    );
  } catch (cause) {
    useCompare.setState({ exportError: toErrorData(cause, common.archiveFailed) });
  }
}

/** Name of the file that `Export merged model` makes, e.g. `pirate-chat-merged.zip`; `Export model` makes `…-model.zip`. */
export function mergedFileName(name: string, method: MethodType): string {
  return `${fileName(name)}-${leavesModel(method) ? 'model' : 'merged'}.zip`;
}

export async function saveMerged(): Promise<void> {
  const { adapter } = useCompare.getState();
  const { recipe } = useRecipe.getState();
  const name = adapter?.name ?? recipe.name;
  const target = await chooseZip(mergedFileName(name, adapter?.method ?? recipe.method.type));
  if (!target) return;
  await useMerge.getState().merge(async (merged, signal) => {
    const files = merged.files.map(({ path, blob }) => ({ path: `${merged.name}/${path}`, blob }));
    await saveStream(target, zipStream(files), signal);
  });
}
