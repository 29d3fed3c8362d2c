/** The tensors of modules_to_save among an adapter's: they go by the checkpoint's names and stand in for its tensors. */
import { endsInModule } from '../../base/module-names';
import type { PeftTensors, SplitTensors } from './kind';

/** Whether a tensor lies within a module that is saved whole. */
export function isSaved(name: string, saved: readonly string[] | null): boolean {
  if (!saved) return false;
  const parts = name.split('.');
  return parts.some((_, i) => i > 0 && saved.some((module) => endsInModule(parts.slice(0, i).join('.'), module)));
}

/** The tensors of the file, and the method's own among them. */
export function splitTensors(all: PeftTensors, saved: readonly string[] | null): SplitTensors {
  return { all, own: new Map([...all].filter(([name]) => !isSaved(name, saved))) };
}
