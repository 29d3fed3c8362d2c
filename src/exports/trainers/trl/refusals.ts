/** What of a method and an objective the script cannot have together. */
import { labelsWords } from '../../../base/task';
import type { TrainingData } from '../training-data';
import type { TrlMethod, TrlObjective } from './part';

interface Parts {
  data: TrainingData;
  objective: TrlObjective<{ type: string }>;
  method: TrlMethod<{ type: string }>;
  family: { kind: 'decoder' | 'encoder' };
}

/** A sentence with what to do; null if there is nothing to refuse. */
export function refusalOf({ data, objective, method, family }: Parts): string | null {
  return (
    ofVirtualTokens({ data, objective, method, family }) ??
    method.refusal?.(data.recipe.method, data) ??
    objective.refusal?.(data.recipe.objective, data) ??
    null
  );
}

function ofVirtualTokens({ data, objective, method, family }: Parts): string | null {
  const { virtualTokens } = method;
  if (!virtualTokens) return null;
  if (!objective.virtualTokens) {
    return 'TRL’s trainers of preferences and rewards cannot tell virtual tokens from those of the rows: choose LoRA, or train in Tabtune.';
  }
  if (data.recipe.training.label_smoothing_factor > 0) {
    return 'transformers’ Trainer has no label smoothing with virtual tokens: set training.label_smoothing_factor to 0.';
  }
  const ofTexts = data.task !== null && !labelsWords(data.task);
  return virtualTokens === 'embeddings' && family.kind === 'decoder' && ofTexts
    ? 'Behind virtual tokens, transformers reads the class of a text at the end of its padding: choose prefix tuning or LoRA, or train in Tabtune.'
    : null;
}
