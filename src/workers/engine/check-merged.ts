/**
 * Opens a merged folder as transformers would: names, types and ties come from its files alone. Then its logits are compared with
 * those of the model that was merged.
 */
import { TabtuneError } from '../../base/errors';
import { textScores } from '../../engine/classification/classify';
import { textLogits } from '../../engine/generation/generate';
import { inference } from '../../engine/methods/method';
import { loadModel } from '../../engine/models';
import type { LanguageModel } from '../../engine/models/model';
import type { Hooks } from '../../engine/types';
import { canAllocate } from '../../engine/webgpu/backend';
import { checkModelFolder } from '../../hub/check';
import { type DroppedFile, droppedModelFolder } from '../../hub/folder';
import { settleTies } from '../../hub/ties';
import { openWeights } from '../../hub/weights';
import type { MergedDtype, MergeProgress } from '../../session/api';
import { type MergeModel, stopIfAsked } from './merge';
import { checkpointHead } from './stored-head';

export interface MergedFolder {
  dtype: MergedDtype;
  files: DroppedFile[];
  /** Texts, as token ids, on which the logits are compared. */
  probes: Int32Array[];
}

export interface MergeCheck {
  /** Largest difference of a logit from the model that was merged; null where the GPU has no room for both. */
  maxLogitDifference: number | null;
  /** Largest logit of the latter, to judge the difference by. */
  largestLogit: number | null;
}

/** Largest difference that rounding may make, as a share of the largest logit; several times what was seen on tiny models. */
const ROUNDING: Record<MergedDtype, number> = { F32: 1e-3, F16: 0.05, BF16: 0.3 };

const wrong = (message: string, details: string): TabtuneError =>
  new TabtuneError({
    code: 'internal',
    message,
    where: 'model.safetensors',
    action: 'Nothing was saved. Export the adapter instead where there is one, and report this.',
    details,
  });

export async function checkMerged(
  merged: MergeModel,
  { dtype, files, probes }: MergedFolder,
  onProgress: (progress: MergeProgress) => void = () => {},
  signal?: AbortSignal,
): Promise<MergeCheck> {
  onProgress({ phase: 'checking', done: 0, total: probes.length });
  const { model, method } = merged;
  const checked = await settleTies(await checkModelFolder(droppedModelFolder('file:merged', files)));
  const { classification, lm } = model.heads;
  const tied = model.ties.length > 0;
  if (!classification && lm && checked.config.tie_word_embeddings !== tied) {
    throw wrong(
      'The merged file would not be read as the model that was trained.',
      tied ? 'It holds an output projection that differs from the embedding.' : 'It ties what was trained apart.',
    );
  }
  const weights = openWeights(checked);
  if ((!classification && !lm) || !(await canAllocate(weights.bytes))) {
    return { maxLogitDifference: null, largestLogit: null };
  }
  const bare = await loadModel(checked.json, weights);
  let other = bare;
  const logits = (of: LanguageModel, hooks: Hooks, ids: Int32Array) =>
    classification ? textScores(of, hooks, ids) : textLogits(of, hooks, ids);
  let difference = 0;
  let largest = 0;
  try {
    other = (await checkpointHead(bare, checked, weights, 'none')).model;
    for (const [i, ids] of probes.entries()) {
      stopIfAsked(signal);
      const trained = await logits(model, method?.hooks(inference()) ?? {}, ids);
      const stored = await logits(other, {}, ids);
      for (let j = 0; j < trained.length; j++) {
        difference = Math.max(difference, Math.abs(trained[j]! - stored[j]!));
        largest = Math.max(largest, Math.abs(trained[j]!));
      }
      onProgress({ phase: 'checking', done: i + 1, total: probes.length });
    }
  } finally {
    if (other !== bare) other.dispose();
    bare.dispose();
  }
  // Not a number where a logit is none.
  if (!(largest < Number.POSITIVE_INFINITY) || !(difference <= ROUNDING[dtype] * largest)) {
    throw wrong(
      Number.isFinite(difference)
        ? `The merged file does not compute what was trained: a logit differs by ${difference.toPrecision(2)}, and the largest is ${largest.toPrecision(2)}.`
        : 'The merged file gives logits that are not numbers.',
      `the largest difference is ${difference}`,
    );
  }
  return { maxLogitDifference: difference, largestLogit: largest };
}
