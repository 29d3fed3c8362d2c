/**
 * Which scheme computes a product: registers for any size and device, quads for CPUs that run shaders, tiles and slices for graphics
 * cards. A function of the shapes, the device and its choice of kernels, so that equal runs give equal bits.
 */
import type { WeightFormat } from '../../types';
import { adapterTraits } from '../../webgpu/adapter';
import type { GpuBackend } from '../../webgpu/backend';
import { columnsAStep, fitsSpans } from './matmul-wgsl';
import { matrixTiles } from './matrix-scheme';
import { quadBlock, tnQuadBlock } from './quad-blocks';
import { quads } from './quad-scheme';
import { registers } from './register-scheme';
import type { Family, Scheme, TnShape } from './scheme';
import { slices } from './split-scheme';
import { halfTiles, TILE, tiles } from './tile-scheme';
import { blockCode } from './weight-wgsl';

export interface Variant {
  scheme: Scheme;
  /** Rows and columns of a thread. */
  rows: number;
  columns: number;
  /** Whether a quantised weight is read a span at a time. */
  spans: boolean;
}

export interface Sizes {
  /** Rows and columns of the result, and steps of the sums. */
  rows: number;
  columns: number;
  steps: number;
  format: WeightFormat;
  /** The rows of W can be read four values at a time. */
  quads: boolean;
  /** All sizes, and where operands begin, are multiples of 4. */
  inFours: boolean;
  /** Results of parts of the sum, which are added up later. */
  pieces?: number;
  /** Gradients of weights, which are tiles on a GPU, are to be in the same dispatch. */
  beside?: boolean;
}

/**
 * The largest register tile that still gives every lane of the device work. A CPU has few lanes and expensive loads, so big
 * tiles win even for small outputs; a GPU needs thousands of threads first.
 */
function chooseTile(software: boolean, rows: number, columns: number, pieces: number): [number, number] {
  const wanted = software ? 16 : 4096;
  const sizes: [number, number][] =
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
    sizes.find(([r, c]) => pieces * Math.ceil(rows / r) * Math.ceil(columns / c) >= wanted) ?? sizes[sizes.length - 1]!
  );
}

/** With fewer rows, registers hold them all. */
const LEAST_ROWS = 5;
/** Workgroups of tiles that give a large GPU something to do; with fewer, sums are split. */
const ENOUGH_TILES = 64;
/** With fewer rows or columns most of a tile would be empty. */
const LEAST_SIDE = 33;

/** On a GPU. Made from counts of loads and of threads, not from measurements. */
function familyOnGpu({ rows, columns, pieces = 1, beside = false }: Sizes): Family {
  if (rows < LEAST_ROWS) return 'register';
  const blocks = pieces * Math.ceil(rows / TILE) * Math.ceil(columns / TILE);
  return beside || (blocks >= ENOUGH_TILES && Math.min(rows, columns) >= LEAST_SIDE) ? 'tile' : 'split';
}

function familyOf(backend: GpuBackend, sizes: Sizes): Family {
  const { software, subgroups, kernels, half } = adapterTraits(backend.device);
  // What is rounded decides results, so every device rounds the same products.
  const chosen = kernels === 'auto' ? (software && !half ? 'quad' : familyOnGpu(sizes)) : kernels;
  const inFours = sizes.quads && sizes.inFours;
  if (chosen === 'quad') return subgroups && inFours && sizes.rows >= LEAST_ROWS ? 'quad' : 'register';
  if (chosen === 'split' && (!inFours || sizes.beside)) return sizes.quads ? 'tile' : 'register';
  return sizes.quads ? chosen : 'register';
}

/** NT; its columns are rows of W. */
export function ntVariant(backend: GpuBackend, sizes: Sizes): Variant {
  const { half, matrix } = adapterTraits(backend.device);
  const variant = variantOf(backend, sizes, fitsSpans(sizes.format, sizes.steps), 1);
  const scheme = half && matrix && variant.scheme === halfTiles ? matrixTiles(matrix) : null;
  return scheme ? { ...variant, scheme } : variant;
}

/** NN; its columns are W's, of which a thread takes whole steps of one span. */
export function nnVariant(backend: GpuBackend, sizes: Sizes): Variant {
  const code = fitsSpans(sizes.format, sizes.columns) ? blockCode(sizes.format) : undefined;
  return variantOf(
    backend,
    sizes,
    code !== undefined,
    4,
    code && { step: columnsAStep(sizes.format), most: code.span },
  );
}

const tilesOn = ({ device }: GpuBackend): Scheme => (adapterTraits(device).half ? halfTiles : tiles);

function variantOf(
  backend: GpuBackend,
  sizes: Sizes,
  spans: boolean,
  sliced: number,
  span?: { step: number; most: number },
): Variant {
  const { rows, columns, pieces = 1 } = sizes;
  const family = familyOf(backend, sizes);
  if (family === 'tile') return { scheme: tilesOn(backend), rows: 4, columns: 4, spans: false };
  if (family === 'split') return { scheme: slices, rows: 1, columns: sliced, spans: false };
  if (family === 'quad') {
    const { own, shared } = quadBlock(rows, columns, { values: adapterTraits(backend.device).quadValues, ...span });
    return { scheme: quads, rows: own, columns: shared, spans };
  }
  let [tm, tn] = chooseTile(adapterTraits(backend.device).software, rows, columns, pieces);
  if (span) tn = span.step;
  if (!sizes.quads) [tm, tn] = [Math.min(tm, 4), 4];
  return { scheme: registers, rows: tm, columns: tn, spans };
}

/** The scheme of TN for all products of a dispatch, and their shapes in it. */
export function tnVariant(
  backend: GpuBackend,
  products: { p: number; q: number; shape: TnShape }[],
): { scheme: Scheme; shapes: TnShape[] } {
  const { software, subgroups, kernels, half, quadValues: values } = adapterTraits(backend.device);
  const shapes = products.map(({ shape }) => shape);
  const chosen = kernels === 'auto' ? (software && !half ? 'quad' : 'tile') : kernels;
  if (chosen === 'quad' && subgroups && shapes.every((shape) => shape.quads)) {
    return {
      scheme: quads,
      shapes: products.map(({ p, q, shape }) => ({ ...shape, block: tnQuadBlock(p, q, { values }) })),
    };
  }
  return { scheme: chosen === 'tile' || chosen === 'split' ? tilesOn(backend) : registers, shapes };
}

/** Threads, or workgroups, of a product of rows and columns. */
export function threadsOf({ scheme, ...own }: Variant, rows: number, columns: number): number {
  const [blockRows, blockColumns] = scheme.size(own.rows, own.columns);
  return scheme.lanes * Math.ceil(rows / blockRows) * Math.ceil(columns / blockColumns);
}
