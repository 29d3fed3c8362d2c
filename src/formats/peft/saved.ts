/** The tensors of modules_to_save among an adapter's: they go by the checkpoint's names and stand in for its tensors. */
import { endsInModule } from '../../base/module-names';
import type { PeftAdapter, PeftTensors } from './types';

/** Whether a tensor lies within a module that is saved whole. */
export function isSaved(name: string, saved: readonly string[] | null): boolean {
  if (!saved) return false;
  const parts = name.split('.');
  return parts.some((_, i) => i > 0 && saved.some((module) => endsInModule(parts.slice(0, i).join('.'), module)));
}

/** The method's own tensors and those of modules_to_save, apart. */
export function splitTensors(
  tensors: PeftTensors,
  saved: PeftAdapter['config']['modules_to_save'],
): { own: PeftTensors; saved: PeftTensors } {
  const parts = { own: new Map() as PeftTensors, saved: new Map() as PeftTensors };
  for (const [name, tensor] of tensors) (isSaved(name, saved) ? parts.saved : parts.own).set(name, tensor);
  return parts;
}
