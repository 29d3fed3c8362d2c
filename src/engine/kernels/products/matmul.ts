/**
 * Records the matrix products as dispatches: chooses a tile for the shape and adapter and builds its shader once. Used by
 * the linear, LoRA and cross-entropy kernels; their CPU references use matmul-reference.ts.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { adapterTraits } from '../../webgpu/adapter';
import type { GpuBackend } from '../../webgpu/backend';
import { dispatch, f, type Program, u, uniformBlock } from '../../webgpu/dispatch';
import { inputAndWeightsShader, type TnShape, tnShader, tnTiles } from './matmul-tn-wgsl';
import { columnsAStep, fitsSpans, type NnVariant, type NtVariant, nnShader, ntShader } from './matmul-wgsl';
import type { WeightOperand } from './weight';

const programs = new Map<string, Program>();

export function program(key: string, build: () => string): Program {
  let entry = programs.get(key);
  if (!entry) {
    entry = { key, wgsl: build() };
    programs.set(key, entry);
  }
  return entry;
}

/** Storage buffers that a shader of this device may have. */
export const bindingsOf = ({ device }: GpuBackend): number => device.limits.maxStorageBuffersPerShaderStage;

/** Folds a thread count into workgroups of 64, in two dimensions if one would exceed the limit of 65535. */
export function groupsFor(threads: number): [number, number] {
  const groups = Math.max(1, Math.ceil(threads / 64));
  if (groups <= 65535) return [groups, 1];
  const y = Math.ceil(groups / 65535);
  return [Math.ceil(groups / y), y];
}

/**
 * The largest register tile that still gives every lane of the device work. A CPU has few lanes and expensive loads, so big
 * tiles win even for small outputs; a GPU needs thousands of threads first.
 */
export function chooseTile(backend: GpuBackend, rows: number, columns: number, pieces = 1): [number, number] {
  const wanted = adapterTraits(backend.device).software ? 16 : 4096;
  const tiles: [number, number][] =
    rows === 1
      ? [
          [1, 8],
          [1, 4],
        ]
      : rows <= 4
        ? [
            [4, 8],
            [4, 4],
            [2, 4],
          ]
        : [
            [8, 8],
            [4, 8],
            [4, 4],
            [2, 4],
          ];
  return (
    tiles.find(([r, c]) => pieces * Math.ceil(rows / r) * Math.ceil(columns / c) >= wanted) ?? tiles[tiles.length - 1]!
  );
}

export interface NtCall {
  x: TensorInfo;
  w: WeightOperand;
  y: TensorInfo;
  m: number;
  n: number;
  k: number;
  alpha?: number;
  lora?: { h: TensorInfo; b: TensorInfo; rank: number };
  bias?: TensorInfo;
  residual?: TensorInfo;
}

/** The parts of a weight, each with the row it starts at. */
function placed({ parts }: WeightOperand) {
  let first = 0;
  return parts.map((part) => {
    const at = first;
    first += part.rows;
    return { ...part, first: at };
  });
}

/** y[m,n] = alpha · (x[m,k]·w[n,k]ᵀ + h·bᵀ) + bias + residual. */
export function recordNT(backend: GpuBackend, c: NtCall): void {
  const spans = fitsSpans(c.w.format, c.k);
  const quads = c.k % 4 === 0;
  const others = [...(c.lora ? [c.lora.h, c.lora.b] : []), ...(c.bias ? [c.bias] : [])];
  if (c.residual) others.push(c.residual);
  const whole = c.w.parts.length === 1;
  for (const { tensor, rows, first } of placed(c.w)) {
    let [tm, tn] = chooseTile(backend, c.m, rows);
    if (!quads) [tm, tn] = [Math.min(tm, 4), 4];
    const variant: NtVariant = {
      tm,
      tn,
      format: c.w.format,
      spans,
      quads,
      quadStore: [c.n, rows, first].every((size) => size % 4 === 0),
      lora: c.lora ? { quads: c.lora.rank % 4 === 0 } : false,
      bias: c.bias !== undefined,
      residual: c.residual !== undefined,
      part: !whole,
    };
    dispatch(backend, {
      program: program(`matmul_nt ${JSON.stringify(variant)}`, () => ntShader(variant)),
      tensors: [c.x, tensor, ...others, c.y],
      writes: [c.y],
      uniforms: uniformBlock(
        u(c.m),
        u(rows),
        u(c.k),
        u(c.lora?.rank ?? 0),
        f(c.alpha ?? 1),
        u(first),
        u(c.n),
        u(1),
        u(rows),
      ),
      workgroups: groupsFor(Math.ceil(c.m / tm) * Math.ceil(rows / tn)),
    });
  }
}

interface NnProduct {
  y: TensorInfo;
  w: WeightOperand;
  z: TensorInfo;
  m: number;
  n: number;
  k: number;
  alpha?: number;
}

export interface NnCall extends NnProduct {
  lora?: { h: TensorInfo; a: TensorInfo; rank: number };
  plus?: TensorInfo;
}

/** z[m,k] = alpha · (y[m,n]·w[n,k] + h[m,r]·a[r,k]) + plus[m,k]. */
export function recordNN(backend: GpuBackend, c: NnCall): void {
  recordPieces(backend, c, 1);
}

/** Threads that keep the largest GPUs at work: 128 multiprocessors with four workgroups each. */
const FULL = 128 * 4 * 64;

/** Rows of W that a piece of a product has at least: fewer would not be worth another matrix to add. */
const LEAST_ROWS = 1024;

/**
 * Into how many pieces of its n rows of W a product y[m,n]·w[n,k] is split, so that a GPU has enough to do; a CPU has at once.
 * A function of the shapes, so that equal runs give equal bits.
 */
export function splitOf(backend: GpuBackend, { m, n, k }: Pick<NnCall, 'm' | 'n' | 'k'>): number {
  if (adapterTraits(backend.device).software) return 1;
  const threads = Math.max(1, Math.ceil(m / 8) * Math.ceil(k / 8));
  return Math.max(1, Math.min(Math.ceil(FULL / threads), Math.floor(n / LEAST_ROWS)));
}

/** The same in pieces, whose results are one after the other in z [pieces, m, k]. */
export function recordSplitNN(backend: GpuBackend, c: NnProduct, pieces: number): void {
  recordPieces(backend, c, pieces);
}

function nnTile(backend: GpuBackend, c: NnCall, pieces: number) {
  const spans = fitsSpans(c.w.format, c.k);
  const quads = c.k % 4 === 0;
  let [tm, tk] = chooseTile(backend, c.m, c.k, pieces);
  if (spans) tk = columnsAStep(c.w.format);
  if (!quads) [tm, tk] = [Math.min(tm, 4), 4];
  return { tm, tk, spans, quads, tiles: Math.ceil(c.m / tm) * Math.ceil(c.k / tk) };
}

/** The dispatches of a product, one a part of the weight. */
function nnDispatches(backend: GpuBackend, c: NnCall, pieces: number) {
  const { tiles, ...tile } = nnTile(backend, c, pieces);
  return placed(c.w).map(({ tensor, rows, first }) => {
    const [lora, plus] = first === 0 ? [c.lora, c.plus] : [];
    const variant: NnVariant = {
      ...tile,
      format: c.w.format,
      leftQuads: tile.quads && [c.n, rows, first].every((size) => size % 4 === 0),
      lora: lora ? { leftQuads: tile.quads && lora.rank % 4 === 0 } : false,
      part: c.w.parts.length > 1,
      add: first > 0,
      plus: plus !== undefined,
      split: pieces > 1,
    };
    const sizes = [u(c.m), u(rows), u(c.k), u(lora?.rank ?? 0), f(c.alpha ?? 1), u(first), u(c.n)];
    // Pieces begin at whole quads.
    const share = pieces > 1 ? Math.ceil(rows / pieces / 4) * 4 : rows;
    return {
      variant,
      tensors: [c.y, tensor, ...(lora ? [lora.h, lora.a] : []), ...(plus ? [plus] : []), c.z],
      uniforms: [...sizes, u(pieces), u(share)],
      threads: tiles * pieces,
    };
  });
}

function recordPieces(backend: GpuBackend, c: NnCall, pieces: number): void {
  for (const { variant, tensors, uniforms, threads } of nnDispatches(backend, c, pieces)) {
    dispatch(backend, {
      program: program(`matmul_nn ${JSON.stringify(variant)}`, () => nnShader(variant)),
      tensors,
      writes: [c.z],
      uniforms: uniformBlock(...uniforms),
      workgroups: groupsFor(threads),
    });
  }
}

export interface TnProduct {
  u: TensorInfo;
  v: TensorInfo;
  c: TensorInfo;
  p: number;
  q: number;
  alpha?: number;
  /** Adds to the contents of c. */
  add?: boolean;
  /** The index of the product's first value in c; 0 if left out. Several products may have places in one c. */
  at?: number;
  /** If u's or v's columns are some of a wider matrix: how many that has, and the first of them. */
  columnsU?: Columns;
  columnsV?: Columns;
}

interface Columns {
  of: number;
  from: number;
}

/** `arrayOf` names an array that the shader has already and that holds the tensor, in quads or single values. */
export function tnDispatch(
  products: TnProduct[],
  arrayOf: (tensor: TensorInfo, quads: boolean) => string | null = () => null,
) {
  const columns = products.map(
    (p) => [p.columnsU ?? { of: p.p, from: 0 }, p.columnsV ?? { of: p.q, from: 0 }] as const,
  );
  const inQuads = products.map((p, i) =>
    [p.p, p.q, p.at ?? 0, ...columns[i]!.flatMap((c) => [c.of, c.from])].every((size) => size % 4 === 0),
  );
  // What is written has one type.
  const shapes = products.map(
    (p): TnShape => ({
      quads: products.every((other, i) => other.c.dataId !== p.c.dataId || inQuads[i]!),
      ...(p.add ? { add: true } : {}),
    }),
  );
  const shared: Record<string, string> = {};
  const declared: { name: string; tensor: TensorInfo; key: unknown }[] = [];
  products.forEach((p, i) => {
    const { quads } = shapes[i]!;
    const operands = [
      { name: `U${i}`, tensor: p.u, key: quads, given: arrayOf(p.u, quads) },
      { name: `V${i}`, tensor: p.v, key: quads, given: arrayOf(p.v, quads) },
      { name: `C${i}`, tensor: p.c, key: 'written', given: null },
    ];
    for (const { name, tensor, key, given } of operands) {
      const array = given ?? declared.find((d) => d.key === key && d.tensor.dataId === tensor.dataId)?.name;
      if (array) shared[name] = array;
      else declared.push({ name, tensor, key });
    }
  });
  return {
    shapes,
    shared,
    tensors: declared.map(({ tensor }) => tensor),
    writes: products.map((p) => p.c),
    uniforms: products.flatMap((p, i) => [
      ...[p.p, p.q, ...columns[i]!.flatMap((c) => [c.of, c.from]), p.at ?? 0].map(u),
      f(p.alpha ?? 1),
    ]),
    threads: products.reduce((sum, p, i) => sum + tnTiles(p.p, p.q, shapes[i]!.quads), 0),
  };
}

/** c[p,q] = (c +) alpha · u[m,p]ᵀ·v[m,q] for products that share m, in one dispatch, or as many as the bindings need. */
export function recordTN(backend: GpuBackend, m: number, products: TnProduct[]): void {
  const { shapes, shared, tensors, writes, uniforms, threads } = tnDispatch(products);
  if (products.length > 1 && tensors.length > bindingsOf(backend)) {
    const half = Math.ceil(products.length / 2);
    recordTN(backend, m, products.slice(0, half));
    recordTN(backend, m, products.slice(half));
    return;
  }
  dispatch(backend, {
    program: program(`matmul_tn ${JSON.stringify([shapes, shared])}`, () => tnShader(shapes, shared)),
    tensors,
    writes,
    uniforms: uniformBlock(u(m), ...uniforms),
    workgroups: groupsFor(threads),
  });
}

/**
 * A product of NN and products of TN over the same rows: the gradients of a layer's input and weights, in one dispatch where the
 * device binds enough buffers.
 */
export function recordInputAndWeights(backend: GpuBackend, c: NnCall, products: TnProduct[]): void {
  const [nn, ...more] = nnDispatches(backend, c, 1);
  const { variant } = nn!;
  const tn = tnDispatch(products, (tensor, quads) => {
    if (tensor.dataId === c.y.dataId && quads === variant.leftQuads) return 'Y';
    return variant.lora && tensor.dataId === c.lora!.h.dataId && quads === variant.lora.leftQuads ? 'H' : null;
  });
  const tensors = [...nn!.tensors, ...tn.tensors];
  if (more.length > 0 || tensors.length > bindingsOf(backend)) {
    recordTN(backend, c.m, products);
    recordNN(backend, c);
    return;
  }
  dispatch(backend, {
    program: program(`matmul_nn_tn ${JSON.stringify([variant, tn.shapes, tn.shared])}`, () =>
      inputAndWeightsShader(variant, tn.shapes, tn.shared),
    ),
    tensors,
    writes: [c.z, ...tn.writes],
    uniforms: uniformBlock(...nn!.uniforms, ...tn.uniforms),
    workgroups: groupsFor(Math.ceil(tn.threads / 64) * 64 + nn!.threads),
  });
}
