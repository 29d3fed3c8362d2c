/**
 * Linear layers that read the same input, with or without LoRA in activation space (lora-linear.ts): q, k and v, or gate and up.
 *
 *   h_s = scale_s · xl_s·A_sᵀ            beside each other in h [M, Σ r_s]; layers without LoRA have no columns
 *   y_s = x·W_sᵀ + h_s·B_sᵀ (+ bias_s)   [M, out_s]; one alone may have a residual too
 *
 * xl_s is x, or with dropout x after the mask of that layer. With dh_s = scale_s · dy_s·B_s, beside each other as h is:
 *   dx = Σ_s (dy_s·W_s + mask_s(dh_s·A_s))   dA_s = dh_sᵀ·xl_s   dB_s = dy_sᵀ·h_s
 *
 * Each line is one dispatch where the weights share a buffer; the last one may be two. All masks are one more.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LinearModule } from '../../types';
import {
  adding,
  defineKernel,
  type GradientWish,
  type Inputs,
  type KernelDef,
  shapeError,
  sharedGradients,
} from '../kernel';
import { dropValues, recordDropout } from '../pointwise/dropout';
import {
  back,
  backDown,
  callOf,
  each,
  factorInputs,
  type Layer,
  type LinearsAttrs,
  plain,
  putColumns,
} from './linears-backward';
import { addNT } from './matmul-reference';
import { placedAttrs } from './placed';
import { recordSegments, recordSegmentsDown } from './segments';
import { widen } from './weight-reference';

/** The layers that have a mask. */
const droppedOf = ({ layers, dropout }: LinearsAttrs): number[] =>
  dropout ? layers.flatMap(({ rank }, s) => (rank > 0 ? [s] : [])) : [];

/** A kernel's outputs by what they are. */
function outputsOf<T>(attrs: LinearsAttrs, outputs: T[]): { h?: T; xls: Record<string, T>; ys: T[] } {
  const [h, rest] = attrs.width > 0 ? [outputs[0], outputs.slice(1)] : [undefined, outputs];
  const dropped = droppedOf(attrs);
  return {
    h,
    xls: Object.fromEntries(dropped.map((s, i) => [`xl${s}`, rest[i]!])),
    ys: rest.slice(dropped.length),
  };
}

/** The outputs are h if there is a LoRA, every xl that has a mask, and the layers'; the first `saved` of them are for the gradient. */
const definition = (name: string, saved: number): KernelDef<LinearsAttrs> => ({
  name,
  outputs(inputs, attrs) {
    const { x, residual } = inputs;
    const m = x?.shape[0];
    const fits = each(attrs, ({ out, rank }, s) => {
      const [a, b, bias] = [inputs[`a${s}`], inputs[`b${s}`], inputs[`bias${s}`]];
      return (
        (rank > 0 ? a?.shape.join() === `${rank},${attrs.in}` && b?.shape.join() === `${out},${rank}` : !a && !b) &&
        (!bias || bias.shape.join() === `${out}`) &&
        (!residual || (attrs.layers.length === 1 && residual.shape.join() === `${m},${out}`))
      );
    });
    if (x?.shape.length !== 2 || x.shape[1] !== attrs.in || fits.includes(false)) {
      throw shapeError(name, `x [M, ${attrs.in}] and the tensors of ${attrs.layers.length} layers`, {
        ...Object.fromEntries(Object.entries(inputs).map(([key, tensor]) => [key, tensor.shape])),
      });
    }
    return [
      ...(attrs.width > 0 ? [{ shape: [m!, attrs.width] }] : []),
      ...droppedOf(attrs).map(() => ({ shape: x.shape })),
      ...each(attrs, ({ out }) => ({ shape: [m!, out] })),
    ];
  },
  cpu(inputs, attrs, outputs) {
    const x = inputs.x!;
    const m = x.shape[0]!;
    const { h, xls, ys } = outputsOf(attrs, outputs as Float32Array[]);
    each(attrs, (layer, s) => {
      const { format, out, rank, scale, tag } = layer;
      const y = ys[s]!;
      if (inputs.residual) y.set(inputs.residual.data);
      addNT(y, x.data, widen(inputs[`w${s}`]!.data, format, out * attrs.in), m, out, attrs.in);
      if (h && rank > 0) {
        const own = new Float32Array(m * rank);
        const xl = xls[`xl${s}`];
        if (xl) dropValues(x.data, { ...attrs.dropout!, tag }, xl);
        addNT(own, xl ?? x.data, inputs[`a${s}`]!.data, m, rank, attrs.in, scale);
        addNT(y, own, inputs[`b${s}`]!.data, m, out, rank);
        putColumns(h, own, m, attrs.width, layer);
      }
      const bias = inputs[`bias${s}`];
      if (bias) for (let i = 0; i < y.length; i++) y[i]! += bias.data[i % out]!;
    });
  },
  gpu({ backend, inputs, outputs, attrs }) {
    const { h, xls, ys } = outputsOf(attrs, outputs);
    const x = inputs.x!;
    const call = callOf({ ...inputs, ...xls }, attrs, x.shape[0]!, ys, h);
    const dropped = droppedOf(attrs);
    if (dropped.length > 0) {
      const tags = dropped.map((s) => attrs.layers[s]!.tag);
      recordDropout(backend, x, Object.values(xls), { ...attrs.dropout!, tags });
    }
    if (h) recordSegmentsDown(backend, call, x);
    recordSegments(backend, call, x);
  },
  savesOutputs: Array.from({ length: 7 }, (_, i) => i < saved),
  gradient(dys, { inputs, outputs: saved }, attrs) {
    const m = inputs.x!.shape[0]!;
    const { h, xls } = outputsOf(attrs, saved);
    const own = outputsOf(attrs, dys).ys;
    // A layer that the loss does not depend on has no gradient.
    const dy = Object.fromEntries(each(attrs, ({ out }, s) => [`dy${s}`, own[s] ?? tf.zeros([m, out])]));
    const pick = (letter: string): Inputs =>
      Object.fromEntries(
        each(attrs, (_, s) => `${letter}${s}`).flatMap((key) => (inputs[key] ? [[key, inputs[key]]] : [])),
      );
    const dh = sharedGradients(() => backDown({ ...dy, ...pick('b') }, plain(attrs)));
    const names = factorInputs(attrs);
    /** The factors' gradients, unless they have places, where they came with dx or alone. */
    let factors: tf.Tensor[] | null = null;
    const run = (input: boolean, withFactors: boolean, { plus, placeOf }: GradientWish) => {
      const { flat, ...place } = placedAttrs(withFactors ? names.map((name) => placeOf?.(name)) : null);
      const rank = attrs.width > 0;
      const tensors = back(
        {
          ...dy,
          ...(input ? { ...pick('w'), ...pick('a'), plus } : {}),
          ...(rank ? { dh: dh(0) } : {}),
          ...(withFactors ? { h, flat, ...xls } : {}),
          x: inputs.x,
        },
        { ...plain(attrs), ...place, input, factors: withFactors },
      );
      if (withFactors) factors = input ? tensors.slice(1) : tensors;
      return tensors;
    };
    const factor =
      (name: string) =>
      (wish: GradientWish = {}) => {
        if (!factors) run(false, true, wish);
        return factors![names.indexOf(name)] ?? null;
      };
    return {
      x: adding(
        (wish = {}) =>
          run(
            true,
            names.some((name) => wish.wanted?.includes(name)),
            wish,
          )[0]!,
      ),
      ...Object.fromEntries(names.map((name) => [name, factor(name)])),
      ...Object.fromEntries(each(attrs, (_, s) => [`bias${s}`, () => tf.sum(dy[`dy${s}`]!, 0)])),
      residual: () => dy.dy0!.clone(),
    };
  },
});

/** By how many of their outputs the gradient reads. */
const kernels = ['Linears', 'LoraLinears', ...[1, 2, 3].map((masks) => `DropoutLinears${masks}`)].map((name, saved) =>
  defineKernel(definition(name, saved)),
);

export interface LoraOf {
  a: tf.Tensor;
  b: tf.Tensor;
  scale: number;
  /** Of its mask, with dropout. */
  tag?: number;
}

interface LinearsOptions {
  /** One for each module, or null. */
  loras?: (LoraOf | null)[];
  dropout?: LinearsAttrs['dropout'];
  /** Added to the output of a module alone. */
  residual?: tf.Tensor | null;
}

/** Applies modules to the same x [M, in], each with its LoRA branch if it has one; their weights are of one part. */
export function linears(
  modules: LinearModule[],
  x: tf.Tensor,
  { loras = [], dropout = null, residual }: LinearsOptions = {},
): tf.Tensor[] {
  let width = 0;
  const inputs: Partial<Inputs> = { x, ...(residual ? { residual } : {}) };
  const layers = modules.map(({ weight, bias }, s): Layer => {
    const lora = loras[s];
    inputs[`w${s}`] = weight.parts[0]!.tensor;
    if (bias) inputs[`bias${s}`] = bias;
    if (lora) Object.assign(inputs, { [`a${s}`]: lora.a, [`b${s}`]: lora.b });
    const layer = {
      ...{ format: weight.format, out: weight.shape[0]!, rank: lora?.a.shape[0] ?? 0, scale: lora?.scale ?? 1 },
      ...{ column: width, tag: lora?.tag ?? 0 },
    };
    width += layer.rank;
    return layer;
  });
  const attrs = { in: x.shape[1]!, layers, width, dropout };
  const saved = width > 0 ? 1 + droppedOf(attrs).length : 0;
  const outputs = kernels[saved]!(inputs, attrs);
  // The tape holds its own references if a gradient needs them.
  for (const tensor of outputs.slice(0, saved)) tensor.dispose();
  return outputs.slice(saved);
}

const MOST = 3;

/** Whether they may be applied so: in one part each, and all with a bias or none. */
export const canJoin = (modules: LinearModule[]): boolean =>
  modules.length <= MOST &&
  modules.every(({ weight, bias }) => weight.parts.length === 1 && (bias === null) === (modules[0]!.bias === null));
