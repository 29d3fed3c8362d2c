/**
 * Records the matrix products as dispatches: variants.ts chooses a scheme and its sizes, whose shader is built once. Used by
 * the linear, LoRA and cross-entropy kernels; their CPU references use matmul-reference.ts.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { adapterTraits } from '../../webgpu/adapter';
import type { GpuBackend } from '../../webgpu/backend';
import { dispatch, f, type Program, u, uniformBlock } from '../../webgpu/dispatch';
import { inputAndWeightsShader, tnShader, tnThreads } from './matmul-tn-wgsl';
import { type NnVariant, type NtVariant, nnShader, ntShader } from './matmul-wgsl';
import type { TnShape } from './scheme';
import { nnVariant, ntVariant, threadsOf, tnVariant, type Variant } from './variants';
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

/** Folds a thread count into workgroups, in two dimensions if one would exceed the limit of 65535. */
export function groupsFor(threads: number, group = 64): [number, number] {
  const groups = Math.max(1, Math.ceil(threads / group));
  if (groups <= 65535) return [groups, 1];
  const y = Math.ceil(groups / 65535);
  return [Math.ceil(groups / y), y];
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
export function placed({ parts }: WeightOperand) {
  let first = 0;
  return parts.map((part) => {
    const at = first;
    first += part.rows;
    return { ...part, first: at };
  });
}

/** y[m,n] = alpha · (x[m,k]·w[n,k]ᵀ + h·bᵀ) + bias + residual. */
export function recordNT(backend: GpuBackend, c: NtCall): void {
  const quads = c.k % 4 === 0;
  const others = [...(c.lora ? [c.lora.h, c.lora.b] : []), ...(c.bias ? [c.bias] : [])];
  if (c.residual) others.push(c.residual);
  for (const { tensor, rows, first } of placed(c.w)) {
    const inFours = [c.k, c.n, rows, first, c.lora?.rank ?? 0].every((size) => size % 4 === 0);
    const sizes = { rows: c.m, columns: rows, steps: c.k, format: c.w.format, quads, inFours };
    const own = ntVariant(backend, sizes);
    const { scheme } = own;
    const variant: NtVariant = {
      ...{ tm: own.rows, tn: own.columns, format: c.w.format, spans: own.spans, quads },
      quadStore: own.columns % 4 === 0 && [c.n, rows, first].every((size) => size % 4 === 0),
      lora: c.lora ? { quads: c.lora.rank % 4 === 0 } : false,
      bias: c.bias !== undefined,
      residual: c.residual !== undefined,
      part: c.w.parts.length > 1,
    };
    dispatch(backend, {
      program: program(`matmul_nt ${scheme.family} ${JSON.stringify(variant)}`, () => ntShader(variant, scheme)),
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
      workgroups: groupsFor(threadsOf(own, c.m, rows), scheme.group),
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
  recordParts(backend, c, nnDispatches(backend, c, 1));
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
  recordParts(backend, c, nnDispatches(backend, c, pieces));
}

/** The dispatches of a product, one a part of the weight. */
function nnDispatches(backend: GpuBackend, c: NnCall, pieces: number, beside?: readonly TnProduct[]) {
  const parts = placed(c.w);
  const quads = c.k % 4 === 0;
  const inFours = [c.n, c.lora?.rank ?? 0, ...parts.map(({ first }) => first)].every((size) => size % 4 === 0);
  const own = nnVariant(backend, {
    ...{ rows: c.m, columns: c.k, steps: c.n, format: c.w.format },
    ...{ quads, inFours, pieces, beside },
  });
  return parts.map(({ tensor, rows, first }) => {
    const [lora, plus] = first === 0 ? [c.lora, c.plus] : [];
    const variant: NnVariant = {
      ...{ tm: own.rows, tk: own.columns, spans: own.spans, quads, format: c.w.format },
      leftQuads: quads && [c.n, rows, first].every((size) => size % 4 === 0),
      lora: lora ? { leftQuads: quads && lora.rank % 4 === 0 } : false,
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
      ...{ scheme: own.scheme, own },
      tensors: [c.y, tensor, ...(lora ? [lora.h, lora.a] : []), ...(plus ? [plus] : []), c.z],
      uniforms: [...sizes, u(pieces), u(share)],
      threads: pieces * threadsOf(own, c.m, c.k),
    };
  });
}

function recordParts(backend: GpuBackend, c: NnCall, parts: ReturnType<typeof nnDispatches>): void {
  for (const { scheme, variant, tensors, uniforms, threads } of parts) {
    dispatch(backend, {
      program: program(`matmul_nn ${scheme.family} ${JSON.stringify(variant)}`, () => nnShader(variant, scheme)),
      tensors,
      writes: [c.z],
      uniforms: uniformBlock(...uniforms),
      workgroups: groupsFor(threads, scheme.group),
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

type ArrayOf = (tensor: TensorInfo, quads: boolean) => string | null;

/**
 * Of products over m rows. `arrayOf` names an array that the shader has already and that holds the tensor, in quads or single values;
 * `beside` is the variant of the product whose shader that is.
 */
export function tnDispatch(
  backend: GpuBackend,
  m: number,
  products: TnProduct[],
  { arrayOf = () => null, beside }: { arrayOf?: ArrayOf; beside?: Variant } = {},
) {
  const columns = products.map(
    (p) => [p.columnsU ?? { of: p.p, from: 0 }, p.columnsV ?? { of: p.q, from: 0 }] as const,
  );
  const inQuads = products.map((p, i) =>
    [p.p, p.q, p.at ?? 0, ...columns[i]!.flatMap((c) => [c.of, c.from])].every((size) => size % 4 === 0),
  );
  // What is written has one type.
  const shapeOf = (p: TnProduct): TnShape => ({
    quads: products.every((other, i) => other.c.dataId !== p.c.dataId || inQuads[i]!),
    ...(p.add ? { add: true } : {}),
  });
  const { scheme, shapes } = tnVariant(
    backend,
    m,
    products.map((p) => ({ p: p.p, q: p.q, shape: shapeOf(p) })),
    beside,
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
    ...{ scheme, shapes, shared },
    tensors: declared.map(({ tensor }) => tensor),
    writes: products.map((p) => p.c),
    uniforms: products.flatMap((p, i) => [
      ...[p.p, p.q, ...columns[i]!.flatMap((c) => [c.of, c.from]), p.at ?? 0].map(u),
      f(p.alpha ?? 1),
    ]),
    threads: products.reduce((sum, p, i) => sum + tnThreads(p.p, p.q, shapes[i]!, scheme), 0),
  };
}

/** c[p,q] = (c +) alpha · u[m,p]ᵀ·v[m,q] for products that share m, in one dispatch, or as many as the bindings need. */
export function recordTN(backend: GpuBackend, m: number, products: TnProduct[]): void {
  const { scheme, shapes, shared, tensors, writes, uniforms, threads } = tnDispatch(backend, m, products);
  if (products.length > 1 && tensors.length > bindingsOf(backend)) {
    const half = Math.ceil(products.length / 2);
    recordTN(backend, m, products.slice(0, half));
    recordTN(backend, m, products.slice(half));
    return;
  }
  dispatch(backend, {
    program: program(`matmul_tn ${scheme.family} ${JSON.stringify([shapes, shared])}`, () =>
      tnShader(shapes, shared, scheme),
    ),
    tensors,
    writes,
    uniforms: uniformBlock(u(m), ...uniforms),
    workgroups: groupsFor(threads, scheme.group),
  });
}

/**
 * A product of NN and products of TN over the same rows: the gradients of a layer's input and weights, in one dispatch where the
 * device binds enough buffers.
 */
export function recordInputAndWeights(backend: GpuBackend, c: NnCall, products: TnProduct[]): void {
  const parts = nnDispatches(backend, c, 1, products);
  const [nn, ...more] = parts;
  const { variant, scheme, own } = nn!;
  const arrayOf: ArrayOf = (tensor, quads) => {
    if (tensor.dataId === c.y.dataId && quads === variant.leftQuads) return 'Y';
    return variant.lora && tensor.dataId === c.lora!.h.dataId && quads === variant.lora.leftQuads ? 'H' : null;
  };
  const tn = tnDispatch(backend, c.m, products, { arrayOf, beside: own });
  const tensors = [...nn!.tensors, ...tn.tensors];
  if (tn.scheme !== scheme || more.length > 0 || tensors.length > bindingsOf(backend)) {
    recordTN(backend, c.m, products);
    recordParts(backend, c, parts);
    return;
  }
  const { group, family } = scheme;
  dispatch(backend, {
    program: program(`matmul_nn_tn ${family} ${JSON.stringify([variant, tn.shapes, tn.shared])}`, () =>
      inputAndWeightsShader(variant, tn.shapes, tn.shared, scheme),
    ),
    tensors,
    writes: [c.z, ...tn.writes],
    uniforms: uniformBlock(...nn!.uniforms, ...tn.uniforms),
    workgroups: groupsFor(Math.ceil(tn.threads / group) * group + nn!.threads, group),
  });
}
