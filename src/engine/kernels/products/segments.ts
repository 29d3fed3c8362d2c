/**
 * Records the products of linear layers that read the same input (segments-wgsl.ts): one dispatch for all of them where their
 * weights are ranges of one buffer and the device binds enough buffers, else as few as it takes.
 */

import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WeightFormat } from '../../types';
import type { GpuBackend } from '../../webgpu/backend';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import type { Live } from '../../webgpu/live';
import { viewOf } from '../../webgpu/views';
import { threshold } from '../pointwise/dropout';
import { bindingsOf, groupsFor, program, recordTN, type TnProduct, tnDispatch } from './matmul';
import { segmentFields } from './segment-uniforms';
import { type SumSegments, sumSegmentsAndProductsShader, sumSegmentsShader } from './segments-sum-wgsl';
import { type NnSegments, type NtSegments, nnSegmentsShader, ntSegmentsShader } from './segments-wgsl';
import { nnVariant, ntVariant, threadsOf, unwatched } from './variants';
import { blockCode } from './weight-wgsl';

/** One of the layers: y = x·Wᵀ + h·Bᵀ + bias, with h = scale · x·Aᵀ if it has a LoRA. */
export interface Segment {
  /** [rows, k], in one part. */
  weight: TensorInfo;
  format: WeightFormat;
  rows: number;
  bias?: TensorInfo;
  /** [m, rows], added to the output; only of a segment alone. */
  residual?: TensorInfo;
  lora?: SegmentLora;
  /** [m, rows]: the layer's output, or in the backward pass its gradient. */
  y: TensorInfo;
}

export interface SegmentLora {
  /** [rank, k] and [rows, rank] */
  a: TensorInfo;
  b: TensorInfo;
  rank: number;
  scale: number;
  /** The first of the LoRA's columns in h. */
  column: number;
  /** With dropout: x as this LoRA reads it, and the tag of its mask. */
  x?: TensorInfo;
  tag?: number;
}

export interface SegmentsCall {
  m: number;
  k: number;
  segments: Segment[];
  /** [m, width]: every LoRA's h, or in the backward pass its gradient; absent if there is no LoRA. */
  h?: TensorInfo;
  width: number;
  dropout?: { p: number; seed: number; step: Live };
}

/** Where an operand is: a whole tensor, or a range of the buffer that it shares with others. */
interface Place {
  tensor: TensorInfo;
  /** In words. */
  at: number;
}

function placeOf(backend: GpuBackend, tensor: TensorInfo): Place {
  const view = viewOf(tensor);
  const bytes = (t: TensorInfo) => 4 * t.shape.reduce((a, b) => a * b, 1);
  return view && bytes(view.owner) <= backend.device.limits.maxStorageBufferBindingSize
    ? { tensor: view.owner, at: view.offset }
    : { tensor, at: 0 };
}

/** Operands of the segments with one purpose: the tensors to bind, and which of them each segment reads. */
function operands(places: (Place | undefined)[]) {
  const tensors: TensorInfo[] = [];
  const arrays = places.map((place) => {
    if (!place) return 0;
    const at = tensors.findIndex(({ dataId }) => dataId === place.tensor.dataId);
    return at >= 0 ? at : tensors.push(place.tensor) - 1;
  });
  return { tensors, arrays };
}

const whole = (sizes: number[]) => sizes.every((size) => size % 4 === 0);

/** What a shader of NT reads and writes for one segment. */
interface NtItem {
  x: TensorInfo;
  weight: Place;
  format: WeightFormat;
  rows: number;
  /** Columns of `tensor` from `from` on, of `of` altogether. */
  y: { tensor: TensorInfo; of: number; from: number };
  alpha: number;
  bias?: Place;
  residual?: TensorInfo;
  lora?: { b: Place; rank: number; column: number };
}

/** Where a weight begins, in what its shader loads at once. */
function weightAt({ at }: Place, format: WeightFormat, quads: boolean): number {
  if (blockCode(format)) return at;
  const values = format === 'f32' ? at : 2 * at;
  return quads ? values / 4 : values;
}

/** As few groups of neighbours as `fits` allows. */
function grouped<T>(items: T[], fits: (group: T[]) => boolean): T[][] {
  const groups: T[][] = [];
  for (const item of items) {
    const last = groups.at(-1);
    if (last && fits([...last, item])) last.push(item);
    else groups.push([item]);
  }
  return groups;
}

/** Of one buffer and format, so that one loop reads them all. */
const sameWeights = (items: { weight: Place; format: WeightFormat }[]) =>
  items.every(
    ({ weight, format }) => weight.tensor.dataId === items[0]!.weight.tensor.dataId && format === items[0]!.format,
  );

function ntOf(backend: GpuBackend, { m, k, h, width }: SegmentsCall, items: NtItem[]) {
  const { format, residual } = items[0]!;
  const inputs = operands(items.map(({ x }) => ({ tensor: x, at: 0 })));
  const weights = operands(items.map(({ weight }) => weight));
  const factors = operands(items.map(({ lora }) => lora?.b));
  const biases = operands(items.map(({ bias }) => bias));
  const outputs = operands(items.map(({ y }) => ({ tensor: y.tensor, at: 0 })));
  const quads = k % 4 === 0 && (format !== 'f32' || whole(items.map(({ weight }) => weight.at)));
  const rows = items.reduce((sum, item) => sum + item.rows, 0);
  const lora = items.some((item) => item.lora);
  const inQuads = whole(items.flatMap(({ rows, y, bias }) => [rows, y.of, y.from, bias?.at ?? 0]));
  const loraQuads = whole([
    width,
    ...items.flatMap((item) => (item.lora ? [item.lora.rank, item.lora.column, item.lora.b.at] : [])),
  ]);
  const inFours = inQuads && (!lora || loraQuads);
  const own = ntVariant(backend, { rows: m, columns: rows, steps: k, format, quads, inFours });
  const [, blockN] = own.scheme.size(own.rows, own.columns);
  const variant: NtSegments = {
    ...{ tm: own.rows, tn: own.columns, format, spans: own.spans, quads },
    quadStore: own.columns % 4 === 0 && inQuads,
    lora: lora && { quads: loraQuads },
    residual: residual !== undefined,
    arrays: {
      x: inputs.arrays,
      w: weights.arrays,
      y: outputs.arrays,
      ...(lora ? { b: factors.arrays } : {}),
      ...(biases.tensors.length > 0 ? { bias: biases.arrays } : {}),
    },
  };
  const tiles = items.reduce((sum, item) => sum + Math.ceil(item.rows / blockN), 0);
  return {
    ...{ variant, scheme: own.scheme },
    tensors: [
      ...[...inputs.tensors, ...weights.tensors, ...(lora ? [h!] : []), ...factors.tensors, ...biases.tensors],
      ...[...(residual ? [residual] : []), ...outputs.tensors],
    ],
    writes: outputs.tensors,
    tiles,
    threads: tiles * threadsOf(own, m, blockN),
  };
}

function recordNtItems(backend: GpuBackend, c: SegmentsCall, all: NtItem[], apart: boolean): void {
  const fits = (items: NtItem[]) =>
    (apart || sameWeights(items)) && unwatched(() => ntOf(backend, c, items)).tensors.length <= bindingsOf(backend);
  for (const items of grouped(all, fits)) {
    const { variant, scheme, tensors, writes, tiles, threads } = ntOf(backend, c, items);
    const fields = items.flatMap(({ weight, format, rows, lora, bias, y, alpha }) =>
      segmentFields({
        ...{ rows, alpha, y, rank: lora?.rank, column: lora?.column, factor: lora?.b.at, bias: bias?.at },
        weight: weightAt(weight, format, variant.quads),
      }),
    );
    dispatch(backend, {
      program: program(`matmul_nt_segments ${scheme.family} ${JSON.stringify(variant)}`, () =>
        ntSegmentsShader(variant, scheme),
      ),
      tensors,
      writes,
      uniforms: uniformBlock(u(c.m), u(c.k), u(c.width), u(tiles), ...fields),
      workgroups: groupsFor(threads, scheme.group),
    });
  }
}

/** h = scale · x·Aᵀ of every layer that has a LoRA, beside each other. */
export function recordSegmentsDown(backend: GpuBackend, c: SegmentsCall, x: TensorInfo): void {
  const items = c.segments.flatMap(({ lora }): NtItem[] =>
    lora
      ? [
          {
            x: lora.x ?? x,
            weight: placeOf(backend, lora.a),
            format: 'f32',
            rows: lora.rank,
            y: { tensor: c.h!, of: c.width, from: lora.column },
            alpha: lora.scale,
          },
        ]
      : [],
  );
  recordNtItems(backend, c, items, true);
}

/** y = x·Wᵀ + h·Bᵀ + bias of every layer. */
export function recordSegments(backend: GpuBackend, c: SegmentsCall, x: TensorInfo): void {
  const items = c.segments.map(
    ({ weight, format, rows, bias, residual, lora, y }): NtItem => ({
      ...{ x, residual },
      weight: placeOf(backend, weight),
      format,
      rows,
      y: { tensor: y, of: rows, from: 0 },
      alpha: 1,
      bias: bias && placeOf(backend, bias),
      lora: lora && { b: placeOf(backend, lora.b), rank: lora.rank, column: lora.column },
    }),
  );
  recordNtItems(backend, c, items, false);
}

/** In the backward pass: dh = scale · dy·B of every layer that has a LoRA, beside each other. */
export function recordSegmentsBackDown(backend: GpuBackend, c: SegmentsCall): void {
  const items = c.segments.flatMap(({ rows, lora, y }) =>
    lora ? [{ rows, y, ...lora, b: placeOf(backend, lora.b) }] : [],
  );
  const operandsOf = (some: typeof items) => operands(some.map(({ b }) => b));
  const fits = (some: typeof items) => some.length + operandsOf(some).tensors.length + 1 <= bindingsOf(backend);
  for (const some of grouped(items, fits)) {
    const { tensors, arrays } = operandsOf(some);
    const quads = whole([c.width, ...some.flatMap(({ rank, column, b }) => [rank, column, b.at])]);
    const own = nnVariant(backend, {
      ...{ rows: c.m, columns: some.reduce((sum, { rank }) => sum + rank, 0) },
      steps: Math.max(...some.map(({ rows }) => rows)),
      ...{ format: 'f32', quads, inFours: whole(some.map(({ rows }) => rows)) },
    });
    const { scheme } = own;
    const variant: NnSegments = {
      ...{ tm: own.rows, tk: own.columns, quads, arrays: { b: arrays } },
      left: some.map(({ rows }) => quads && rows % 4 === 0),
    };
    const [, blockK] = scheme.size(own.rows, own.columns);
    const tiles = some.reduce((sum, { rank }) => sum + Math.ceil(rank / blockK), 0);
    const fields = some.flatMap(({ rows, rank, column, b, scale }) =>
      segmentFields({ rows, weight: 0, rank, column, factor: b.at, alpha: scale }),
    );
    dispatch(backend, {
      program: program(`matmul_nn_segments ${scheme.family} ${JSON.stringify(variant)}`, () =>
        nnSegmentsShader(variant, scheme),
      ),
      tensors: [...some.map(({ y }) => y), ...tensors, c.h!],
      writes: [c.h!],
      uniforms: uniformBlock(u(c.m), u(c.k), u(c.width), u(tiles), ...fields),
      workgroups: groupsFor(tiles * threadsOf(own, c.m, blockK), scheme.group),
    });
  }
}

interface SumItem extends Segment {
  place: Place;
  a: Place | undefined;
}

function sumOf(
  backend: GpuBackend,
  { m, k, h, width, dropout }: SegmentsCall,
  items: SumItem[],
  beside: readonly TnProduct[] | undefined,
  z: TensorInfo,
  plus?: TensorInfo,
) {
  const { format, place } = items[0]!;
  const factors = operands(items.map(({ a }) => a));
  const quads = k % 4 === 0 && whole(items.flatMap(({ place: { at }, a }) => [format === 'f32' ? at : 0, a?.at ?? 0]));
  const lora = factors.tensors.length > 0;
  const dropped = lora && dropout !== undefined;
  const loraQuads = whole([width, ...items.flatMap((item) => [item.lora?.rank ?? 0, item.lora?.column ?? 0])]);
  const own = nnVariant(backend, {
    ...{ rows: m, columns: k, steps: items.reduce((sum, { rows }) => sum + rows, 0), format },
    ...{ quads, inFours: whole(items.map(({ rows }) => rows)) && (!lora || loraQuads) },
    // Whoever drops some of the sums must have them in registers.
    beside: dropped ? [] : beside,
  });
  const variant: SumSegments = {
    ...{ tm: own.rows, tk: own.columns, format, spans: own.spans, quads, plus: plus !== undefined, dropout: dropped },
    left: items.map(({ rows }) => quads && rows % 4 === 0),
    lora: lora && { leftQuads: quads && loraQuads, a: factors.arrays },
  };
  const fields = items.flatMap(({ rows, lora: own, a, place: at }) =>
    segmentFields({
      ...{ rows, rank: own?.rank, column: own?.column, factor: a?.at, tag: own?.tag },
      weight: weightAt(at, format, quads),
    }),
  );
  return {
    ...{ variant, scheme: own.scheme, own },
    tensors: [
      ...items.map(({ y }) => y),
      ...[place.tensor, ...(lora ? [h!, ...factors.tensors] : []), ...(plus ? [plus] : []), z],
    ],
    uniforms: [
      ...[m, k, width, 0].map(u),
      ...(variant.dropout
        ? [...[dropout!.seed, dropout!.step, threshold(dropout!.p)].map(u), f(1 / (1 - dropout!.p))]
        : []),
      ...fields,
    ],
    // The step differs in every call.
    volatile: variant.dropout,
    threads: threadsOf(own, m, k),
  };
}

/**
 * In the backward pass: z = Σ (dy·W + dh·A) + plus over all layers, the gradient of their input; beside `products` of TN over
 * the same rows, in one dispatch if the device binds enough buffers. `temp` makes a matrix of z's shape.
 */
export function recordSegmentsBack(
  backend: GpuBackend,
  c: SegmentsCall,
  { z, plus, products, temp }: { z: TensorInfo; plus?: TensorInfo; products: TnProduct[]; temp(): TensorInfo },
): void {
  const limit = bindingsOf(backend);
  const items = c.segments.map(
    (segment): SumItem => ({
      ...segment,
      place: placeOf(backend, segment.weight),
      a: segment.lora && placeOf(backend, segment.lora.a),
    }),
  );
  const beside = products.length > 0 ? products : undefined;
  // A group adds to what the one before it gave.
  const fits = (some: SumItem[]) =>
    sameWeights(some.map(({ place, format }) => ({ weight: place, format }))) &&
    unwatched(() => sumOf(backend, c, some, beside, z, some.includes(items[0]!) ? plus : z)).tensors.length <= limit;
  const groups = grouped(items, fits);
  let before = plus;
  groups.forEach((some, i) => {
    const last = i === groups.length - 1;
    const target = last ? z : temp();
    const { variant, scheme, own, tensors, uniforms, threads, volatile } = sumOf(
      backend,
      c,
      some,
      beside,
      target,
      before,
    );
    before = target;
    const arrayOf = arraysOf(variant, some, c.h);
    const tn = beside && last ? tnDispatch(backend, c.m, products, { arrayOf, beside: own }) : null;
    const { group, family } = scheme;
    if (tn && tn.scheme === scheme && tensors.length + tn.tensors.length <= limit) {
      dispatch(backend, {
        program: program(`matmul_nn_tn_segments ${family} ${JSON.stringify([variant, tn.shapes, tn.shared])}`, () =>
          sumSegmentsAndProductsShader(variant, tn.shapes, tn.shared, scheme),
        ),
        tensors: [...tensors, ...tn.tensors],
        writes: [target, ...tn.writes],
        uniforms: uniformBlock(...uniforms, ...tn.uniforms),
        volatile,
        workgroups: groupsFor(Math.ceil(tn.threads / group) * group + threads, group),
      });
      return;
    }
    if (tn) recordTN(backend, c.m, products);
    dispatch(backend, {
      program: program(`matmul_sum_segments ${family} ${JSON.stringify(variant)}`, () =>
        sumSegmentsShader(variant, scheme),
      ),
      tensors,
      writes: [target],
      uniforms: uniformBlock(...uniforms),
      volatile,
      workgroups: groupsFor(threads, group),
    });
  });
}

/** The arrays of that shader which products of TN read too. */
const arraysOf =
  ({ left, lora }: SumSegments, items: SumItem[], h?: TensorInfo) =>
  (tensor: TensorInfo, quads: boolean): string | null => {
    const s = items.findIndex(({ y }) => y.dataId === tensor.dataId);
    if (s >= 0 && quads === left[s]) return `Y${s}`;
    return lora && tensor.dataId === h!.dataId && quads === lora.leftQuads ? 'H' : null;
  };
