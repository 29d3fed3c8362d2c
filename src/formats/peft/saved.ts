/** Separates an adapter's tensors of modules_to_save, which have the checkpoint's names and replace its tensors. */
import { endsInModule } from '../../base/module-names';
import type { PeftTensors, SplitTensors } from './kind';

/** Whether a tensor belongs to a module that is saved in full. */
export function isSaved(name: string, saved: readonly string[] | null): boolean {
  if (!saved) return false;
  const parts = name.split('.');
  return parts.some((_, i) => i > 0 && saved.some((module) => endsInModule(parts.slice(0, i).join('.'), module)));
}

/** The tensors of the file, and those of the method itself. */
export function splitTensors(all: PeftTensors, saved: readonly string[] | null): SplitTensors {
  return { all, own: new Map([...all].filter(([name]) => !isSaved(name, saved))) };
}
