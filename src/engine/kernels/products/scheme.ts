/**
 * How a product is divided among threads and summed up: a part of the generators of WGSL (matmul-wgsl.ts, matmul-tn-wgsl.ts,
 * segments-wgsl.ts). What a shader reads, and what becomes of its sums, is the same for all schemes: of NT a thread stores `a{i}_{j}`
 * for the rows from `m0` and the columns from `n0` on, and of NN `a{i}_{q}` at its columns `c{q}`.
 */
import type { Family } from '../../../base/kernels';
import type { WeightFormat } from '../../types';
import type { BlockCode } from './weight-wgsl';

/** `half` and `matrix`: tiles of f16, the latter with subgroup matrices. */
export type SchemeName = Family | 'half' | 'matrix';

/** Σ_k left[row, k] · right[column, k]. */
export interface NtLoop {
  /** Functions that load from either operand. */
  left: string;
  right: string;
  /** The operands' width, in values. */
  depth: string;
  /** The right operand's rows start here. */
  first?: string;
  /** Rows of the right operand. */
  rows?: string;
  /** If the operands' rows are not the whole of their arrays, in loads: the left one's stride, and where either begins. */
  stride?: string;
  leftAt?: string;
  rightAt?: string;
}

/** Σ_n left[row, n] · right[n, columns]. */
export interface NnLoop {
  /** Rows are `stride` long and start at `first`, all in values; `first4` is that in quads. */
  left: { load: string; quads: boolean; start?: string; depth: string; stride: string; first: string; first4: string };
  /** The function that loads from the right operand; null for W a span at a time. */
  right: string | null;
  rightAt?: string;
}

/** What decides which columns a thread of NN has. */
export interface NnTile {
  tm: number;
  tk: number;
  format: WeightFormat;
  spans: boolean;
  quads: boolean;
}

export interface TnShape {
  quads: boolean;
  add?: true;
  /** Of a block of four lanes, the rows (p) or columns (q) that each has for itself, and the others, which they share. */
  block?: { lanes: 'p' | 'q'; own: number; shared: number };
}

export interface Scheme {
  family: SchemeName;
  directives: string;
  /** Declarations of the module. */
  memory: string;
  /** Begins the entry point and declares `thread`; or, where a workgroup works on one block, gives its index that name. */
  entry: string;
  /** Threads of a workgroup, as they are counted. */
  group: number;
  /** How many of them share a block, and the block of `thread`. */
  lanes: number;
  block: string;
  /** Rows and columns of a block, of which a thread has so many. */
  size(rows: number, columns: number): [number, number];
  /** Declares m0 and n0 in the block that begins at tileM and tileN. */
  placeNT(tm: number): string;
  nt(v: { tm: number; tn: number; quads: boolean }, loop: NtLoop): string;
  /** W a span at a time. */
  ntSpans(v: { tm: number; tn: number }, code: BlockCode, rows?: string): string;
  /** Declares m0, k0 and c{q} in block `id`, whose rows begin at tileM; there are tilesK in a row of blocks, over k columns. */
  placeNN(v: NnTile, k: string): string;
  nn(v: NnTile, loop: NnLoop, k: string): string;
  /** Everything that is added to a thread's sums. */
  whole(kind: 'nt' | 'nn', sums: string): string;
  /** Sums are stored in a loop (store-wgsl.ts). */
  rolled: boolean;
  tn: {
    size(shape: TnShape): [p: number, q: number];
    /** A function of a thread, the product's sizes, where its operands' columns and its results are, and alpha. */
    body(name: string, shape: TnShape, arrays: readonly [u: string, v: string, c: string]): string;
  };
}

/** The parameters of `tn.body`. */
export const TN_SIGNATURE = '(thread: u32, P: u32, Q: u32, US: u32, UA: u32, VS: u32, VA: u32, AT: u32, alpha: f32)';
