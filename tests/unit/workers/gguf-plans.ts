/** Plans for tiny models as llama.cpp's converter lays them out: names, orders of rows and metadata are those of its own file. */
import type { GgufTensorPlan } from '../../../src/exports/export';
import { ggufOf } from '../../../src/families/gguf';
import { hfTensor, isRopeTable } from '../../../src/families/gguf/names';
import { inverse } from '../../../src/families/gguf/rows';
import type { GgmlType } from '../../../src/formats/ggml';
import { dequantize } from '../../../src/formats/ggml';
import { openGguf } from '../../../src/formats/gguf';
import type { GgufEntry, GgufMetadata } from '../../../src/formats/gguf-write';
import { fixtureBytes } from '../../fixture-files';

export interface Converted {
  bytes: Uint8Array;
  metadata: GgufMetadata;
  tensors: GgufTensorPlan[];
}

export const readGguf = (bytes: Uint8Array) =>
  openGguf(async (start, end) => bytes.slice(start, end).buffer as ArrayBuffer, bytes.length, 'model.gguf');

/** A file of tests/fixtures/gguf, and the plan that gives it. */
export async function converted(file: string, family: string): Promise<Converted> {
  const bytes = await fixtureBytes(`gguf/${file}.gguf`);
  const { metadata, tensors } = await readGguf(bytes);
  const { architecture, tensors: names } = ggufOf(family)!;
  const heads = metadata.get(`${architecture}.attention.head_count`) as number;
  const kvHeads = (metadata.get(`${architecture}.attention.head_count_kv`) as number | undefined) ?? heads;
  const plans = [...tensors].map(([name, { type, shape, start, end }]): GgufTensorPlan => {
    if (isRopeTable(name)) return { name, type, shape, from: { values: dequantize(type, bytes.slice(start, end)) } };
    const hf = hfTensor(names, name)!;
    const places = hf.rows?.(shape[0]!, { heads, kvHeads });
    return {
      name,
      type,
      shape,
      from: {
        tensor: hf.name,
        ...(places && { order: inverse(places) }),
        ...(hf.transposed && { transposed: true }),
        ...(hf.plusOne && { add: 1 }),
      },
    };
  });
  return { bytes, metadata: rawMetadata(bytes), tensors: plans };
}

/** The same with other types, where rows are whole blocks. */
export const withType = (plans: readonly GgufTensorPlan[], type: GgmlType): GgufTensorPlan[] =>
  plans.map((plan) => (plan.shape.length > 1 ? { ...plan, type } : plan));

const SCALARS = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

/** Every value as its bytes in the file. */
function rawMetadata(bytes: Uint8Array): GgufMetadata {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 24;
  const length = () => {
    at += 8;
    return Number(view.getBigUint64(at - 8, true));
  };
  const skip = (type: number): void => {
    if (type === 8) {
      const size = length();
      at += size;
    } else if (type === 9) {
      const item = view.getUint32(at, true);
      at += 4;
      for (let left = length(); left > 0; left--) skip(item);
    } else at += SCALARS[type]!;
  };
  const pairs = new Map<string, GgufEntry>();
  for (let left = Number(view.getBigUint64(16, true)); left > 0; left--) {
    const size = length();
    const key = new TextDecoder().decode(bytes.subarray(at, at + size));
    at += size;
    const start = at;
    at += 4;
    skip(view.getUint32(start, true));
    pairs.set(key, { type: 'raw', bytes: bytes.slice(start, at) });
  }
  return pairs;
}
