/** One token after the other behind a cache of keys and values. Where a pass has one token, it is replayed once it is steady. */
import * as tf from '@tensorflow/tfjs-core';
import { cacheVisible } from '../kernels/attention/visible';
import { copyValues, emptyTensor } from '../kernels/in-place';
import { int32Input } from '../kernels/inputs';
import { takeRows } from '../kernels/moves/row-moves';
import { DRAWN, drawRanked } from '../kernels/sampling/draw-ranked';
import { projectLogits, requireHead } from '../models/heads';
import type { KeyValueCache, LanguageModel } from '../models/model';
import { forwardOnly } from '../run/checkpointing';
import type { Hooks } from '../types';
import { counters } from '../webgpu/backend';
import { decided } from '../webgpu/live';
import { beginWork } from '../webgpu/pool';
import { Recordings } from '../webgpu/recording';
import { drawAttrs, drawNext, settledOr } from './next-token';
import type { SamplingOptions } from './options';

interface Ahead {
  /** Tokens that follow those in the cache. */
  ids: Int32Array;
  /** How many these are, and how many are in the cache. */
  length: number;
  past: number;
}

const BEGINS = [[0, 0]] as const;

/** Logits [1, vocab] of the token after some, which are appended to the cache. */
function nextLogits(model: LanguageModel, hooks: Hooks, cache: KeyValueCache, at: Ahead): tf.Tensor {
  const { length } = at;
  const hidden = model.hidden(
    {
      kind: 'cached',
      ids: int32Input('ids', () => at.ids, [length]),
      positions: int32Input('positions', () => Int32Array.from({ length }, (_, i) => at.past + i), [length]),
      visible: int32Input('visible', () => cacheVisible(at.past, length), [length, 2]),
      batch: 1,
      length,
      cache,
      begins: decided(() => Number(at.past === 0)) ? BEGINS : null,
    },
    forwardOnly(hooks),
  );
  const last = length === 1 ? hidden : takeRows(hidden, int32Input('last', Int32Array.of(length - 1), [1]));
  return projectLogits(requireHead(model, 'lm'), last, hooks);
}

export interface TokenSteps {
  /** The token after `ids`, which follow `past` tokens in the cache; its index in the text is `position`. */
  next(ids: Int32Array, past: number, position: number): Promise<number>;
  dispose(): void;
}

export function tokenSteps(
  model: LanguageModel,
  hooks: Hooks,
  cache: KeyValueCache,
  options: SamplingOptions,
): TokenSteps {
  const recordings = new Recordings();
  // What a replay leaves is always in the same places.
  const logits = emptyTensor([1, requireHead(model, 'lm').weight.shape[0]!], 'float32');
  const drawn = emptyTensor([DRAWN], 'float32');
  return {
    async next(ids, past, position) {
      beginWork();
      const { length } = ids;
      if (length > 1) {
        const made = tf.tidy(() => nextLogits(model, hooks, cache, { ids, length, past }));
        return drawNext(made, position, options);
      }
      const attrs = drawAttrs(position, options);
      const before = counters.dispatches;
      recordings.run('token', { ids, length, past, number: attrs.number }, (at) => {
        tf.tidy(() => {
          const made = nextLogits(model, hooks, cache, at);
          copyValues(made, 0, logits, 0, logits.size);
          copyValues(drawRanked(made, { ...attrs, number: () => at.number }), 0, drawn, 0, DRAWN);
        });
        return null;
      });
      const begun = performance.now();
      const token = await settledOr(drawn, logits, position, options);
      recordings.measured((performance.now() - begun) / 1000, counters.dispatches - before);
      return token;
    },
    dispose() {
      recordings.dispose();
      tf.dispose([logits, drawn]);
    },
  };
}
