/**
 * Linear layers on few rows, as decoding has them, with what precedes and follows them in the same dispatch:
 *
 *   x [M, in] or RMSNorm(x)   per segment: W [out, in], LoRA's A [r, in] and B [out, r], bias [out]
 *   ->  y = x·Wᵀ + scale · (x·Aᵀ)·Bᵀ + bias (+ residual), a tensor a segment; or of two segments g and up: activation(g) · up
 *
 * Without a gradient. A row's sums are in the same order, whatever other rows there are. On a GPU: a CPU has enough to do
 * with the plain products (matmul.ts), and barriers are slow there.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LinearModule } from '../../types';
import { adapterTraits } from '../../webgpu/adapter';
import { type GpuBackend, isGpu } from '../../webgpu/backend';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { defineKernel, shapeError, type View } from '../kernel';
import { type GluActivation, gluSource, gluValue } from '../pointwise/glu';
import { type FewSegment, type FewVariant, fewBindings, fewRowsShader, SLOTS } from './few-rows-wgsl';
import { bindingsOf, groupsFor, placed, program } from './matmul';
import { addNT } from './matmul-reference';
import { fitsSpans } from './matmul-wgsl';
import { type WeightAttrs, type WeightOperand, weightAttrs, weightInputs, weightOperand, widenWeight } from './weight';

/** Rows of x that a workgroup takes. */
const BLOCK = 4;
/** Rows that these products are for: more of them read the weights too often. */
const FEW = 32;
/** Workgroup memory for h is 4 bytes times this. */
const MAX_H = 1024;
/** Sums that a lane has in registers. */
const MAX_SUMS = 8;
/** Workgroups that a dispatch should have before one computes more columns. */
const ENOUGH = 128;

export interface FewLora {
  a: tf.TensorInfo;
  b: tf.TensorInfo;
  rank: number;
  scale: number;
}

export interface FewOperand {
  w: WeightOperand;
  n: number;
  lora?: FewLora;
  bias?: tf.TensorInfo;
}

export interface FewCall {
  x: tf.TensorInfo;
  m: number;
  k: number;
  norm?: { weight: tf.TensorInfo; eps: number };
  segments: FewOperand[];
  /** Of two segments. */
  activation?: GluActivation;
  /** Of one segment. */
  residual?: tf.TensorInfo;
  /** One a segment; one in all with an activation. */
  ys: tf.TensorInfo[];
  /** Receives scale · x·Aᵀ of the only segment. */
  h?: tf.TensorInfo;
}

const onCard = (backend: GpuBackend) => !adapterTraits(backend.device).software;

/** Whether h of this rank has room in a workgroup. */
const fitsRank = (rows: number, rank: number): boolean => Math.min(rows, BLOCK) * rank <= MAX_H;

/** Whether these kernels take a product whichever pass it is in: only where a workgroup has all of its rows. */
export const isFew = (backend: GpuBackend, rows: number, rank = 0): boolean =>
  rows > 0 && rows <= BLOCK && onCard(backend) && fitsRank(rows, rank);

/** Buffers that the segments of a call take beside those that every dispatch has. */
const buffersOf = ({ lora, bias }: FewOperand) => 1 + (lora ? 2 : 0) + (bias ? 1 : 0);

/** Whether two segments and their activation fit one dispatch. */
export function fitsGated(backend: GpuBackend, { norm, segments }: Pick<FewCall, 'norm' | 'segments'>): boolean {
  const buffers = segments.reduce((sum, one) => sum + buffersOf(one), norm ? 3 : 2);
  return buffers <= bindingsOf(backend) && segments.every(({ w }) => w.parts.length === 1);
}

/** A segment, or a part of one, as a dispatch computes it. */
interface Piece {
  operand: FewOperand;
  tensor: tf.TensorInfo;
  rows: number;
  first: number;
  y: tf.TensorInfo;
}

/** Records the products in as few dispatches as the device binds buffers for. */
export function recordFewRows(backend: GpuBackend, c: FewCall): void {
  const pieces = c.segments.flatMap((operand, i) =>
    placed(operand.w).map((part): Piece => ({ operand, ...part, y: c.activation ? c.ys[0]! : c.ys[i]! })),
  );
  if (c.activation) {
    recordPieces(backend, c, pieces);
    return;
  }
  const shared = 1 + (c.norm ? 1 : 0) + (c.residual ? 1 : 0) + (c.h ? 1 : 0);
  let together: Piece[] = [];
  let buffers = shared;
  const flush = () => {
    if (together.length > 0) recordPieces(backend, c, together);
    together = [];
    buffers = shared;
  };
  for (const piece of pieces) {
    const more = buffersOf(piece.operand) + 1;
    // Parts of a weight write one y.
    const apart = together.some(({ y }) => y === piece.y) || buffers + more > bindingsOf(backend);
    if (apart) flush();
    together.push(piece);
    buffers += more;
  }
  flush();
}

function recordPieces(backend: GpuBackend, c: FewCall, pieces: Piece[]): void {
  const quads = c.k % 4 === 0;
  const columns = pieces.reduce((sum, { rows }) => sum + rows, 0) / (c.activation ? 2 : 1);
  const rows = Math.min(c.m, BLOCK);
  const tile = [4, 2, 1].find((t) => t === 1 || (t * rows <= MAX_SUMS && columns >= ENOUGH * SLOTS * t))!;
  const ranks = pieces.map(({ operand }) => operand.lora?.rank ?? 0);
  const plain: Omit<FewVariant, 'bound'> = {
    rows,
    tile,
    quads,
    norm: c.norm !== undefined,
    segments: pieces.map(
      ({ operand: { w, lora, bias } }): FewSegment => ({
        format: w.format,
        spans: fitsSpans(w.format, c.k),
        lora: lora ? { quads: lora.rank % 4 === 0 } : false,
        bias: bias !== undefined,
      }),
    ),
    gated: c.activation ? gluSource(c.activation) : null,
    residual: c.residual !== undefined,
    keepsH: c.h !== undefined,
    rank: Math.max(...ranks),
  };
  const given: Record<string, tf.TensorInfo | undefined> = {
    X: c.x,
    norm: c.norm?.weight,
    residual: c.residual,
    H: c.h,
  };
  pieces.forEach(({ operand: { lora, bias }, tensor, y }, i) => {
    Object.assign(given, { [`W${i}`]: tensor, [`A${i}`]: lora?.a, [`B${i}`]: lora?.b, [`bias${i}`]: bias });
    given[`Y${i}`] = y;
  });
  // What is in one buffer and of one type is bound once.
  const bound: Record<string, number> = {};
  const tensors: tf.TensorInfo[] = [];
  const writes: tf.TensorInfo[] = [];
  const places = new Map<tf.DataId, Map<string, number>>();
  for (const { name, type, access } of fewBindings(plain)) {
    const tensor = given[name]!;
    const byType = places.get(tensor.dataId) ?? new Map<string, number>();
    places.set(tensor.dataId, byType);
    const at = byType.get(`${type} ${access}`) ?? tensors.push(tensor) - 1;
    byType.set(`${type} ${access}`, at);
    bound[name] = at;
    if (access !== 'read') writes.push(tensor);
  }
  const variant: FewVariant = { ...plain, bound };
  const groups = pieces.map((piece) => Math.ceil(piece.rows / (SLOTS * tile)));
  const blocks = Math.ceil(c.m / rows);
  dispatch(backend, {
    program: program(`few_rows ${JSON.stringify(variant)}`, () => fewRowsShader(variant)),
    tensors,
    writes,
    uniforms: uniformBlock(
      u(c.m),
      u(c.k),
      f(c.norm?.eps ?? 0),
      ...pieces.flatMap(({ operand: { n, lora }, rows, first }) => [
        u(rows),
        u(first),
        u(n),
        u(lora?.rank ?? 0),
        f(lora?.scale ?? 1),
      ]),
    ),
    workgroups: groupsFor(64 * blocks * (c.activation ? groups[0]! : groups.reduce((sum, n) => sum + n, 0))),
  });
}

interface FewAttrs {
  segments: (WeightAttrs & { rank: number; scale: number })[];
  /** Of the norm, if there is one. */
  eps: number;
  activation: GluActivation | null;
}

/** The inputs of a segment, under the names that `weight.ts` gives them. */
function ofSegment<T>(inputs: Record<string, T>, i: number): Record<string, T> {
  const prefix = `s${i}.`;
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, value]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
    ),
  );
}

const fewRowsKernel = defineKernel<FewAttrs>({
  name: 'FewRows',
  outputs(inputs, { segments, activation }) {
    const { x, norm, residual } = inputs;
    const rows = x?.shape[0] ?? 0;
    const width = x?.shape[1];
    const fits = segments.every(({ out, in: k, rank }, i) => {
      const { a, b, bias } = ofSegment(inputs, i);
      return (
        k === width &&
        (rank === 0 || (a?.shape.join() === `${rank},${k}` && b?.shape.join() === `${out},${rank}`)) &&
        (!bias || bias.shape[0] === out) &&
        (!residual || (segments.length === 1 && residual.shape.join() === `${rows},${out}`))
      );
    });
    const pair = segments.length === 2 && segments[0]!.out === segments[1]!.out && !residual;
    if (!fits || rows < 1 || (norm && norm.shape[0] !== width) || (activation && !pair)) {
      throw shapeError('FewRows', 'x [M, in] and segments [out, in]', {
        x: x?.shape,
        norm: norm?.shape,
        residual: residual?.shape,
        ...Object.fromEntries(segments.map((s, i) => [`segment ${i}`, [s.out, s.in]])),
      });
    }
    return (activation ? segments.slice(0, 1) : segments).map(({ out }) => ({ shape: [rows, out] }));
  },
  cpu(inputs, { segments, eps, activation }, ys) {
    const [m, k] = inputs.x!.shape as [number, number];
    const x = Float32Array.from(inputs.x!.data);
    for (let i = 0; inputs.norm && i < m; i++) {
      const row = x.subarray(i * k, (i + 1) * k);
      const scale = 1 / Math.sqrt(row.reduce((sum, v) => sum + v * v, 0) / k + eps);
      row.forEach((v, j) => {
        row[j] = v * scale * inputs.norm!.data[j]!;
      });
    }
    const all = segments.map((segment, i) => {
      const own = ofSegment(inputs, i) as Record<string, View>;
      const y = new Float32Array(m * segment.out);
      if (inputs.residual) y.set(inputs.residual.data);
      addNT(y, x, widenWeight(own, segment), m, segment.out, k);
      if (segment.rank > 0) {
        const h = new Float32Array(m * segment.rank);
        addNT(h, x, own.a!.data, m, segment.rank, k, segment.scale);
        addNT(y, h, own.b!.data, m, segment.out, segment.rank);
      }
      return own.bias ? y.map((v, at) => v + own.bias!.data[at % segment.out]!) : y;
    });
    if (activation) ys[0]!.set(all[0]!.map((g, at) => gluValue(activation, g) * all[1]![at]!));
    else for (const [i, y] of all.entries()) ys[i]!.set(y);
  },
  gpu({ backend, inputs, outputs, attrs: { segments, eps, activation } }) {
    const { x, norm, residual } = inputs;
    const [m, k] = x!.shape as [number, number];
    recordFewRows(backend, {
      ...{ x: x!, m, k, residual, ys: outputs },
      norm: norm && { weight: norm, eps },
      activation: activation ?? undefined,
      segments: segments.map((segment, i) => {
        const own = ofSegment(inputs, i);
        const { rank, scale, out } = segment;
        return {
          w: weightOperand(own, segment),
          n: out,
          lora: rank > 0 ? { a: own.a!, b: own.b!, rank, scale } : undefined,
          bias: own.bias,
        };
      }),
    });
  },
});

/** A linear with what LoRA adds to it. */
export interface FewLinear extends Pick<LinearModule, 'weight' | 'bias'> {
  lora: { a: tf.Tensor; b: tf.Tensor; scale: number } | null;
}

export interface FewAround {
  norm?: { weight: tf.Tensor; eps: number } | null;
  residual?: tf.Tensor | null;
  activation?: GluActivation | null;
}

/** Whether these kernels are for so many rows on the current backend. */
export function isForFewRows(rows: number): boolean {
  const backend = tf.backend();
  return isGpu(backend) && onCard(backend) && rows > 0 && rows <= FEW;
}

/** Whether `fewRows` computes these on the current backend. */
export function takesFewRows(
  rows: number,
  modules: readonly FewLinear[],
  { norm, activation }: FewAround = {},
): boolean {
  const backend = tf.backend();
  if (!isGpu(backend) || !isForFewRows(rows)) return false;
  if (modules.some(({ lora }) => lora && !fitsRank(rows, lora.a.shape[0]!))) return false;
  if (!activation) return true;
  return fitsGated(backend, {
    norm: norm ?? undefined,
    segments: modules.map(({ weight, bias, lora }) => ({
      w: { parts: weight.parts, format: weight.format },
      n: weight.shape[0]!,
      lora: lora ? { ...lora, rank: lora.a.shape[0]! } : undefined,
      bias: bias ?? undefined,
    })),
  });
}

/** Linears of the same x [M, in], each [M, out]; with an activation of two of them only their gated product. */
export function fewRows(x: tf.Tensor, modules: readonly FewLinear[], around: FewAround = {}): tf.Tensor[] {
  const { norm, residual, activation = null } = around;
  const inputs: Record<string, tf.Tensor | undefined> = {
    x,
    norm: norm?.weight,
    residual: residual ?? undefined,
  };
  modules.forEach(({ weight, bias, lora }, i) => {
    const own = { ...weightInputs(weight), a: lora?.a, b: lora?.b, bias: bias ?? undefined };
    for (const [name, tensor] of Object.entries(own)) inputs[`s${i}.${name}`] = tensor;
  });
  return fewRowsKernel(inputs as Record<string, tf.Tensor>, {
    segments: modules.map(({ weight, lora }) => ({
      ...weightAttrs(weight),
      rank: lora?.a.shape[0] ?? 0,
      scale: lora?.scale ?? 1,
    })),
    eps: norm?.eps ?? 0,
    activation,
  });
}
