/**
 * Bottleneck adapters as in AdapterHub's `adapters`: A(z) = up(act(down(z))), d wide outside and d / reduction_factor inside,
 * placed where a sub-layer's output y joins its residual x. With s = y + x:
 *
 *   double_seq_bn   Houlsby et al., 2019    after attention and feed-forward       s + A(y)
 *   seq_bn          Pfeiffer et al., 2020   after the feed-forward                 s + A(s)
 *
 * In a post-norm family (BERT) the norm is applied to that sum, and seq_bn's adapter reads norm(s). In a sandwich-norm family
 * (Gemma) y is the output before the sub-layer's own norm, which is then applied to y + A: double_seq_bn is x + norm(y + A(y)),
 * seq_bn x + norm(y + A(norm(s))). If attention and feed-forward run in parallel (GPT-NeoX), the residual is not the input of the
 * feed-forward, and seq_bn's adapter reads only y, as in AdapterHub's Phi.
 *
 * AdapterHub uses the last layer's norm in every layer of Gemma's seq_bn; here each layer uses its own.
 *
 * New weights are drawn from N(0, 0.02²), biases are 0 (AdapterHub's `init_weights: bert`). Tensors have AdapterHub's names
 * without the adapter's own name: `model.layers.0.output_adapters.adapters.adapter_down.0.weight`.
 */
import * as tf from '@tensorflow/tfjs-core';
import { familyNamed } from '../../families';
import type { BottleneckMethod } from '../../methods/bottleneck';
import { type Activation, activation } from '../kernels/pointwise/activation';
import { linear } from '../kernels/products/linear';
import type { LanguageModel } from '../models/model';
import type { SublayerPlace, Weight } from '../types';
import { normals } from './initial-values';
import type { Method, MethodTwin } from './method';
import { type NamedTensors, tensorMaker } from './tensors';

export type BottleneckSettings = Pick<BottleneckMethod, 'config' | 'reduction_factor' | 'non_linearity'>;

/** For new weights. */
const STANDARD_DEVIATION = 0.02;

const KERNELS: Record<Exclude<BottleneckMethod['non_linearity'], 'tanh'>, Activation> = {
  relu: 'relu',
  gelu: 'gelu',
  swish: 'silu',
};

/** Width of the bottleneck, at least 1. */
export const bottleneckWidth = (hiddenSize: number, reductionFactor: number): number =>
  Math.max(1, Math.floor(hiddenSize / reductionFactor));

/** AdapterHub's path for the adapter at a place, such as `bert.encoder.layer.0.attention.output.adapters`. */
export function adapterPath(modelType: string, { block, part }: Pick<SublayerPlace, 'block' | 'part'>): string {
  const { attention, feedForward } = familyNamed(modelType).adapterHub;
  return `${block}.${part === 'attention' ? attention : feedForward}.adapters`;
}

interface Adapter {
  down: { weight: Weight; bias: tf.Tensor };
  up: { weight: Weight; bias: tf.Tensor };
}

export function createBottleneck(
  model: LanguageModel,
  settings: BottleneckSettings,
  seed: number,
  values?: NamedTensors,
): Method {
  const d = model.hiddenSize;
  const inner = bottleneckWidth(d, settings.reduction_factor);
  const double = settings.config === 'double_seq_bn';
  const parts: SublayerPlace['part'][] = double ? ['attention', 'feed_forward'] : ['feed_forward'];
  const maker = tensorMaker(values);
  const trainable = new Map<string, tf.Tensor>();
  const adapters = new Map<string, Adapter>();

  const make = (name: string, shape: number[], initial: () => Float32Array): tf.Tensor => {
    const tensor = maker.make(name, shape, initial);
    trainable.set(name, tensor);
    return tensor;
  };
  const makeLinear = (path: string, out: number, width: number, sub: number) => {
    const tensor = make(`${path}.weight`, [out, width], () => normals(out * width, seed, sub, STANDARD_DEVIATION));
    const bias = make(`${path}.bias`, [out], () => new Float32Array(out));
    const weight: Weight = { parts: [{ tensor, rows: out }], format: 'f32', shape: [out, width] };
    return { weight, bias };
  };
  try {
    model.blockPaths.forEach((block, index) => {
      parts.forEach((part, i) => {
        const path = adapterPath(model.family, { block, part });
        const number = 2 * (index * parts.length + i);
        adapters.set(`${index} ${part}`, {
          down: makeLinear(`${path}.adapter_down.0`, inner, d, number),
          up: makeLinear(`${path}.adapter_up`, d, inner, number + 1),
        });
      });
    });
    maker.finish();
  } catch (error) {
    maker.dispose();
    throw error;
  }

  const act = (x: tf.Tensor) =>
    settings.non_linearity === 'tanh' ? tf.tanh(x) : activation(x, KERNELS[settings.non_linearity]);
  /** onto + strength · A(z) */
  const add = ({ down, up }: Adapter, z: tf.Tensor, onto: tf.Tensor, strength: number): tf.Tensor => {
    const hidden = act(linear(down, z));
    return strength === 1 ? linear(up, hidden, onto) : tf.add(onto, tf.mul(linear(up, hidden), strength));
  };

  return {
    trainable,
    hooks: ({ strength }) =>
      strength === 0
        ? {}
        : {
            sublayer: ({ index, part, parallel }, y, residual, norm, own) => {
              const adapter = adapters.get(`${index} ${part}`);
              if (!adapter) {
                const sum = tf.add(own ? own(y) : y, residual);
                return norm ? norm(sum) : sum;
              }
              const alone = double || parallel;
              const sum = own && alone ? null : tf.add(y, residual);
              const reads = alone ? y : ((norm ?? own)?.(sum!) ?? sum!);
              if (own) return tf.add(own(add(adapter, reads, y, strength)), residual);
              const out = add(adapter, reads, sum!, strength);
              return norm ? norm(out) : out;
            },
          },
    delta: () => null,
    dispose: maker.dispose,
  };
}

export const bottleneck: MethodTwin<BottleneckMethod> = {
  type: 'bottleneck',
  create: (model, section, { seed, values }) => createBottleneck(model, section, seed, values),
};
