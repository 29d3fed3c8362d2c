/** What the forward passes of all families call instead of modules, so that hooks can intervene. */
import * as tf from '@tensorflow/tfjs-core';
import type { ActivationName } from '../../families/activation';
import type { DropoutRates } from '../../families/dropout';
import { embedding } from '../kernels/moves/embedding';
import { layerNorm } from '../kernels/norms/layer-norm';
import { type Activation, activation } from '../kernels/pointwise/activation';
import { type GluActivation, glu } from '../kernels/pointwise/glu';
import { type FewAround, fewRows, isForFewRows, takesFewRows } from '../kernels/products/few-rows';
import { linear } from '../kernels/products/linear';
import { canJoin, linears as joined } from '../kernels/products/linears';
import type { Hooks, LinearModule, SublayerPlace, Weight } from '../types';
import type { Live } from '../webgpu/live';
import type { ModelInput } from './model';
import type { Loader } from './weights';

/** Applies a linear module or the hooks' replacement: x [M, in] -> [M, out] (+ residual). */
export type Apply = (module: LinearModule, x: tf.Tensor, residual?: tf.Tensor | null) => tf.Tensor;

export const applyWith =
  (hooks: Hooks): Apply =>
  (module, x, residual = null) => {
    const own = withTrained(module, hooks);
    return hooks.linear?.(own, x, residual) ?? linear(own, x, residual);
  };

/** Applies linear modules that read the same x, as one product where the hooks allow it. */
export type ApplyAll = (modules: LinearModule[], x: tf.Tensor) => tf.Tensor[];

function applyAllWith(hooks: Hooks, apply: Apply): ApplyAll {
  // A method that replaces modules says itself which it can replace together.
  const together = hooks.linear
    ? hooks.linears
    : (hooks.linears ?? ((modules: LinearModule[], x: tf.Tensor) => joined(modules, x)));
  return (modules, x) => {
    const frozen = canJoin(modules) && modules.every((module) => withTrained(module, hooks) === module);
    return (frozen && together?.(modules, x)) || modules.map((module) => apply(module, x));
  };
}

/** The module with the trained forms of its weight and bias, if there are any. */
function withTrained(module: LinearModule, hooks: Hooks): LinearModule {
  if (!hooks.weight && !hooks.vector) return module;
  const weight = hooks.weight?.(module.weight) ?? module.weight;
  const bias = module.bias && (hooks.vector?.(module.bias) ?? module.bias);
  return weight === module.weight && bias === module.bias ? module : { ...module, weight, bias };
}

/** Dropout sites are numbered: the embeddings', then three per block. */
export const SITES = 3;
const siteOf = { attention: 1, feed_forward: 2 } as const;

/** A norm of hidden states; `rms` gives the weight of an RMSNorm, for kernels that compute it with what follows. */
export interface Norm {
  (x: tf.Tensor, calls: Calls): tf.Tensor;
  rms?(calls: Calls): { weight: tf.Tensor; eps: number };
}

/** What a forward pass calls, with the hooks applied. */
export interface Calls {
  linear: Apply;
  /** Linears of the same input, after its norm if there is one. */
  linears(modules: LinearModule[], x: tf.Tensor, norm?: Norm): tf.Tensor[];
  /** activation(gate) · up of two linears of the same input, after its norm if there is one. */
  gated(modules: LinearModule[], x: tf.Tensor, activation: GluActivation, norm?: Norm): tf.Tensor;
  /** A table or output projection as trained. */
  weight(weight: Weight): Weight;
  /** A norm's weight or a bias as trained. */
  vector(vector: tf.Tensor): tf.Tensor;
  /** Token embeddings, with the noise that training may add. */
  tokens(input: ModelInput, table: Weight): tf.Tensor;
  /** Dropout after the embeddings. */
  dropEmbeddings(x: tf.Tensor): tf.Tensor;
  /** The attention kernel's dropout of a layer; empty without any. */
  dropAttention(layer: number): { dropout?: { p: number; seed: number; step: Live; site: number } };
  /**
   * Adds a sub-layer's output to its residual; a post-norm family's `norm` runs on the sum, a sandwich family's `own`
   * on the output.
   */
  join(
    place: SublayerPlace,
    y: tf.Tensor,
    residual: tf.Tensor,
    norm?: (x: tf.Tensor) => tf.Tensor,
    own?: (y: tf.Tensor) => tf.Tensor,
  ): tf.Tensor;
  /** The same for the output of a sub-layer's last linear, which computes the sum without another dispatch. */
  joinLinear(
    place: SublayerPlace,
    module: LinearModule,
    x: tf.Tensor,
    residual: tf.Tensor,
    norm?: (x: tf.Tensor) => tf.Tensor,
  ): tf.Tensor;
}

/** Whether a pass computes tokens of texts that continue: nothing is differentiated. */
const decodes = (input: ModelInput | null) => input?.kind === 'cached' && input.begins === null;

export function callsWith(hooks: Hooks, rates: DropoutRates, input: ModelInput | null = null): Calls {
  const alone = applyWith(hooks);
  const drop = (x: tf.Tensor, p: number, site: number) => (p > 0 && hooks.dropout ? hooks.dropout(x, p, site) : x);
  const plain = !hooks.sublayer && !(rates.residual > 0 && hooks.dropout);
  const join: Calls['join'] = (place, y, residual, norm, own) => {
    const dropped = drop(y, rates.residual, SITES * place.index + siteOf[place.part]);
    if (hooks.sublayer) return hooks.sublayer(place, dropped, residual, norm ?? null, own ?? null);
    const sum = tf.add(own ? own(dropped) : dropped, residual);
    return norm ? norm(sum) : sum;
  };
  /** Modules in one dispatch, with what is around them; null where they are called one by one. */
  const together = (
    modules: readonly LinearModule[],
    x: tf.Tensor,
    norm: Norm | undefined,
    { activation = null, residual = null }: Pick<FewAround, 'activation' | 'residual'> = {},
  ): tf.Tensor[] | null => {
    if (!decodes(input) || !isForFewRows(x.shape[0]!)) return null;
    if ((hooks.linear && !hooks.factors) || (norm && !norm.rms)) return null;
    const given = modules.map((module) => {
      const own = withTrained(module, hooks);
      return { weight: own.weight, bias: own.bias, lora: hooks.factors?.(own) ?? null };
    });
    const around = { norm: norm?.rms?.(calls), activation, residual };
    return takesFewRows(x.shape[0]!, given, around) ? fewRows(x, given, around) : null;
  };
  const apply: Apply = (module, x, residual) =>
    together([module], x, undefined, { residual })?.[0] ?? alone(module, x, residual);
  const applyAll = applyAllWith(hooks, apply);
  const linears: Calls['linears'] = (modules, x, norm) => {
    const few = together(modules, x, norm);
    if (few) return few;
    const normed = norm ? norm(x, calls) : x;
    return modules.length === 1 ? [apply(modules[0]!, normed)] : applyAll(modules, normed);
  };
  const calls: Calls = {
    linear: apply,
    linears,
    gated(modules, x, activation, norm) {
      const few = together(modules, x, norm, { activation });
      if (few) return few[0]!;
      const [gate, up] = linears(modules, x, norm);
      return glu(gate!, up!, activation);
    },
    weight: (weight) => hooks.weight?.(weight) ?? weight,
    vector: (vector) => hooks.vector?.(vector) ?? vector,
    tokens(input, table) {
      const x = embedding(input.ids, hooks.weight?.(table) ?? table);
      return hooks.embeddings?.(x, input) ?? x;
    },
    dropEmbeddings: (x) => drop(x, rates.embeddings, 0),
    dropAttention: (layer) =>
      rates.attention > 0 && hooks.attentionDropout
        ? { dropout: { p: rates.attention, ...hooks.attentionDropout, site: SITES * layer + SITES } }
        : {},
    join,
    joinLinear(place, module, x, residual, norm) {
      if (!plain) return join(place, apply(module, x), residual, norm);
      const sum = apply(module, x, residual);
      return norm ? norm(sum) : sum;
    },
  };
  return calls;
}

/**
 * The blocks in sequence: `run` computes one. `beside` are tensors of this pass that a layer reads besides its input.
 */
export function runBlocks(
  hooks: Hooks,
  paths: string[],
  x: tf.Tensor,
  run: (layer: number, x: tf.Tensor, beside: tf.Tensor[]) => tf.Tensor,
  beside: (layer: number) => tf.Tensor[] = () => [],
): tf.Tensor {
  return paths.reduce((before, path, layer) => {
    const own = beside(layer);
    if (!hooks.block) return run(layer, before, own);
    return hooks.block(path, layer, before, (input, given = own) => run(layer, input, given), own);
  }, x);
}

/** transformers has several names for one function. */
const KERNELS: Record<ActivationName, Activation> = {
  gelu: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
  silu: 'silu',
  swish: 'silu',
  relu: 'relu',
};

export const activate = (x: tf.Tensor, name: ActivationName): tf.Tensor => activation(x, KERNELS[name]);

/** A norm's weight and bias. */
export interface NormWeights {
  weight: tf.Tensor;
  bias: tf.Tensor;
}

/** A LayerNorm of width `d`, with its bias. */
export async function loadNorm(load: Loader, path: string, d: number): Promise<NormWeights> {
  return { weight: await load.vector(`${path}.weight`, d), bias: await load.vector(`${path}.bias`, d) };
}

/** x [M, d] -> [M, d] by a LayerNorm as trained. */
export function normalize(calls: Calls, x: tf.Tensor, { weight, bias }: NormWeights, eps: number): tf.Tensor {
  return layerNorm(x, calls.vector(weight), calls.vector(bias), eps);
}

/** An untied output projection; null if the checkpoint has a classification head instead. */
export async function loadOutput(load: Loader, name: string, vocab: number, d: number): Promise<Weight | null> {
  return load.has(name) ? load.matrix(name, [vocab, d]) : null;
}
