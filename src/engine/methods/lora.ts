/**
 * LoRA (Hu et al., 2021) as PEFT's `LoraConfig` describes it: A [r, in] and B [out, r] beside each targeted linear, scaled
 * by alpha/r, or alpha/√r with rsLoRA (Kalajdzievski, 2023). Tensors are named as PEFT names them, without its prefix.
 *
 * On top of it: other ranks and alphas for some modules (rank_pattern, alpha_pattern), DoRA (dora.ts), a start in the
 * weight's largest singular values (pissa.ts), and LoRA+ (Hayou et al., 2024), for which B learns faster than A.
 */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import { patternValue, unmatchedKeys } from '../../base/module-names';
import { Stream, uniform } from '../../base/random';
import type { LoraMethod } from '../../recipe/types';
import { rowSquares } from '../kernels/norms/row-squares';
import { dropout } from '../kernels/pointwise/dropout';
import { loraLinear } from '../kernels/products/lora-linear';
import type { LanguageModel } from '../models/model';
import type { LinearModule } from '../types';
import { type DoraCache, type DoraTensors, doraDelta, doraLinear } from './dora';
import type { Method } from './method';
import { normal } from './normal';
import { targetedLinears } from './targets';
import { type NamedTensors, tensorMaker } from './tensors';

export { targetedLinears } from './targets';
export type { NamedTensors } from './tensors';

type Plain = 'r' | 'lora_alpha' | 'lora_dropout' | 'target_modules' | 'use_rslora';
/** What is left out is as in plain LoRA. */
export type LoraSettings = Pick<LoraMethod, Plain> & Partial<Omit<LoraMethod, Plain | 'type' | 'init_adapter'>>;

/** The tensors of one module. */
export const loraNames = (path: string) => ({
  a: `${path}.lora_A.weight`,
  b: `${path}.lora_B.weight`,
  magnitude: `${path}.lora_magnitude_vector`,
  /** PiSSA's: what A began as, and less what B began as. */
  startA: `${path}.pissa_A.weight`,
  startB: `${path}.pissa_B.weight`,
});

export interface LoraModule {
  module: LinearModule;
  rank: number;
  /** Of B·A. */
  scale: number;
}

/** The linears that get a LoRA, in the model's order, each with its rank and scale. */
export function loraModules(model: Pick<LanguageModel, 'linears'>, settings: LoraSettings): LoraModule[] {
  return targetedLinears(model, settings.target_modules).map((module) => {
    const rank = patternValue(settings.rank_pattern ?? {}, module.path, settings.r);
    const alpha = patternValue(settings.alpha_pattern ?? {}, module.path, settings.lora_alpha);
    return { module, rank, scale: alpha / (settings.use_rslora ? Math.sqrt(rank) : rank) };
  });
}

/** A key that means no module is a slip of the pen; only in adapters that come from elsewhere it is left alone. */
export function checkPatterns(model: Pick<LanguageModel, 'linears'>, settings: LoraSettings): void {
  const paths = targetedLinears(model, settings.target_modules).map(({ path }) => path);
  for (const field of ['rank_pattern', 'alpha_pattern'] as const) {
    const [key] = unmatchedKeys(settings[field] ?? {}, paths);
    if (key === undefined) continue;
    throw new TabtuneError({
      code: 'bad_recipe',
      message: `"${key}" in ${field} matches none of the modules that LoRA is put on.`,
      where: `method.${field}`,
      action: `Name the end of a path such as ${paths[0]}.`,
    });
  }
}

/** Every tensor that a LoRA with these settings has, by name: what a plan of the memory fills with zeros. */
export function loraShapes(
  model: Pick<LanguageModel, 'linears'>,
  settings: LoraSettings,
): Map<string, { shape: number[] }> {
  const shapes = new Map<string, { shape: number[] }>();
  for (const { module, rank } of loraModules(model, settings)) {
    const [out, width] = module.weight.shape as [number, number];
    const names = loraNames(module.path);
    const pissa = settings.init_lora_weights === 'pissa';
    shapes.set(names.a, { shape: [rank, width] });
    shapes.set(names.b, { shape: [out, rank] });
    if (settings.use_dora) shapes.set(names.magnitude, { shape: [out] });
    if (pissa) shapes.set(names.startA, { shape: [rank, width] });
    if (pissa) shapes.set(names.startB, { shape: [out, rank] });
  }
  return shapes;
}

/** PEFT's initial A: kaiming_uniform(a=√5), that is U(−1/√in, 1/√in), or a normal of spread 1/r. */
function initialA(settings: LoraSettings, rank: number, width: number, seed: number, index: number): Float32Array {
  const bound = 1 / Math.sqrt(width);
  const gaussian = settings.init_lora_weights === 'gaussian';
  return Float32Array.from({ length: rank * width }, (_, i) =>
    gaussian ? normal(seed, Stream.init, i, index) / rank : bound * (2 * uniform(seed, Stream.init, i, index) - 1),
  );
}

/** One module at work. */
interface Pair {
  a: tf.Tensor;
  b: tf.Tensor;
  scale: number;
  tag: number;
  /** PiSSA's frozen A₀ and −B₀. */
  start: { a: tf.Tensor; minusB: tf.Tensor } | null;
  dora: DoraTensors | null;
}

/** A and B as the forward pass takes them; with PiSSA [A; A₀] and [B, −B₀]. */
function factorsOf({ a, b, scale, start }: Pair) {
  if (!start) return { a, b, scale };
  return { a: tf.concat([a, start.a], 0), b: tf.concat([b, start.minusB], 1), scale };
}

/**
 * A new LoRA on a model: A by seed, B zero, so that the first forward pass equals the base. With `values` (an adapter's or a
 * checkpoint's tensors, or PiSSA's from `startPissa`) those instead.
 */
export function createLora(model: LanguageModel, settings: LoraSettings, seed: number, values?: NamedTensors): Method {
  const { lora_dropout: p, use_dora = false } = settings;
  const pissa = settings.init_lora_weights === 'pissa';
  if (pissa && !values) throw new Error('PiSSA begins with the values of startPissa.');
  if (!values) checkPatterns(model, settings);
  const maker = tensorMaker(values);
  const pairs = new Map<string, Pair>();
  const trainable = new Map<string, tf.Tensor>();
  const constants = new Map<string, tf.Tensor>();
  const derived: tf.Tensor[] = [];
  const derive = (tensor: tf.Tensor) => {
    derived.push(tf.keep(tensor));
    return tensor;
  };
  const disposeAll = () => {
    maker.dispose();
    for (const t of derived) t.dispose();
  };

  try {
    loraModules(model, settings).forEach(({ module, rank, scale }, index) => {
      const [out, width] = module.weight.shape as [number, number];
      const names = loraNames(module.path);
      const make = (into: Map<string, tf.Tensor>, name: string, shape: number[], initial: () => Float32Array) => {
        const tensor = maker.make(name, shape, initial);
        into.set(name, tensor);
        return tensor;
      };
      const zeros = () => new Float32Array(out * rank);
      const a = make(trainable, names.a, [rank, width], () => initialA(settings, rank, width, seed, index));
      const b = make(trainable, names.b, [out, rank], zeros);
      const pair: Pair = { a, b, scale, tag: index, start: null, dora: null };
      if (pissa) {
        pair.start = {
          a: make(constants, names.startA, [rank, width], zeros),
          minusB: make(constants, names.startB, [out, rank], zeros),
        };
      }
      if (use_dora) {
        const squares = derive(rowSquares(module.weight));
        // B·A is zero at first (with PiSSA: less what it began as), so that the norms are W's.
        const initial = () => tf.tidy(() => tf.sqrt(squares));
        const magnitude = maker.make(names.magnitude, [out], initial, pissa);
        trainable.set(names.magnitude, magnitude);
        pair.dora = { magnitude, squares };
      }
      pairs.set(module.path, pair);
    });
    maker.finish();
  } catch (error) {
    disposeAll();
    throw error;
  }

  /** What the latest hooks keep between their calls; older ones keep nothing any more. */
  let cache: DoraCache = new Map();
  const forget = () => {
    for (const t of cache.values()) t.dispose();
    cache.clear();
  };
  const ratio = settings.loraplus_lr_ratio ?? 1;

  return {
    trainable,
    constants,
    // As PEFT's create_loraplus_optimizer: B, magnitudes, and the biases of modules that are trained whole.
    rate: (name) => (/lora_B|lora_magnitude_vector$|\.bias$/.test(name) ? ratio : 1),
    hooks: ({ training, seed: runSeed, pass, strength }) => {
      forget();
      const own: DoraCache = new Map();
      cache = own;
      return {
        linear: (module, x, residual) => {
          const pair = strength === 0 ? undefined : pairs.get(module.path);
          if (!pair) return null;
          const xl = training && p > 0 ? dropout(x, { p, seed: runSeed, step: pass, tag: pair.tag }) : undefined;
          const factors = factorsOf(pair);
          if (pair.dora) {
            const kept = training || own !== cache ? undefined : own;
            return doraLinear(module, x, factors, pair.dora, { strength, dropped: xl, cache: kept }, residual);
          }
          return loraLinear(module, x, { ...factors, scale: factors.scale * strength, xl }, residual);
        },
      };
    },
    delta: (module) => {
      const pair = pairs.get(module.path);
      if (!pair) return null;
      return tf.tidy(() => {
        const { a, b, scale } = factorsOf(pair);
        if (pair.dora) return doraDelta(module, { a, b, scale }, pair.dora.magnitude);
        return tf.mul(tf.matMul(b as tf.Tensor2D, a as tf.Tensor2D), scale);
      });
    },
    dispose: () => {
      forget();
      disposeAll();
    },
  };
}
