/**
 * LoRA (Hu et al., 2021) as PEFT's `LoraConfig` describes it: A [r, in] and B [out, r] beside each targeted linear, scaled
 * by alpha/r, or alpha/√r with rsLoRA (Kalajdzievski, 2023). Tensors are named as PEFT names them, without its prefix.
 */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import { Stream, uniform } from '../../base/random';
import type { LoraMethod } from '../../recipe/types';
import { dropout } from '../kernels/dropout';
import { loraLinear } from '../kernels/lora-linear';
import type { LanguageModel } from '../models/model';
import type { LinearModule } from '../types';
import type { Method } from './method';

export type LoraSettings = Pick<LoraMethod, 'r' | 'lora_alpha' | 'lora_dropout' | 'target_modules' | 'use_rslora'>;

/** Values by tensor name, `model.layers.0.self_attn.q_proj.lora_A.weight`. */
export type NamedTensors = Map<string, { shape: number[]; data: Float32Array }>;

const nameA = (path: string) => `${path}.lora_A.weight`;
const nameB = (path: string) => `${path}.lora_B.weight`;

/** The linears that `target_modules` means: all of them, or those whose path is or ends in one of the names. */
export function targetedLinears(
  model: Pick<LanguageModel, 'linears'>,
  targets: LoraMethod['target_modules'],
): LinearModule[] {
  if (targets === 'all-linear') return model.linears;
  const found = model.linears.filter(({ path }) => targets.some((t) => path === t || path.endsWith(`.${t}`)));
  const unused = targets.filter((t) => !model.linears.some(({ path }) => path === t || path.endsWith(`.${t}`)));
  if (unused.length > 0 || found.length === 0) {
    const known = [...new Set(model.linears.map(({ path }) => path.split('.').at(-1)))].join(', ');
    throw new TabtuneError({
      code: 'bad_recipe',
      message: `This model has no linear module named ${unused.join(', ') || '(none given)'}.`,
      where: 'method.target_modules',
      action: `Use "all-linear" or some of: ${known}.`,
    });
  }
  return found;
}

/**
 * A new LoRA on a model: A from kaiming_uniform(a=√5), that is U(−1/√in, 1/√in), by seed; B zero, so that the first
 * forward pass equals the base. With `values` (an adapter's tensors) those instead.
 */
export function createLora(model: LanguageModel, settings: LoraSettings, seed: number, values?: NamedTensors): Method {
  const { r, lora_alpha: alpha, lora_dropout: p } = settings;
  const scale = settings.use_rslora ? alpha / Math.sqrt(r) : alpha / r;
  const pairs = new Map<string, { a: tf.Tensor; b: tf.Tensor; tag: number }>();
  const trainable = new Map<string, tf.Tensor>();

  const make = (name: string, shape: [number, number], initial: () => Float32Array): tf.Tensor => {
    const given = values?.get(name);
    if (values && (!given || given.shape.join() !== shape.join())) {
      throw new TabtuneError({
        code: 'bad_adapter',
        message: given
          ? `The adapter's tensor ${name} has shape [${given.shape}], but this model needs [${shape}].`
          : `The adapter lacks the tensor ${name}.`,
        where: name,
        action: 'Load the adapter on the model that it was trained on.',
      });
    }
    const tensor = tf.keep(tf.tensor(given?.data ?? initial(), shape, 'float32'));
    trainable.set(name, tensor);
    return tensor;
  };

  try {
    targetedLinears(model, settings.target_modules).forEach(({ path, weight }, index) => {
      const [out, width] = weight.shape as [number, number];
      const bound = 1 / Math.sqrt(width);
      const a = make(nameA(path), [r, width], () =>
        Float32Array.from({ length: r * width }, (_, i) => bound * (2 * uniform(seed, Stream.init, i, index) - 1)),
      );
      const b = make(nameB(path), [out, r], () => new Float32Array(out * r));
      pairs.set(path, { a, b, tag: index });
    });
    const strangers = values ? [...values.keys()].filter((name) => !trainable.has(name)) : [];
    if (strangers.length > 0) {
      throw new TabtuneError({
        code: 'bad_adapter',
        message: `The adapter holds ${strangers.length} tensors that this model has no place for.`,
        where: strangers[0],
        action: 'Load the adapter on the model that it was trained on.',
      });
    }
  } catch (error) {
    for (const t of trainable.values()) t.dispose();
    throw error;
  }

  return {
    trainable,
    hooks: ({ training, seed: runSeed, pass, strength }) => ({
      linear: (module, x, residual) => {
        const pair = strength === 0 ? undefined : pairs.get(module.path);
        if (!pair) return null;
        const xl = training && p > 0 ? dropout(x, { p, seed: runSeed, step: pass, tag: pair.tag }) : undefined;
        return loraLinear(module, x, { a: pair.a, b: pair.b, scale: scale * strength, xl }, residual);
      },
    }),
    delta: ({ path }) => {
      const pair = pairs.get(path);
      return pair ? tf.tidy(() => tf.mul(tf.matMul(pair.b as tf.Tensor2D, pair.a as tf.Tensor2D), scale)) : null;
    },
    dispose: () => {
      for (const t of trainable.values()) t.dispose();
    },
  };
}
