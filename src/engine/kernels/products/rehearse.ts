/** A product of some class on matrices of its own, to be timed. Their contents do not matter. */
import * as tf from '@tensorflow/tfjs-core';
import { type ProductClass, workOf } from '../../../base/product-class';
import type { WeightFormat } from '../../types';
import type { GpuBackend } from '../../webgpu/backend';
import { emptyTensor } from '../in-place';
import { recordInputAndWeights, recordNN, recordNT, recordSplitNN, recordTN, type TnProduct } from './matmul';
import type { WeightOperand } from './weight';
import { weightWords } from './weight-formats';

/** Multiplications that any graphics card does within some tens of milliseconds. */
const MOST_WORK = 2 ** 32;
const LEAST_ROWS = 64;

/** The class with fewer rows, where it is much work: which scheme is faster shows in some thousands of tiles already. */
export function shortened(product: ProductClass): ProductClass {
  const share = MOST_WORK / workOf(product);
  if (share >= 1) return product;
  const fewer = (rows: number) =>
    Math.min(rows, Math.max(LEAST_ROWS, Math.floor((rows * share) / LEAST_ROWS) * LEAST_ROWS));
  return product.kind === 'tn'
    ? { ...product, steps: fewer(product.steps) }
    : { ...product, rows: fewer(product.rows) };
}

/** What its matrices take. */
export function bytesOf({ kind, rows, columns, steps, format, pieces, products }: ProductClass): number {
  const over = kind === 'tn' ? steps : rows;
  const beside = products.reduce((sum, [p, q]) => sum + over * (p + q) + p * q, 0);
  if (kind === 'tn') return 4 * beside;
  return 4 * (weightWords(format as WeightFormat, columns, steps) + rows * (steps + pieces * columns) + beside);
}

export interface Rehearsal {
  record(): void;
  dispose(): void;
}

export function rehearse(backend: GpuBackend, product: ProductClass): Rehearsal {
  const { kind, rows, columns, steps, pieces, products } = product;
  const format = product.format as WeightFormat;
  const owned: tf.Tensor[] = [];
  const make = (...shape: number[]) => {
    const tensor = tf.keep(emptyTensor(shape, 'float32'));
    owned.push(tensor);
    return tensor;
  };
  const dispose = () => tf.dispose(owned);
  /** [count, width], in as many parts as the device's bindings need. */
  const weight = (count: number, width: number): WeightOperand => {
    const most = backend.device.limits.maxStorageBufferBindingSize / 4;
    const share = Math.ceil(weightWords(format, count, width) / most);
    const each = Math.ceil(count / share / 4) * 4;
    const parts: WeightOperand['parts'] = [];
    for (let first = 0; first < count; first += each) {
      const own = Math.min(each, count - first);
      parts.push({ tensor: make(weightWords(format, own, width)), rows: own });
    }
    return { parts, format };
  };
  /** Columns of two wide matrices, with their results one after another, so that any number takes three bindings. */
  const tn = (m: number): TnProduct[] => {
    const widths = ([0, 1] as const).map((i) => products.reduce((sum, sizes) => sum + sizes[i], 0));
    const [u, v] = widths.map((width) => make(m, width)) as [tf.Tensor, tf.Tensor];
    const c = make(products.reduce((sum, [p, q]) => sum + p * q, 0));
    let [fromU, fromV, at] = [0, 0, 0];
    return products.map(([p, q]) => {
      const columnsU = { of: widths[0]!, from: fromU };
      const columnsV = { of: widths[1]!, from: fromV };
      const one = { u, v, c, p, q, at, columnsU, columnsV };
      fromU += p;
      fromV += q;
      at += p * q;
      return one;
    });
  };
  try {
    if (kind === 'tn') {
      const all = tn(steps);
      return { record: () => recordTN(backend, steps, all), dispose };
    }
    if (kind === 'nt') {
      const call = {
        x: make(rows, steps),
        w: weight(columns, steps),
        y: make(rows, columns),
        m: rows,
        n: columns,
        k: steps,
      };
      return { record: () => recordNT(backend, call), dispose };
    }
    const call = { y: make(rows, steps), w: weight(steps, columns), m: rows, n: steps, k: columns };
    const z = make(pieces, rows, columns);
    if (pieces > 1) return { record: () => recordSplitNN(backend, { ...call, z }, pieces), dispose };
    if (products.length === 0) return { record: () => recordNN(backend, { ...call, z }), dispose };
    const all = tn(rows);
    return { record: () => recordInputAndWeights(backend, { ...call, z }, all), dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}
