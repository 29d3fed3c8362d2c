/** From a padded batch to what a model's forward pass takes. */
import type { Batch } from '../../data/types';
import { causalVisible, fullVisible } from '../kernels/attention/visible';
import { int32Input } from '../kernels/inputs';
import type { LanguageModel, ModelInput } from '../models/model';

export type InputBatch = Pick<Batch, 'batchSize' | 'length' | 'ids' | 'lengths' | 'starts'>;

/**
 * Decoders see what came before, encoders the whole text. Where texts are packed, positions begin anew with each, and none
 * sees another. `ids` stand in for the batch's own.
 */
export function modelInput(model: Pick<LanguageModel, 'kind'>, batch: InputBatch, ids = batch.ids): ModelInput {
  const { batchSize, length } = batch;
  const tokens = batchSize * length;
  return {
    ids: int32Input('ids', ids, [tokens]),
    positions: int32Input('positions', positionsOf(batch), [tokens]),
    visible: int32Input('visible', visibleOf(model.kind, batch), [tokens, 2]),
    batch: batchSize,
    length,
  };
}

/** [B·T]: a token's place in its text; on padding, in the row. */
export function positionsOf({ batchSize, length, lengths, starts }: InputBatch): Int32Array {
  return Int32Array.from({ length: batchSize * length }, (_, i) => {
    const t = i % length;
    return starts && t < lengths[Math.floor(i / length)]! ? t - starts[i]! : t;
  });
}

/** [B·T, 2]: the keys of its row that a token attends to (kernels/visible.ts). */
export function visibleOf(kind: LanguageModel['kind'], { length, lengths, starts }: InputBatch): Int32Array {
  const visible = kind === 'decoder' ? causalVisible(lengths, length) : fullVisible(lengths, length);
  if (!starts) return visible;
  for (let b = 0; b < lengths.length; b++) {
    const real = Math.min(lengths[b]!, length);
    let end = real;
    // From behind, so that an encoder's text knows where it ends.
    for (let t = real - 1; t >= 0; t--) {
      const i = b * length + t;
      if (t + 1 < real && starts[i + 1]! !== starts[i]!) end = t + 1;
      visible[2 * i] = starts[i]!;
      if (kind === 'encoder') visible[2 * i + 1] = end;
    }
  }
  return visible;
}
