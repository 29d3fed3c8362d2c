/** The backward pass of linears.ts, and what both passes share. */

import type * as tf from '@tensorflow/tfjs-core';
import type { WeightFormat } from '../../types';
import type { Live } from '../../webgpu/live';
import { defineKernel, type View } from '../kernel';
import { dropValues } from '../pointwise/dropout';
import { recordTN, type TnProduct } from './matmul';
import { addNN, addTN } from './matmul-reference';
import { computePlaced, type PlacedAttrs } from './placed';
import { recordSegmentsBack, recordSegmentsBackDown, type Segment, type SegmentsCall } from './segments';
import { widen } from './weight-reference';

export interface Layer {
  format: WeightFormat;
  out: number;
  /** 0: no LoRA. */
  rank: number;
  scale: number;
  /** The first of its columns in h. */
  column: number;
  /** Of its mask, with dropout. */
  tag: number;
}

export interface LinearsAttrs {
  in: number;
  layers: Layer[];
  /** Columns of h. */
  width: number;
  /** Of what the LoRAs read; each has a mask of its own. */
  dropout: { p: number; seed: number; step: Live } | null;
}

/** The inputs of the first layer are `w0`, `a0`, `b0`, `bias0`, and with dropout `xl0`. */
export const each = <T>({ layers }: LinearsAttrs, body: (layer: Layer, s: number) => T): T[] => layers.map(body);

/** A layer's columns of h. */
function columns({ data }: View, m: number, width: number, { column, rank }: Layer): Float32Array {
  const own = new Float32Array(m * rank);
  for (let i = 0; i < m; i++) own.set(data.subarray(i * width + column, i * width + column + rank), i * rank);
  return own;
}

export function putColumns(
  h: Float32Array,
  own: Float32Array,
  m: number,
  width: number,
  { column, rank }: Layer,
): void {
  for (let i = 0; i < m; i++) h.set(own.subarray(i * rank, (i + 1) * rank), i * width + column);
}

/** The call for the device; `ys` are the layers' outputs or their gradients. */
export function callOf(
  inputs: Record<string, tf.TensorInfo>,
  attrs: LinearsAttrs,
  m: number,
  ys: tf.TensorInfo[],
  h?: tf.TensorInfo,
): SegmentsCall {
  const segments = each(
    attrs,
    ({ format, out, rank, scale, column, tag }, s): Segment => ({
      ...{
        weight: inputs[`w${s}`]!,
        format,
        rows: out,
        bias: inputs[`bias${s}`],
        residual: inputs.residual,
        y: ys[s]!,
      },
      lora:
        rank > 0
          ? { a: inputs[`a${s}`]!, b: inputs[`b${s}`]!, x: inputs[`xl${s}`], rank, scale, column, tag }
          : undefined,
    }),
  );
  return { m, k: attrs.in, segments, h, width: attrs.width, dropout: attrs.dropout ?? undefined };
}

export const factorInputs = (attrs: LinearsAttrs): string[] =>
  each(attrs, ({ rank }, s) => (rank > 0 ? [`a${s}`, `b${s}`] : [])).flat();

/** Without what defineKernel adds. */
export const plain = ({ in: width, layers, width: columns, dropout }: LinearsAttrs): LinearsAttrs => ({
  in: width,
  layers,
  width: columns,
  dropout,
});

const dyOf = <T>(inputs: Record<string, T>, attrs: LinearsAttrs): T[] => each(attrs, (_, s) => inputs[`dy${s}`]!);

/** dh [M, Σ r_s]. */
export const backDown = defineKernel<LinearsAttrs>({
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
export const back = defineKernel<BackAttrs>({
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
        if (dh) {
          const dxl = new Float32Array(m * k);
          addNN(dxl, dh, inputs[`a${s}`]!.data, m, rank, k);
          if (attrs.dropout) dropValues(dxl.slice(), { ...attrs.dropout, tag: layer.tag }, dxl);
          for (let i = 0; i < dx.length; i++) dx[i]! += dxl[i]!;
        }
      }
      if (!attrs.factors || !dh) return;
      const [da, db] = [next, next + 1];
      next += 2;
      products.push((into) => {
        addTN(into[da]!, dh, (inputs[`xl${s}`] ?? inputs.x!).data, m, rank, k);
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
    products.push({ u: dh!, columnsU: own, v: lora.x ?? x, p: lora.rank, q: x.shape[1]!, ...place() });
    products.push({ u: y, v: h, columnsV: own, p: rows, q: lora.rank, ...place() });
  }
  return products;
}
