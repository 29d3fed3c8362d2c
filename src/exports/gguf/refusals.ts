/** What llama.cpp has no place for, whatever the file holds. */
import { familyNamed } from '../../families';
import { objectiveOf } from '../../objectives';
import type { Exported } from '../export';

/** Null if llama.cpp can run such a model. */
export function notForLlamaCpp({ family, objective }: Exported): string | null {
  const { learns, writes } = objectiveOf({ type: objective });
  if (learns === 'labels') {
    return 'llama.cpp writes text, and its files have no place for a head that classifies or scores. Export for transformers instead.';
  }
  if (!writes) {
    return 'llama.cpp runs encoders only to embed texts, without the head that was trained. Export for transformers instead.';
  }
  if (family !== null && !familyNamed(family).llamaCpp) {
    return 'Tabtune does not know how llama.cpp stores models of this family. Export for transformers instead.';
  }
  return null;
}
