/** Separates an adapter's tensors of modules_to_save, which have the checkpoint's names and replace its tensors. */
import { isSaved } from '../../base/saved-modules';
import type { PeftTensors, SplitTensors } from './kind';

/** The tensors of the file, and those of the method itself. */
export function splitTensors(all: PeftTensors, saved: readonly string[] | null): SplitTensors {
  return { all, own: new Map([...all].filter(([name]) => !isSaved(name, saved ?? []))) };
}
