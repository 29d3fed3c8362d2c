/** Quantised weights with their decoded values, from tests/oracle/make_block_fixtures.py. */
import {
  ggufBlock,
  NF4_CODES,
  NF4_DYNAMIC,
  NF4_LEVELS,
  nf4Layout,
} from '../../src/engine/kernels/products/weight-formats';
import type { WeightFormat } from '../../src/engine/types';
import { fixtureTensors } from '../fixture-files';
import type { Values } from '../kernel-helpers';

export const GGUF_FORMATS = ['q8_0', 'q4_0', 'q4_1', 'q5_0', 'q5_1', 'q4_k', 'q5_k', 'q6_k'] as const;
export const NF4_CASES = ['rows', 'odd', 'many', 'half'] as const;

export const ggufFixture = () => fixtureTensors('blocks/gguf.safetensors');
export const nf4Fixture = () => fixtureTensors('blocks/nf4.safetensors');

/** Bytes as words, the last one padded. */
export function wordsOf(bytes: Uint8Array): Int32Array {
  const words = new Int32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  return words;
}

export interface StoredWeight {
  format: WeightFormat;
  shape: [number, number];
  /** As a tensor. */
  stored: Values;
  /** The decoded values. */
  values: Float32Array;
}

const asWeight = (format: WeightFormat, shape: number[], words: Int32Array, values: Float32Array): StoredWeight => ({
  format,
  shape: shape as [number, number],
  stored: { data: words, shape: [words.length] },
  values,
});

/** Every weight of the fixtures: each GGUF format, and bitsandbytes' cases. */
export async function storedWeights(): Promise<(StoredWeight & { name: string })[]> {
  const gguf = await ggufFixture();
  const nf4 = await nf4Fixture();
  return [
    ...GGUF_FORMATS.map((format) => ({
      name: format,
      ...asWeight(
        format,
        gguf.shape(`${format}.values`),
        wordsOf(gguf.raw(`${format}.blocks`)),
        gguf.floats(`${format}.values`),
      ),
    })),
    ...NF4_CASES.map((name) => {
      const values = nf4.floats(`${name}.values`);
      const at = nf4Layout(values.length);
      const words = new Int32Array(at.words);
      const floats = new Float32Array(words.buffer);
      const bytes = new Uint8Array(words.buffer);
      floats.set(nf4.floats(`${name}.offset`));
      floats.set(nf4.floats('levels'), NF4_LEVELS);
      floats.set(nf4.floats('dynamic'), NF4_DYNAMIC);
      bytes.set(nf4.raw(`${name}.codes`), 4 * NF4_CODES);
      bytes.set(nf4.raw(`${name}.scales`), 4 * at.scales);
      floats.set(nf4.floats(`${name}.outer`), at.outer);
      return { name: `nf4 ${name}`, ...asWeight('nf4', nf4.shape(`${name}.values`), words, values) };
    }),
  ];
}

/**
 * A GGUF weight with its first rows once more, so that it has a multiple of four: other numbers of rows are computed in registers alone,
 * whatever kernels are asked for.
 */
export function rowsInFours<T extends StoredWeight>(weight: T): T {
  const { shape, stored, values } = weight;
  const [rows, columns] = shape;
  const more = 4 - (rows % 4);
  const size = rowBytes(weight);
  const bytes = new Uint8Array(Int32Array.from(stored.data).buffer).subarray(0, rows * size);
  const joined = new Uint8Array((rows + more) * size);
  joined.set(bytes);
  joined.set(bytes.subarray(0, more * size), bytes.length);
  const words = wordsOf(joined);
  return {
    ...weight,
    shape: [rows + more, columns],
    stored: { data: words, shape: [words.length] },
    values: Float32Array.from([...values, ...values.subarray(0, more * columns)]),
  };
}

const rowBytes = ({ format, shape }: StoredWeight): number => {
  const { values, bytes } = ggufBlock(format)!;
  return (shape[1] / values) * bytes;
};
