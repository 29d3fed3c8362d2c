/**
 * The matrix products as recorded dispatches: chooses a tile for the shape and adapter, builds (once) its shader. Used by
 * linear, LoRA and cross-entropy kernels; their CPU references use matmul-reference.ts.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WeightFormat } from '../types';
import { adapterTraits } from '../webgpu/adapter';
import type { GpuBackend } from '../webgpu/backend';
import { dispatch, f, type Program, u, uniformBlock } from '../webgpu/dispatch';
import { type NnVariant, type NtVariant, nnShader, ntShader, tnShader, tnTiles } from './matmul-wgsl';

const programs = new Map<string, Program>();

function program(key: string, build: () => string): Program {
  let entry = programs.get(key);
  if (!entry) {
    entry = { key, wgsl: build() };
    programs.set(key, entry);
  }
  return entry;
}

/** Folds a thread count into workgroups of 64, in two dimensions where one would pass the limit of 65535. */
export function groupsFor(threads: number): [number, number] {
  const groups = Math.max(1, Math.ceil(threads / 64));
  if (groups <= 65535) return [groups, 1];
  const y = Math.ceil(groups / 65535);
  return [Math.ceil(groups / y), y];
}

/**
 * The largest register tile that still gives every lane of the device work. A CPU has few lanes and dear loads, so big
 * tiles win even for small outputs; a GPU wants thousands of threads first.
 */
function chooseTile(backend: GpuBackend, rows: number, columns: number): [number, number] {
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
  return tiles.find(([r, c]) => Math.ceil(rows / r) * Math.ceil(columns / c) >= wanted) ?? tiles[tiles.length - 1]!;
}

export interface MatrixOperand {
  tensor: TensorInfo;
  format: WeightFormat;
}

export interface NtCall {
  x: TensorInfo;
  w: MatrixOperand;
  y: TensorInfo;
  m: number;
  n: number;
  k: number;
  alpha?: number;
  lora?: { h: TensorInfo; b: TensorInfo; rank: number };
  bias?: TensorInfo;
  residual?: TensorInfo;
}

/** y[m,n] = alpha · (x[m,k]·w[n,k]ᵀ + h·bᵀ) + bias + residual. */
export function recordNT(backend: GpuBackend, c: NtCall): void {
  let [tm, tn] = chooseTile(backend, c.m, c.n);
  const quads = c.k % 4 === 0;
  if (!quads) [tm, tn] = [Math.min(tm, 4), 4];
  const variant: NtVariant = {
    tm,
    tn,
    format: c.w.format,
    quads,
    quadStore: c.n % 4 === 0,
    lora: c.lora ? { quads: c.lora.rank % 4 === 0 } : false,
    bias: c.bias !== undefined,
    residual: c.residual !== undefined,
  };
  const tensors = [c.x, c.w.tensor];
  if (c.lora) tensors.push(c.lora.h, c.lora.b);
  if (c.bias) tensors.push(c.bias);
  if (c.residual) tensors.push(c.residual);
  tensors.push(c.y);
  dispatch(backend, {
    program: program(`matmul_nt ${JSON.stringify(variant)}`, () => ntShader(variant)),
    tensors,
    writes: [c.y],
    uniforms: uniformBlock(u(c.m), u(c.n), u(c.k), u(c.lora?.rank ?? 0), f(c.alpha ?? 1)),
    workgroups: groupsFor(Math.ceil(c.m / tm) * Math.ceil(c.n / tn)),
  });
}

export interface NnCall {
  y: TensorInfo;
  w: MatrixOperand;
  z: TensorInfo;
  m: number;
  n: number;
  k: number;
  alpha?: number;
  lora?: { h: TensorInfo; a: TensorInfo; rank: number };
}

/** z[m,k] = alpha · (y[m,n]·w[n,k] + h[m,r]·a[r,k]). */
export function recordNN(backend: GpuBackend, c: NnCall): void {
  let [tm, tk] = chooseTile(backend, c.m, c.k);
  const quads = c.k % 4 === 0;
  if (!quads) [tm, tk] = [Math.min(tm, 4), 4];
  const variant: NnVariant = {
    tm,
    tk,
    format: c.w.format,
    quads,
    leftQuads: quads && c.n % 4 === 0,
    lora: c.lora ? { leftQuads: quads && c.lora.rank % 4 === 0 } : false,
  };
  const tensors = [c.y, c.w.tensor];
  if (c.lora) tensors.push(c.lora.h, c.lora.a);
  tensors.push(c.z);
  dispatch(backend, {
    program: program(`matmul_nn ${JSON.stringify(variant)}`, () => nnShader(variant)),
    tensors,
    writes: [c.z],
    uniforms: uniformBlock(u(c.m), u(c.n), u(c.k), u(c.lora?.rank ?? 0), f(c.alpha ?? 1)),
    workgroups: groupsFor(Math.ceil(c.m / tm) * Math.ceil(c.k / tk)),
  });
}

export interface TnProduct {
  u: TensorInfo;
  v: TensorInfo;
  c: TensorInfo;
  p: number;
  q: number;
  alpha?: number;
}

/** c[p,q] = alpha · u[m,p]ᵀ·v[m,q] for one or two products that share m, in one dispatch. */
export function recordTN(backend: GpuBackend, m: number, products: [TnProduct] | [TnProduct, TnProduct]): void {
  const shapes = products.map((p) => ({ quads: p.p % 4 === 0 && p.q % 4 === 0 }));
  const threads = products.reduce((sum, p, i) => sum + tnTiles(p.p, p.q, shapes[i]!.quads), 0);
  dispatch(backend, {
    program: program(`matmul_tn ${JSON.stringify(shapes)}`, () => tnShader(shapes)),
    tensors: products.flatMap((p) => [p.u, p.v, p.c]),
    writes: products.map((p) => p.c),
    uniforms: uniformBlock(u(m), ...products.flatMap((p) => [u(p.p), u(p.q), f(p.alpha ?? 1)])),
    workgroups: groupsFor(threads),
  });
}
