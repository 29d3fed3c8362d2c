/**
 * Which scheme computes a product: registers for any size and device, quads for CPUs that run shaders, tiles and slices for graphics
 * cards. A function of the shapes, the device and its choice of kernels, so that equal runs give equal bits.
 */
import { FAMILIES, type Family } from '../../../base/kernels';
import { classKey, type ProductClass } from '../../../base/product-class';
import type { WeightFormat } from '../../types';
import { type AdapterTraits, adapterTraits } from '../../webgpu/adapter';
import type { GpuBackend } from '../../webgpu/backend';
import { columnsAStep, fitsSpans } from './matmul-wgsl';
import { matrixTiles } from './matrix-scheme';
import { quadBlock, tnQuadBlock } from './quad-blocks';
import { quads } from './quad-scheme';
import { registers } from './register-scheme';
import type { Scheme, TnShape } from './scheme';
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
  /** The scheme was timed to be best; what is in the same dispatch follows it. */
  chosen?: Family;
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
  /** Gradients of weights, which are tiles on a GPU, are to be in the same dispatch: their rows and columns. */
  beside?: readonly { p: number; q: number }[];
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

type Kind = ProductClass['kind'];

const classOf = (kind: Kind, { rows, columns, steps, format, quads, inFours, pieces = 1, beside = [] }: Sizes) => ({
  ...{ kind, rows, columns, steps, format, pieces, inFours: quads && inFours },
  products: beside.map(({ p, q }) => [p, q] as const),
});

const tnClass = (steps: number, products: { p: number; q: number; shape: TnShape }[]): ProductClass => ({
  ...{ kind: 'tn', rows: 0, columns: 0, steps, format: 'f32', pieces: 1 },
  inFours: products.every(({ shape }) => shape.quads),
  products: products.map(({ p, q }) => [p, q] as const),
});

let watch: ((product: ProductClass) => void) | null = null;
/** Whoever wants to know which products are recorded that have a choice of schemes; one at a time. */
export function watchProducts(by: typeof watch): void {
  watch = by;
}

let watchHalf: (() => void) | null = null;
/** Whoever counts the products of a forward pass whose inputs are rounded to f16; one at a time. */
export function watchHalves(by: typeof watchHalf): void {
  watchHalf = by;
}

/** For what is only tried, to see whether it can be one dispatch. */
export function unwatched<T>(work: () => T): T {
  const by = watch;
  watch = null;
  try {
    return work();
  } finally {
    watch = by;
  }
}

/** On a GPU, where nothing was timed. Made from counts of loads and of threads. */
export function usualFamily({ kind, rows, columns, pieces, products }: ProductClass): Family {
  if (kind === 'tn' || products.length > 0) return 'tile';
  const blocks = pieces * Math.ceil(rows / TILE) * Math.ceil(columns / TILE);
  return blocks >= ENOUGH_TILES && Math.min(rows, columns) >= LEAST_SIDE ? 'tile' : 'split';
}

/** Rows from which a product with so many columns is computed in tiles on a GPU. */
export const rowsOfTiles = (columns: number): number => TILE * Math.ceil(ENOUGH_TILES / Math.ceil(columns / TILE));

/** The schemes that a device has for a class of products. */
export function admissible({ kind, inFours, products }: ProductClass, subgroups: boolean): Family[] {
  return FAMILIES.filter((family) => {
    if (family === 'quad') return subgroups && inFours;
    return family !== 'split' || (kind !== 'tn' && inFours && products.length === 0);
  });
}

/** What was chosen for a class, if the device has it. */
function chosenFamily({ chosen, subgroups, kernels, half }: AdapterTraits, product: ProductClass): Family | undefined {
  watch?.(product);
  const family = kernels === 'auto' && !half ? chosen?.[classKey(product)] : undefined;
  return family && admissible(product, subgroups).includes(family) ? family : undefined;
}

function familyOf(backend: GpuBackend, kind: Kind, sizes: Sizes): { family: Family; chosen?: Family } {
  const traits = adapterTraits(backend.device);
  const { software, subgroups, kernels, half } = traits;
  const { rows, quads, beside } = sizes;
  if (!quads) return { family: 'register' };
  const few = rows < LEAST_ROWS;
  // Whoever drops some of the sums has a dispatch of its own, and sums in registers.
  const besideNothing = beside?.length === 0;
  if ((watch || traits.chosen) && !few && !besideNothing) {
    const chosen = chosenFamily(traits, classOf(kind, sizes));
    if (chosen) return { family: chosen, chosen };
  }
  const usual = () => (few ? 'register' : beside ? 'tile' : usualFamily(classOf(kind, sizes)));
  // What is rounded decides results, so every device rounds the same products.
  const asked = kernels === 'auto' ? (software && !half ? 'quad' : usual()) : kernels;
  if (asked === 'quad') return { family: subgroups && sizes.inFours && !few ? 'quad' : 'register' };
  return { family: asked === 'split' && (!sizes.inFours || beside) ? 'tile' : asked };
}

/** NT; its columns are rows of W. */
export function ntVariant(backend: GpuBackend, sizes: Sizes): Variant {
  const { half, matrix } = adapterTraits(backend.device);
  const variant = variantOf(backend, 'nt', sizes, fitsSpans(sizes.format, sizes.steps), 1);
  if (variant.scheme !== halfTiles) return variant;
  watchHalf?.();
  const scheme = half && matrix ? matrixTiles(matrix) : null;
  return scheme ? { ...variant, scheme } : variant;
}

/** NN; its columns are W's, of which a thread takes whole steps of one span. */
export function nnVariant(backend: GpuBackend, sizes: Sizes): Variant {
  const code = fitsSpans(sizes.format, sizes.columns) ? blockCode(sizes.format) : undefined;
  return variantOf(
    backend,
    'nn',
    sizes,
    code !== undefined,
    4,
    code && { step: columnsAStep(sizes.format), most: code.span },
  );
}

const tilesOn = ({ device }: GpuBackend): Scheme => (adapterTraits(device).half ? halfTiles : tiles);

function variantOf(
  backend: GpuBackend,
  kind: Kind,
  sizes: Sizes,
  spans: boolean,
  sliced: number,
  span?: { step: number; most: number },
): Variant {
  const { rows, columns, pieces = 1 } = sizes;
  const { family, ...chosen } = familyOf(backend, kind, sizes);
  if (family === 'tile') return { scheme: tilesOn(backend), rows: 4, columns: 4, spans: false, ...chosen };
  if (family === 'split') return { scheme: slices, rows: 1, columns: sliced, spans: false, ...chosen };
  if (family === 'quad') {
    const { own, shared } = quadBlock(rows, columns, { values: adapterTraits(backend.device).quadValues, ...span });
    return { scheme: quads, rows: own, columns: shared, spans, ...chosen };
  }
  let [tm, tn] = chooseTile(adapterTraits(backend.device).software, rows, columns, pieces);
  if (span) tn = span.step;
  if (!sizes.quads) [tm, tn] = [Math.min(tm, 4), 4];
  return { scheme: registers, rows: tm, columns: tn, spans, ...chosen };
}

/**
 * The scheme of TN over `steps` rows for all products of a dispatch, and their shapes in it. `beside`: they are in one dispatch with
 * another product, and follow its scheme if that was timed.
 */
export function tnVariant(
  backend: GpuBackend,
  steps: number,
  products: { p: number; q: number; shape: TnShape }[],
  beside?: Pick<Variant, 'chosen'>,
): { scheme: Scheme; shapes: TnShape[] } {
  const traits = adapterTraits(backend.device);
  const { software, subgroups, kernels, half, quadValues: values } = traits;
  const shapes = products.map(({ shape }) => shape);
  const timed = () => (watch || traits.chosen ? chosenFamily(traits, tnClass(steps, products)) : undefined);
  const chosen = beside ? beside.chosen : timed();
  const family = chosen ?? (kernels === 'auto' ? (software && !half ? 'quad' : 'tile') : kernels);
  if (family === 'quad' && subgroups && shapes.every((shape) => shape.quads)) {
    return {
      scheme: quads,
      shapes: products.map(({ p, q, shape }) => ({ ...shape, block: tnQuadBlock(p, q, { values }) })),
    };
  }
  return { scheme: family === 'tile' || family === 'split' ? tilesOn(backend) : registers, shapes };
}

/** Threads, or workgroups, of a product of rows and columns. */
export function threadsOf({ scheme, ...own }: Variant, rows: number, columns: number): number {
  const [blockRows, blockColumns] = scheme.size(own.rows, own.columns);
  return scheme.lanes * Math.ceil(rows / blockRows) * Math.ceil(columns / blockColumns);
}
