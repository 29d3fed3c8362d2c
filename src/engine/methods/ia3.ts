/**
 * (IA)³ (Liu et al., 2022) as defined by PEFT's `IA3Config`: a learned factor for every output of a targeted linear layer, or for
 * every input if the module is one of `feedforward_modules`. Factors start at 1, so that the first forward pass equals the base.
 * Names and shapes are PEFT's: `<path>.ia3_l` [out, 1], or [1, in].
 *
 *   y = l · (x·Wᵀ + bias) + residual     or     y = (l · x)·Wᵀ + bias + residual
 *
 * A strength t uses factors 1 + t·(l − 1).
 */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import { familyNamed } from '../../families';
import type { Ia3Method } from '../../methods/ia3';
import { embedding } from '../kernels/moves/embedding';
import { scaleColumns } from '../kernels/pointwise/scale-columns';
import { linear } from '../kernels/products/linear';
import type { LanguageModel } from '../models/model';
import type { Method, MethodTwin } from './method';
import { readTensors } from './read-tensors';
import { savedTensorsOf } from './saved-modules';
import { targetedLinears } from './targets';
import { type NamedTensors, tensorMaker } from './tensors';

export type Ia3Settings = Pick<Ia3Method, 'target_modules' | 'feedforward_modules'>;

interface Modules {
  target: string[];
  feedforward: string[];
}

/** The module names that the settings select on a model, as written to adapter_config.json. */
export function ia3Modules(model: Pick<LanguageModel, 'family'>, settings: Ia3Settings): Modules {
  const { ia3 } = familyNamed(model.family).peft;
  const target = new Set(settings.target_modules === 'auto' ? ia3.target_modules : settings.target_modules);
  const auto = settings.feedforward_modules === 'auto';
  const feedforward = new Set<string>();
  for (const name of settings.feedforward_modules === 'auto' ? ia3.feedforward_modules : settings.feedforward_modules) {
    // PEFT requires a subset of target_modules, so the more specific of two names goes into both lists.
    const precise = [...target].filter((t) => t.endsWith(name));
    for (const t of precise) feedforward.add(t);
    if (precise.length > 0) continue;
    if ([...target].some((t) => name.endsWith(t))) {
      target.add(name);
      feedforward.add(name);
    } else if (!auto) {
      throw new TabtuneError({
        code: 'bad_recipe',
        message: `"${name}" is among feedforward_modules, but not among target_modules.`,
        where: 'method.feedforward_modules',
        action: 'Name it in both, or in neither.',
      });
    }
  }
  return { target: [...target], feedforward: [...feedforward] };
}

export const ia3Name = (path: string) => `${path}.ia3_l`;

/** The linear layers that get factors, in the model's order, and whether the factors scale inputs. */
function placesOf(model: Pick<LanguageModel, 'linears' | 'family'>, settings: Ia3Settings) {
  const { target, feedforward } = ia3Modules(model, settings);
  return targetedLinears(model, target).map((module) => {
    const [out, width] = module.weight.shape as [number, number];
    // PEFT compares name endings here, whether or not they start at a dot.
    const input = feedforward.some((name) => module.path.endsWith(name));
    return { module, input, shape: input ? [1, width] : [out, 1] };
  });
}

/** Shapes of all tensors of the method by name. */
export const ia3Shapes = (model: Pick<LanguageModel, 'linears' | 'family'>, settings: Ia3Settings) =>
  new Map(placesOf(model, settings).map(({ module, shape }) => [ia3Name(module.path), { shape }]));

/** New factors on a model, all 1, or `values`, the tensors of an adapter or checkpoint. */
export function createIa3(model: LanguageModel, settings: Ia3Settings, _seed: number, values?: NamedTensors): Method {
  const maker = tensorMaker(values);
  const trainable = new Map<string, tf.Tensor>();
  const places = new Map<string, { vector: tf.Tensor; input: boolean }>();
  try {
    for (const { module, input, shape } of placesOf(model, settings)) {
      const name = ia3Name(module.path);
      const vector = maker.make(name, shape, () => new Float32Array(shape[0]! * shape[1]!).fill(1));
      trainable.set(name, vector);
      places.set(module.path, { vector, input });
    }
    maker.finish();
  } catch (error) {
    maker.dispose();
    throw error;
  }

  /** Factors at a strength, [N]. */
  const factor = (vector: tf.Tensor, strength: number): tf.Tensor => {
    const flat = tf.reshape(vector, [vector.size]);
    return strength === 1 ? flat : tf.add(tf.mul(tf.sub(flat, 1), strength), 1);
  };
  return {
    trainable,
    hooks: ({ strength }) => ({
      linear: (module, x, residual) => {
        const place = strength === 0 ? undefined : places.get(module.path);
        if (!place) return null;
        const scale = factor(place.vector, strength);
        if (place.input) return linear(module, scaleColumns(x, scale), residual);
        return scaleColumns(linear(module, x), scale, { residual });
      },
    }),
    delta: (module) => {
      const place = places.get(module.path);
      if (!place) return null;
      return tf.tidy(() => {
        const rows = embedding(tf.range(0, module.weight.shape[0]!, 1, 'int32'), module.weight);
        // [out, 1] or [1, in]: both broadcast over the right axis.
        return tf.mul(rows, tf.sub(place.vector, 1));
      });
    },
    biasDelta: (module) => {
      const place = places.get(module.path);
      if (!place || place.input || !module.bias) return null;
      const { bias } = module;
      return tf.tidy(() => tf.mul(bias, tf.sub(factor(place.vector, 1), 1)));
    },
    dispose: () => maker.dispose(),
  };
}

export const ia3: MethodTwin<Ia3Method> = {
  type: 'ia3',
  modulesToSave: (model, section) =>
    savedTensorsOf(model, section.modules_to_save, () => targetedLinears(model, ia3Modules(model, section).target)),
  create: (model, section, { seed, values }) => createIa3(model, section, seed, values),
  async exported(model, method, section) {
    const { target, feedforward } = ia3Modules(model, section);
    return {
      config: {
        target_modules: target,
        feedforward_modules: feedforward,
        fan_in_fan_out: targetedLinears(model, target).some(({ conv1d }) => conv1d),
      },
      tensors: await readTensors(method.trainable),
    };
  },
};
