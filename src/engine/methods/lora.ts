/**
 * LoRA (Hu et al., 2021) as defined by PEFT's `LoraConfig`: A [r, in] and B [out, r] for each targeted linear layer, scaled by
 * alpha/r, or alpha/√r with rsLoRA (Kalajdzievski, 2023). Tensors have PEFT's names, without its prefix.
 *
 * Also here: ranks and alphas that differ by module (rank_pattern, alpha_pattern), DoRA (dora.ts), initialisation from the
 * weight's largest singular values (pissa.ts), and LoRA+ (Hayou et al., 2024), where B has a higher learning rate than A.
 */
import * as tf from '@tensorflow/tfjs-core';
import { Stream, uniform } from '../../base/random';
import type { LoraMethod } from '../../methods/lora';
import { rowSquares } from '../kernels/norms/row-squares';
import { dropout } from '../kernels/pointwise/dropout';
import { canJoin, linears } from '../kernels/products/linears';
import { loraLinear } from '../kernels/products/lora-linear';
import type { LanguageModel } from '../models/model';
import type { Hooks, LinearModule } from '../types';
import { bare, type DoraCache, type DoraTensors, doraDelta, doraLinear, doraOutput } from './dora';
import { loraExport, loraStart } from './lora-export';
import { checkPatterns, type LoraSettings, loraModules, loraNames, loraShapes } from './lora-scale';
import type { Method, MethodTwin } from './method';
import { normal } from './normal-number';
import { startPissa } from './pissa';
import { savedTensorsOf } from './saved-modules';
import { targetedLinears } from './targets';
import { type NamedTensors, tensorMaker } from './tensors';

export { type LoraSettings, loraModules, loraNames, loraShapes } from './lora-scale';
export { targetedLinears } from './targets';
export type { NamedTensors } from './tensors';

export const lora: MethodTwin<LoraMethod> = {
  type: 'lora',
  modulesToSave: (model, { modules_to_save, target_modules }) =>
    savedTensorsOf(model, modules_to_save, () => targetedLinears(model, target_modules)),
  async create(model, section, { seed, values, signal }) {
    const pissa = !values && section.init_lora_weights === 'pissa';
    return createLora(model, section, seed, pissa ? await startPissa(model, section, seed, { signal }) : values);
  },
  shapes: loraShapes,
  exported: loraExport,
  started: loraStart,
};

/** PEFT's initial A: kaiming_uniform(a=√5), which is U(−1/√in, 1/√in), or a normal distribution with deviation 1/r. */
function initialA(settings: LoraSettings, rank: number, width: number, seed: number, index: number): Float32Array {
  const bound = 1 / Math.sqrt(width);
  const gaussian = settings.init_lora_weights === 'gaussian';
  return Float32Array.from({ length: rank * width }, (_, i) =>
    gaussian ? normal(seed, Stream.init, i, index) / rank : bound * (2 * uniform(seed, Stream.init, i, index) - 1),
  );
}

/** The tensors of one module. */
interface Pair {
  a: tf.Tensor;
  b: tf.Tensor;
  scale: number;
  tag: number;
  /** PiSSA's frozen A₀ and −B₀. */
  start: { a: tf.Tensor; minusB: tf.Tensor } | null;
  dora: DoraTensors | null;
}

/** A and B as the forward pass uses them; with PiSSA, [A; A₀] and [B, −B₀]. */
function factorsOf({ a, b, scale, start }: Pair) {
  if (!start) return { a, b, scale };
  return { a: tf.concat([a, start.a], 0), b: tf.concat([b, start.minusB], 1), scale };
}

/**
 * A new LoRA on a model: A from the seed and B zero, so that the first forward pass equals the base. Or with `values`: the tensors
 * of an adapter or checkpoint, or PiSSA's from `startPissa`.
 */
export function createLora(model: LanguageModel, settings: LoraSettings, seed: number, values?: NamedTensors): Method {
  const { lora_dropout: p, use_dora = false } = settings;
  const pissa = settings.init_lora_weights === 'pissa';
  if (pissa && !values) throw new Error('PiSSA needs the values from startPissa.');
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
        // The initial update is zero (with PiSSA, B·A − B₀·A₀), so the norms are those of W.
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

  /** Cache of the most recent hooks; older hooks no longer cache. */
  let cache: DoraCache = new Map();
  const forget = () => {
    for (const t of cache.values()) t.dispose();
    cache.clear();
  };
  const ratio = settings.loraplus_lr_ratio ?? 1;

  return {
    trainable,
    constants,
    // As in PEFT's create_loraplus_optimizer: B, magnitudes, and biases of modules that are trained in full.
    rate: (name) => (/lora_B|lora_magnitude_vector$|\.bias$/.test(name) ? ratio : 1),
    hooks: ({ training, seed: runSeed, pass, strength }) => {
      forget();
      const own: DoraCache = new Map();
      cache = own;
      const drops = training && p > 0 ? { p, seed: runSeed, step: pass } : null;
      const kept = () => (training || own !== cache ? undefined : own);
      const pairOf = ({ path }: LinearModule) => (strength === 0 ? undefined : pairs.get(path));
      const loraOf = (module: LinearModule) => {
        const pair = pairOf(module);
        return pair ? { ...factorsOf(pair), dora: pair.dora, tag: pair.tag } : null;
      };
      type Loras = ReturnType<typeof loraOf>[];
      const together = (modules: LinearModule[], x: tf.Tensor, loras: Loras, residual: tf.Tensor | null = null) => {
        const scaled = loras.map((lora) => lora && { ...lora, scale: lora.scale * strength });
        return linears(modules, x, { loras: scaled, dropout: drops, residual });
      };
      // Without dropout, and with nothing but a low-rank product.
      const plain = !use_dora && !drops;
      const factors: Hooks['factors'] = (module) => {
        const lora = loraOf(module);
        return lora && { a: lora.a, b: lora.b, scale: lora.scale * strength };
      };
      return {
        ...(plain ? { factors } : {}),
        linear: (module, x, residual) => {
          const lora = loraOf(module);
          if (!lora) return null;
          if (drops && !lora.dora && canJoin([module])) return together([module], x, [lora], residual)[0]!;
          const xl = drops ? dropout(x, { ...drops, tag: lora.tag }) : undefined;
          if (lora.dora) {
            return doraLinear(module, x, lora, lora.dora, { strength, dropped: xl, cache: kept() }, residual);
          }
          return loraLinear(module, x, { ...lora, scale: lora.scale * strength, xl }, residual);
        },
        linears: (modules, x) => {
          if (!use_dora || strength === 0) return together(modules, x, modules.map(loraOf));
          // DoRA has two products with the weight if there is dropout.
          if (drops || !modules.every(pairOf)) return null;
          const loras = modules.map(loraOf);
          const turned = together(modules.map(bare), x, loras);
          return loras.map((lora, s) => {
            const { dora } = lora!;
            return doraOutput(modules[s]!, turned[s]!, lora!, dora!, { strength, cache: kept() });
          });
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
