/**
 * Linear layers that read the same input, with or without LoRA in activation space (lora-linear.ts): q, k and v, or gate and up.
 *
 *   h_s = scale_s · x·A_sᵀ               beside each other in h [M, Σ r_s]; layers without LoRA have no columns
 *   y_s = x·W_sᵀ + h_s·B_sᵀ (+ bias_s)   [M, out_s]
 *
 * With dh_s = scale_s · dy_s·B_s, beside each other as h is:
 *   dx = Σ_s (dy_s·W_s + dh_s·A_s)   dA_s = dh_sᵀ·x   dB_s = dy_sᵀ·h_s
 *
 * Each line is one dispatch where the weights share a buffer; the last one may be two.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LinearModule, WeightFormat } from '../../types';
import { adding, defineKernel, type GradientWish, type Inputs, type KernelDef, shapeError, type View } from '../kernel';
import { sharedGradients } from '../tape';
import { recordTN, type TnProduct } from './matmul';
import { addNN, addNT, addTN } from './matmul-reference';
import { computePlaced, type PlacedAttrs, placedAttrs } from './placed';
import {
  recordSegments,
  recordSegmentsBack,
  recordSegmentsBackDown,
  recordSegmentsDown,
  type Segment,
  type SegmentsCall,
} from './segments';
import { widen } from './weight-reference';

interface Layer {
  format: WeightFormat;
  out: number;
  /** 0: no LoRA. */
  rank: number;
  scale: number;
  /** The first of its columns in h. */
  column: number;
}

interface LinearsAttrs {
  in: number;
  layers: Layer[];
  /** Columns of h. */
  width: number;
}

/** The inputs of layer `s` are `w0`, `a0`, `b0`, `bias0`, and so on. */
const each = <T>({ layers }: LinearsAttrs, body: (layer: Layer, s: number) => T): T[] => layers.map(body);

/** A layer's columns of h. */
function columns({ data }: View, m: number, width: number, { column, rank }: Layer): Float32Array {
  const own = new Float32Array(m * rank);
  for (let i = 0; i < m; i++) own.set(data.subarray(i * width + column, i * width + column + rank), i * rank);
  return own;
}

function putColumns(h: Float32Array, own: Float32Array, m: number, width: number, { column, rank }: Layer): void {
  for (let i = 0; i < m; i++) h.set(own.subarray(i * rank, (i + 1) * rank), i * width + column);
}

/** The call for the device; `ys` are the layers' outputs or their gradients. */
function callOf(
  inputs: Record<string, tf.TensorInfo>,
  attrs: LinearsAttrs,
  m: number,
  ys: tf.TensorInfo[],
  h?: tf.TensorInfo,
): SegmentsCall {
  const segments = each(
    attrs,
    ({ format, out, rank, scale, column }, s): Segment => ({
      ...{ weight: inputs[`w${s}`]!, format, rows: out, bias: inputs[`bias${s}`], y: ys[s]! },
      lora: rank > 0 ? { a: inputs[`a${s}`]!, b: inputs[`b${s}`]!, rank, scale, column } : undefined,
    }),
  );
  return { m, k: attrs.in, segments, h, width: attrs.width };
}

const factorInputs = (attrs: LinearsAttrs): string[] =>
  each(attrs, ({ rank }, s) => (rank > 0 ? [`a${s}`, `b${s}`] : [])).flat();

/** With LoRA, the first output is h. */
const definition = (name: string, lora: boolean): KernelDef<LinearsAttrs> => ({
  name,
  outputs(inputs, attrs) {
    const { x } = inputs;
    const m = x?.shape[0];
    const fits = each(attrs, ({ out, rank }, s) => {
      const [a, b, bias] = [inputs[`a${s}`], inputs[`b${s}`], inputs[`bias${s}`]];
      return (
        (rank > 0 ? a?.shape.join() === `${rank},${attrs.in}` && b?.shape.join() === `${out},${rank}` : !a && !b) &&
        (!bias || bias.shape.join() === `${out}`)
      );
    });
    if (x?.shape.length !== 2 || x.shape[1] !== attrs.in || fits.includes(false)) {
      throw shapeError(name, `x [M, ${attrs.in}] and the tensors of ${attrs.layers.length} layers`, {
        ...Object.fromEntries(Object.entries(inputs).map(([key, tensor]) => [key, tensor.shape])),
      });
    }
    return [
      ...(attrs.width > 0 ? [{ shape: [m!, attrs.width] }] : []),
      ...each(attrs, ({ out }) => ({ shape: [m!, out] })),
    ];
  },
  cpu(inputs, attrs, outputs) {
    const x = inputs.x!;
    const m = x.shape[0]!;
    const h = attrs.width > 0 ? (outputs[0] as Float32Array) : null;
    each(attrs, (layer, s) => {
      const { format, out, rank, scale } = layer;
      const y = outputs[s + (h ? 1 : 0)] as Float32Array;
      addNT(y, x.data, widen(inputs[`w${s}`]!.data, format, out * attrs.in), m, out, attrs.in);
      if (h && rank > 0) {
        const own = new Float32Array(m * rank);
        addNT(own, x.data, inputs[`a${s}`]!.data, m, rank, attrs.in, scale);
        addNT(y, own, inputs[`b${s}`]!.data, m, out, rank);
        putColumns(h, own, m, attrs.width, layer);
      }
      const bias = inputs[`bias${s}`];
      if (bias) for (let i = 0; i < y.length; i++) y[i]! += bias.data[i % out]!;
    });
  },
  gpu({ backend, inputs, outputs, attrs }) {
    const [h, ys] = attrs.width > 0 ? [outputs[0], outputs.slice(1)] : [undefined, outputs];
    const call = callOf(inputs, attrs, inputs.x!.shape[0]!, ys, h);
    if (h) recordSegmentsDown(backend, call, inputs.x!);
    recordSegments(backend, call, inputs.x!);
  },
  savesOutputs: [lora, false, false, false],
  gradient(dys, { inputs, outputs: [h] }, attrs) {
    const m = inputs.x!.shape[0]!;
    const own = attrs.width > 0 ? dys.slice(1) : dys;
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
          ...(withFactors ? { h, flat } : {}),
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
    };
  },
});

/** Without what defineKernel adds. */
const plain = ({ in: width, layers, width: columns }: LinearsAttrs): LinearsAttrs => ({
  in: width,
  layers,
  width: columns,
});

const withoutLora = defineKernel(definition('Linears', false));
const withLora = defineKernel(definition('LoraLinears', true));

const dyOf = <T>(inputs: Record<string, T>, attrs: LinearsAttrs): T[] => each(attrs, (_, s) => inputs[`dy${s}`]!);

/** dh [M, Σ r_s]. */
const backDown = defineKernel<LinearsAttrs>({
  name: 'LinearsBackwardDown',
  outputs: ({ dy0 }, { width }) => [{ shape: [dy0!.shape[0]!, width] }],
  cpu(inputs, attrs, [dh]) {
    const m = inputs.dy0!.shape[0]!;
    each(attrs, (layer, s) => {
      if (layer.rank === 0) return;
      const own = new Float32Array(m * layer.rank);
      addNN(own, inputs[`dy${s}`]!.data, inputs[`b${s}`]!.data, m, layer.out, layer.rank, layer.scale);
      putColumns(dh as Float32Array, own, m, attrs.width, layer);
    });
  },
  gpu({ backend, inputs, outputs, attrs }) {
    recordSegmentsBackDown(backend, callOf(inputs, attrs, inputs.dy0!.shape[0]!, dyOf(inputs, attrs), outputs[0]!));
  },
});

interface BackAttrs extends LinearsAttrs, PlacedAttrs {
  /** Whether dx is wanted, and whether the factors' gradients are. */
  input: boolean;
  factors: boolean;
}

/** The shapes of dA and dB of every layer that has them. */
const factorShapes = (attrs: LinearsAttrs): [number, number][] =>
  attrs.layers.flatMap(({ out, rank }): [number, number][] =>
    rank > 0
      ? [
          [rank, attrs.in],
          [out, rank],
        ]
      : [],
  );

/** dx and the factors' gradients, as far as they are wanted and have no places. */
const back = defineKernel<BackAttrs>({
  name: 'LinearsBackward',
  outputs: ({ x }, attrs) => [
    ...(attrs.input ? [{ shape: x!.shape }] : []),
    ...(attrs.factors && !attrs.offsets ? factorShapes(attrs).map((shape) => ({ shape })) : []),
  ],
  cpu(inputs, attrs, outputs) {
    const m = inputs.x!.shape[0]!;
    const k = attrs.in;
    const [dx, made] = attrs.input ? [outputs[0] as Float32Array, outputs.slice(1)] : [null, outputs];
    if (dx && inputs.plus) dx.set(inputs.plus.data);
    const sizes = factorShapes(attrs).map(([rows, width]) => rows * width);
    const products: ((into: Float32Array[]) => void)[] = [];
    let next = 0;
    each(attrs, (layer, s) => {
      const { format, out, rank } = layer;
      const dy = inputs[`dy${s}`]!.data;
      const dh = rank > 0 ? columns(inputs.dh!, m, attrs.width, layer) : null;
      if (dx) {
        addNN(dx, dy, widen(inputs[`w${s}`]!.data, format, out * k), m, out, k);
        if (dh) addNN(dx, dh, inputs[`a${s}`]!.data, m, rank, k);
      }
      if (!attrs.factors || !dh) return;
      const [da, db] = [next, next + 1];
      next += 2;
      products.push((into) => {
        addTN(into[da]!, dh, inputs.x!.data, m, rank, k);
        addTN(into[db]!, dy, columns(inputs.h!, m, attrs.width, layer), m, out, rank);
      });
    });
    if (attrs.factors) {
      computePlaced(inputs, attrs, made, sizes, (into) => {
        for (const product of products) product(into);
      });
    }
  },
  gpu({ backend, inputs, outputs, attrs, temp }) {
    const { x, dh, h, flat, plus } = inputs;
    const m = x!.shape[0]!;
    const [dx, made] = attrs.input ? [outputs[0], outputs.slice(1)] : [undefined, outputs];
    const call = callOf(inputs, attrs, m, dyOf(inputs, attrs), dh);
    const products = attrs.factors ? productsOf(call, attrs, { x: x!, h: h!, flat }, made) : [];
    if (dx) recordSegmentsBack(backend, call, { z: dx, plus, products, temp: () => temp(x!.shape) });
    else recordTN(backend, m, products);
  },
});

function productsOf(
  { segments, h: dh, width }: SegmentsCall,
  { offsets, add }: PlacedAttrs,
  { x, h, flat }: { x: tf.TensorInfo; h: tf.TensorInfo; flat?: tf.TensorInfo },
  made: tf.TensorInfo[],
): TnProduct[] {
  const products: TnProduct[] = [];
  for (const { rows, lora, y } of segments) {
    if (!lora) continue;
    const own = { of: width, from: lora.column };
    const place = () => {
      const i = products.length;
      return { c: made[i] ?? flat!, at: offsets?.[i], add };
    };
    products.push({ u: dh!, columnsU: own, v: x, p: lora.rank, q: x.shape[1]!, ...place() });
    products.push({ u: y, v: h, columnsV: own, p: rows, q: lora.rank, ...place() });
  }
  return products;
}

export interface LoraOf {
  a: tf.Tensor;
  b: tf.Tensor;
  scale: number;
}

/** Applies modules to the same x [M, in], each with its LoRA branch if it has one; their weights are of one part. */
export function linears(modules: LinearModule[], x: tf.Tensor, loras: (LoraOf | null)[] = []): tf.Tensor[] {
  let width = 0;
  const inputs: Partial<Inputs> = { x };
  const layers = modules.map(({ weight, bias }, s): Layer => {
    const lora = loras[s];
    inputs[`w${s}`] = weight.parts[0]!.tensor;
    if (bias) inputs[`bias${s}`] = bias;
    if (lora) Object.assign(inputs, { [`a${s}`]: lora.a, [`b${s}`]: lora.b });
    const layer = {
      ...{ format: weight.format, out: weight.shape[0]!, rank: lora?.a.shape[0] ?? 0, scale: lora?.scale ?? 1 },
      column: width,
    };
    width += layer.rank;
    return layer;
  });
  const attrs = { in: x.shape[1]!, layers, width };
  if (width === 0) return withoutLora(inputs, attrs);
  const [h, ...ys] = withLora(inputs, attrs);
  h!.dispose(); // the tape holds its own reference if a gradient needs it
  return ys;
}

/** Whether they may be applied so: in one part each, and all with a bias or none. */
export const canJoin = (modules: LinearModule[]): boolean =>
  modules.length > 1 &&
  modules.length <= 3 &&
  modules.every(({ weight, bias }) => weight.parts.length === 1 && (bias === null) === (modules[0]!.bias === null));
