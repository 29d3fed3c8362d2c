/** The classification head of a checkpoint. */
import type { LanguageModel } from '../../engine/models/model';
import type { Quantization } from '../../engine/models/upload';
import { readHead, withTaskHead } from '../../engine/models/with-head';
import type { CheckedModel } from '../../hub/check';
import type { ModelWeights } from '../../hub/weights';
import type { HeadSource } from './adapters';

/** The model with its checkpoint's classification head, or as it is if there is none. */
export async function checkpointHead(
  base: LanguageModel,
  { head: stored }: CheckedModel,
  source: ModelWeights,
  quantization: Quantization,
): Promise<{ model: LanguageModel; head: HeadSource }> {
  const head: HeadSource = { source, load: { quantization } };
  if (!stored) return { model: base, head };
  const { labels, problemType } = stored;
  const task = { labels, problemType };
  const values = await readHead(base, stored, source);
  return {
    model: await withTaskHead(base, task, { seed: 0, values, ...head }),
    head: { ...head, stored: { task, values } },
  };
}
