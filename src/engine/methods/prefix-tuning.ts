/**
 * Prefix tuning (Li and Liang, 2021) as defined by PEFT's `PrefixTuningConfig`: keys and values before those of every text, in
 * every layer. `prompt_embeddings` is [P, layers·2·w], w = kvHeads·headDim; its columns are, layer by layer, first keys, then
 * values. The keys are used as if read from a cache, so no rotary embedding is applied to them. With `prefix_projection` the
 * prefix is the output of
 *
 *   Linear(w, h), Tanh, Linear(h, layers·2·w)    on an embedding [P, w]
 *
 * and only that output is saved: a run that continues from a saved prefix trains it directly, without a network.
 */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import type { PrefixMethod } from '../../methods/prefix-tuning';
import { cacheVisible } from '../kernels/attention/visible';
import { disposeCache, type LanguageModel } from '../models/model';
import { normals } from './initial-values';
import type { Method, MethodTwin } from './method';
import { promptNetwork } from './prompt-network';
import { PROMPT_EMBEDDINGS, repeated } from './prompt-tuning';
import { type NamedTensors, tensorMaker } from './tensors';

export type PrefixSettings = Pick<PrefixMethod, 'num_virtual_tokens' | 'prefix_projection' | 'encoder_hidden_size'>;

export interface PrefixExtras {
  /** Initial prefix from `prefixFromText`, [P, layers·2·w]. Not with a projection. */
  initial?: tf.Tensor;
}

export function createPrefixTuning(
  model: LanguageModel,
  settings: PrefixSettings,
  seed: number,
  values?: NamedTensors,
  { initial }: PrefixExtras = {},
): Method {
  const { num_virtual_tokens: rows, prefix_projection, encoder_hidden_size } = settings;
  const width = widthOf(model);
  const columns = model.layers * 2 * width;
  const maker = tensorMaker(values);
  try {
    const network =
      prefix_projection && !values?.has(PROMPT_EMBEDDINGS)
        ? promptNetwork(
            { rows, widths: [width, encoder_hidden_size ?? width, columns], name: 'transform', between: 'tanh' },
            seed,
            maker,
          )
        : plain(
            maker.make(PROMPT_EMBEDDINGS, [rows, columns], () => initial?.clone() ?? normals(rows * columns, seed)),
          );
    maker.finish();
    return {
      trainable: new Map(network.trainable),
      // Any strength other than 0 counts as 1: there is no such thing as half a token.
      hooks: ({ strength }) =>
        strength === 0 ? {} : { prefix: { length: rows, layers: () => byLayer(network.run(), model.layers) } },
      delta: () => null,
      saved: () => new Map([[PROMPT_EMBEDDINGS, tf.tidy(() => network.run().clone())]]),
      dispose: maker.dispose,
    };
  } catch (error) {
    maker.dispose();
    throw error;
  }
}

const plain = (embeddings: tf.Tensor) => ({
  trainable: [[PROMPT_EMBEDDINGS, embeddings]] as [string, tf.Tensor][],
  run: () => embeddings,
});

/** [P, layers·2·w] -> k and v, each [P, w], of every layer. */
function byLayer(all: tf.Tensor, layers: number): { k: tf.Tensor; v: tf.Tensor }[] {
  const parts = tf.split(all, 2 * layers, 1);
  return Array.from({ length: layers }, (_, i) => ({ k: parts[2 * i]!, v: parts[2 * i + 1]! }));
}

function widthOf(model: LanguageModel): number {
  if (model.keyValueWidth !== null) return model.keyValueWidth;
  throw new TabtuneError({
    code: 'bad_recipe',
    message: `A ${model.family} model keeps no keys and values, so it cannot have a prefix.`,
    where: 'method.type',
    action: 'Use prompt_tuning or p_tuning.',
  });
}

/**
 * A prefix that represents a text: keys and values of its tokens at positions 0, …, P−1, as a cache would hold them.
 * [P, layers·2·w]; `ids` are repeated or truncated to P. The caller disposes it.
 */
export function prefixFromText(model: LanguageModel, ids: ArrayLike<number>, count: number): tf.Tensor {
  widthOf(model);
  const text = repeated(ids, count, 'method.prefix_tuning_init_text');
  const cache = model.createCache!(1, count);
  try {
    return tf.tidy(() => {
      model.hidden(
        {
          kind: 'cached',
          ids: tf.tensor1d(text, 'int32'),
          positions: tf.tensor1d(
            text.map((_, i) => i),
            'int32',
          ),
          visible: tf.tensor(cacheVisible(0, count), [count, 2], 'int32'),
          batch: 1,
          length: count,
          cache,
          begins: [[0, 0]],
        },
        { block: (_path, _index, x, run) => tf.tidy(() => run(x)) },
      );
      return tf.concat(
        cache.layers.flatMap(({ k, v }) => [k, v]),
        1,
      );
    });
  } finally {
    disposeCache(cache);
  }
}

export const prefixTuning: MethodTwin<PrefixMethod> = {
  type: 'prefix_tuning',
  create(model, section, { seed, values, initText }) {
    const initial =
      !values && initText && initText.length > 0
        ? prefixFromText(model, initText, section.num_virtual_tokens)
        : undefined;
    try {
      return createPrefixTuning(model, section, seed, values, { initial });
    } finally {
      initial?.dispose();
    }
  },
};
