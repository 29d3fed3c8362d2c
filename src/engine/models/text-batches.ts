/** Texts for a forward pass without gradients, in padded batches. */
import { TabtuneError } from '../../base/errors';
import type { PaddedRows } from '../../data/types';
import type { Hooks } from '../types';
import type { LanguageModel } from './model';
import { virtualLength } from './virtual-tokens';

/** Tokens per batch, padding included. Lengths are rounded up, so that few shapes occur. */
const BATCH_TOKENS = 2048;
const LENGTH_STEP = 16;

export interface TextBatch {
  /** The places of its rows among the texts. */
  places: number[];
  rows: PaddedRows;
}

/** Texts of similar length share a batch, so that little is padding. Throws bad_data for a text that cannot be read. */
export function textBatches(model: LanguageModel, hooks: Hooks, texts: readonly Int32Array[]): TextBatch[] {
  // Virtual tokens before a text take up context.
  const room = model.contextLength - virtualLength(hooks);
  for (const [i, { length }] of texts.entries()) {
    if (length > 0 && length <= room) continue;
    throw new TabtuneError({
      code: 'bad_data',
      message:
        length === 0
          ? `Text ${i + 1} has no tokens.`
          : `Text ${i + 1} has ${length} tokens, but the model reads at most ${room}.`,
      action: length === 0 ? 'Leave out empty texts.' : 'Shorten it.',
    });
  }
  const batches: TextBatch[] = [];
  const order = texts.map((_, i) => i).sort((a, b) => texts[a]!.length - texts[b]!.length);
  while (order.length > 0) {
    const widest = Math.ceil(texts[order[0]!]!.length / LENGTH_STEP) * LENGTH_STEP;
    const length = Math.min(widest, room);
    const fit = Math.max(1, Math.floor(BATCH_TOKENS / length));
    const places = order.filter((i) => texts[i]!.length <= length).slice(0, fit);
    order.splice(0, places.length);
    const ids = new Int32Array(places.length * length);
    places.forEach((i, b) => {
      ids.set(texts[i]!, b * length);
    });
    const lengths = Int32Array.from(places, (i) => texts[i]!.length);
    batches.push({ places, rows: { batchSize: places.length, length, ids, lengths } });
  }
  return batches;
}
