/**
 * float32 values in ggml's number formats, byte for byte as ggml's reference quantisers write them (without an importance matrix).
 * formats/ggml.ts reads them back.
 */
import { TabtuneError } from '../../base/errors';
import { type GgmlType, ggmlBytes } from '../ggml';
import { f32ToBf16, f32ToF16 } from '../half';
import { quantizeQ4_K, quantizeQ5_K } from './k-blocks';
import { quantizeQ6_K } from './q6-k';
import type { Quantizer } from './quantizer';
import { quantizeQ4_0, quantizeQ4_1, quantizeQ5_0, quantizeQ5_1, quantizeQ8_0 } from './small-blocks';

type BlockType = Exclude<GgmlType, 'F32' | 'F16' | 'BF16'>;

/** Each with the bytes of a block and where in it float16 scales are. */
const BLOCKS: Record<BlockType, { quantizer: Quantizer; size: number; scales: readonly number[] }> = {
  Q8_0: { quantizer: quantizeQ8_0, size: 34, scales: [0] },
  Q4_0: { quantizer: quantizeQ4_0, size: 18, scales: [0] },
  Q4_1: { quantizer: quantizeQ4_1, size: 20, scales: [0, 2] },
  Q5_0: { quantizer: quantizeQ5_0, size: 22, scales: [0] },
  Q5_1: { quantizer: quantizeQ5_1, size: 24, scales: [0, 2] },
  Q4_K: { quantizer: quantizeQ4_K, size: 144, scales: [0, 2] },
  Q5_K: { quantizer: quantizeQ5_K, size: 176, scales: [0, 2] },
  Q6_K: { quantizer: quantizeQ6_K, size: 210, scales: [208] },
};

/** No block format reaches this far, and the squares of larger numbers might overflow while a scale is searched. */
const BEYOND = 1e9;

/** The largest finite numbers, and what holds larger ones. */
const HALVES = {
  F16: { narrow: f32ToF16, infinity: 0x7c00, name: 'float16', largest: '65,504', instead: 'bfloat16 or float32' },
  BF16: { narrow: f32ToBf16, infinity: 0x7f80, name: 'bfloat16', largest: '3.39e38', instead: 'float32' },
} as const;

/**
 * Whole rows of values in a format; `name` is the tensor's. Throws `bad_model` for what the format cannot hold: values that are not
 * finite, or beyond what float16 can scale.
 */
export function quantize(type: GgmlType, values: Float32Array, name: string): Uint8Array<ArrayBuffer> {
  const largest = largestOf(values, name);
  if (type === 'F32') return new Uint8Array(values.slice().buffer);
  if (type === 'F16' || type === 'BF16') return half(type, values, name);
  const { quantizer, size, scales } = BLOCKS[type];
  const bytes = new Uint8Array(ggmlBytes(type, values.length));
  let fits = largest < BEYOND;
  if (fits) quantizer(values, bytes);
  for (const scale of scales) {
    for (let at = scale + 1; at < bytes.length; at += size) fits &&= (bytes[at]! & 0x7c) !== 0x7c;
  }
  if (!fits) {
    refuse(
      name,
      `${name} holds numbers too large for ${type}, whose scales are float16.`,
      'Export the model as bfloat16 or float32.',
    );
  }
  return bytes;
}

/** The largest magnitude. Throws `bad_model` for NaN and infinities, which no program could compute with. */
function largestOf(values: Float32Array, name: string): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!);
    if (size > largest) largest = size;
    if (size < Number.POSITIVE_INFINITY) continue;
    refuse(
      name,
      `The weights of ${name} hold ${values[i]}, so no model with them can compute anything.`,
      'Open an earlier run, or train again with a lower learning rate.',
    );
  }
  return largest;
}

function half(type: keyof typeof HALVES, values: Float32Array, name: string): Uint8Array<ArrayBuffer> {
  const { narrow, infinity, name: format, largest, instead } = HALVES[type];
  const bits = narrow(values);
  for (let i = 0; i < bits.length; i++) {
    if ((bits[i]! & 0x7fff) !== infinity) continue;
    const value = values[i]!.toPrecision(3);
    refuse(
      name,
      `${name} holds ${value}, beyond ${format}’s largest number, ${largest}.`,
      `Export the model as ${instead}.`,
    );
  }
  return new Uint8Array(bits.buffer as ArrayBuffer);
}

function refuse(where: string, message: string, action: string): never {
  throw new TabtuneError({ code: 'bad_model', message, where, action });
}
