/** Matrix products with a weight in each format, in both directions, and the product that weights' gradients are. */
import * as tf from '@tensorflow/tfjs-core';
import type { ProductRow } from '../../benchmark/result';
import { emptyTensor } from '../kernels/in-place';
import type { View } from '../kernels/kernel';
import { recordNN, recordNT, recordTN } from '../kernels/products/matmul';
import { addNN, addNT, addTN } from '../kernels/products/matmul-reference';
import { weightAttrs, weightInputs, weightOperand, widenWeight } from '../kernels/products/weight';
import type { StoredType } from '../models/model';
import { placeMatrix } from '../models/upload';
import type { Weight } from '../types';
import { flush, gpuBackend, readFloats } from '../webgpu/backend';
import { bindingLimit } from '../webgpu/limits';
import { timeOf } from './measure';
import { randomRows } from './random-weights';
import type { Plan } from './shapes';

/** As rows are called, and as the bytes that they are made of are stored. */
const FORMATS = { f32: 'F32', bf16: 'BF16', nf4: 'BF16', q4_k: 'Q4_K' } as const satisfies Record<string, StoredType>;
type Format = keyof typeof FORMATS;
/** Q4_K's blocks are of 256 values of a row. */
const fits = (format: Format, columns: number) => format !== 'q4_k' || columns % 256 === 0;

/** Results of products with at most so many multiply-adds are compared with a CPU's. */
const COMPARED = 20_000_000;
const SAMPLES = 3;

async function makeWeight(format: Format, n: number, k: number, owned: tf.Tensor[]): Promise<Weight> {
  const dtype = FORMATS[format];
  const bytes = randomRows(dtype, n, k);
  const ofRow = bytes.length / n;
  const read = async (from: number, to: number) => bytes.subarray(from * ofRow, to * ofRow);
  return placeMatrix(
    { dtype, rows: n, columns: k, read },
    { quantization: format === 'nf4' ? 'nf4' : 'none', limit: bindingLimit(), pieceBytes: 2 ** 25 },
    (tensor) => owned.push(tensor),
  );
}

async function widened(weight: Weight): Promise<Float32Array> {
  const views: Record<string, View> = {};
  for (const [name, tensor] of Object.entries(weightInputs(weight))) {
    views[name] = { data: (await tensor.data()) as View['data'], shape: tensor.shape };
  }
  return widenWeight(views, weightAttrs(weight));
}

/** The largest difference, relative to the largest value. */
function difference(values: Float32Array, reference: Float32Array): number {
  let [apart, largest] = [0, 0];
  reference.forEach((value, i) => {
    apart = Math.max(apart, Math.abs(value - values[i]!));
    largest = Math.max(largest, Math.abs(value));
  });
  return apart / largest;
}

const uniformMatrix = (rows: number, columns: number) =>
  tf.keep(tf.randomUniform([rows, columns], -1, 1, 'float32', 1));

/** What is measured, in order; Q4_K only where rows are whole blocks. */
export function productList({ rows, weights }: Plan['products']) {
  return weights.flatMap(([n, k]) =>
    (Object.keys(FORMATS) as Format[]).filter((format) => fits(format, k)).map((format) => ({ n, k, format, rows })),
  );
}

/** All products with one weight. `peak` is the measured one, in 10¹² operations a second. */
export async function measureProducts(
  { n, k, format, rows }: ReturnType<typeof productList>[number],
  sampleMs: number,
  peak: number,
): Promise<ProductRow[]> {
  const backend = gpuBackend();
  const owned: tf.Tensor[] = [];
  const own = <T extends tf.Tensor>(tensor: T): T => {
    owned.push(tensor);
    return tensor;
  };
  const results: ProductRow[] = [];
  try {
    const weight = await makeWeight(format, n, k, owned);
    const w = weightOperand(weightInputs(weight), weightAttrs(weight));
    const compared = rows.some((m) => m * n * k <= COMPARED) ? await widened(weight) : null;
    for (const m of rows) {
      const [x, dy] = [own(uniformMatrix(m, k)), own(uniformMatrix(m, n))];
      const [y, dx] = [own(emptyTensor([m, n], 'float32')), own(emptyTensor([m, k], 'float32'))];
      const measure = async (
        kind: ProductRow['kind'],
        out: tf.Tensor,
        record: () => void,
        reference: (out: Float32Array) => Promise<void>,
      ) => {
        const { median } = await timeOf(
          async (runs) => {
            for (let i = 0; i < runs; i++) record();
            flush(backend);
            await backend.queue.onSubmittedWorkDone();
          },
          { sampleMs, samples: SAMPLES },
        );
        let error: number | null = null;
        if (compared && m * n * k <= COMPARED) {
          const expected = new Float32Array(out.size);
          await reference(expected);
          error = difference(await readFloats(out), expected);
        }
        const tflops = (2 * m * n * k) / median / 1e9;
        results.push({ kind, format, m, n, k, ms: median, tflops, share: tflops / peak, error });
      };
      await measure(
        'NT',
        y,
        () => recordNT(backend, { x, w, y, m, n, k }),
        async (out) => addNT(out, await readFloats(x), compared!, m, n, k),
      );
      await measure(
        'NN',
        dx,
        () => recordNN(backend, { y: dy, w, z: dx, m, n, k }),
        async (out) => addNN(out, await readFloats(dy), compared!, m, n, k),
      );
      if (format === 'f32' && m > 1) {
        const dw = own(emptyTensor([n, k], 'float32'));
        await measure(
          'TN',
          dw,
          () => recordTN(backend, m, [{ u: dy, v: x, c: dw, p: n, q: k }]),
          async (out) => addTN(out, await readFloats(dy), await readFloats(x), m, n, k),
        );
      }
    }
    return results;
  } finally {
    tf.dispose(owned);
  }
}
