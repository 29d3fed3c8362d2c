/**
 * NF4 with double quantisation (QLoRA, Dettmers et al., 2023), code for code as in bitsandbytes' quantize_4bit with
 * compress_statistics. Blocks of 64 values over the whole tensor are divided by their largest magnitude, and each value
 * takes the nearest of 16 levels. The magnitudes, minus their mean, are quantised to 8 bits in the same way, in blocks of
 * 256.
 *
 * Values arrive in order, in pieces that end at the end of a block (the last one anywhere). Codes are passed on as they are
 * made, so only the magnitudes of a tensor, a 64th of it, are held.
 */
import {
  NF4_BLOCK,
  NF4_CODES,
  NF4_DYNAMIC,
  NF4_LEVELS,
  NF4_OUTER,
  nf4Layout,
} from '../kernels/products/weight-formats';

const { fround } = Math;

/** Quantiles of a normal distribution, with zero among them; bitsandbytes' table, to the last bit. */
export const LEVELS = Float32Array.of(
  -1.0,
  -0.6961928009986877,
  -0.5250730514526367,
  -0.39491748809814453,
  -0.28444138169288635,
  -0.18477343022823334,
  -0.09105003625154495,
  0.0,
  0.07958029955625534,
  0.16093020141124725,
  0.24611230194568634,
  0.33791524171829224,
  0.44070982933044434,
  0.5626170039176941,
  0.7229568362236023,
  1.0,
);

export const DYNAMIC = dynamicMap(true);

/** bitsandbytes' dynamic map: seven decades, the higher ones divided more finely, with torch.linspace's steps in float32. */
export function dynamicMap(signed: boolean): Float32Array {
  const values: number[] = [0, 1];
  for (let i = 0; i < 7; i++) {
    // Without negative values there is twice the room.
    const count = 2 ** (signed ? i : i + 1);
    const boundaries = linspace(fround(0.1), 1, count + 1);
    for (let k = 0; k < count; k++) {
      const mean = fround(fround(boundaries[k]! + boundaries[k + 1]!) / 2);
      // Python's 10 ** -n is a double; torch multiplies by it as a float32.
      const value = fround(fround(10 ** (i - 6)) * mean);
      values.push(value);
      if (signed) values.push(-value);
    }
  }
  return Float32Array.from(values.sort((a, b) => a - b));
}

/** As in torch: from both ends, with a float32 step, multiplied and added with one rounding. */
function linspace(first: number, last: number, count: number): number[] {
  const step = fround(fround(last - first) / (count - 1));
  return Array.from({ length: count }, (_, i) =>
    fround(i < count / 2 ? first + step * i : last - step * (count - 1 - i)),
  );
}

/** Midpoints between neighbours: a value up to and including a midpoint takes the code below it. */
const middles = (table: Float32Array) =>
  Float32Array.from(table.subarray(1), (v, i) => fround(fround(table[i]! + v) / 2));

/** Between the levels. */
export const LEVEL_BOUNDS = middles(LEVELS);

/**
 * The code of DYNAMIC nearest to each of 65536 steps from -1 to 1. This is how bitsandbytes looks up its scales on a CPU; on
 * CUDA it compares with the midpoints themselves, which differs if a scale is within a step of one, about one in 130.
 */
const NEAREST = nearestCodes();

function nearestCodes(): Uint8Array {
  const bounds = middles(DYNAMIC);
  return Uint8Array.from({ length: 65536 }, (_, i) => codeOf(fround((i / 65535) * 2 - 1), bounds));
}

/** The number of bounds below a value. */
function codeOf(value: number, bounds: Float32Array): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bounds[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

const SMALLEST = fround(1e-38);

function largest(values: Float32Array, from: number, to: number): number {
  let max = 0;
  for (let i = from; i < to; i++) {
    const size = Math.abs(values[i]!);
    if (size > max) max = size;
  }
  return max;
}

/**
 * Writes 4-bit codes of `values`, two per byte, and the magnitude of each block into `absmax`. As in bitsandbytes, a partial
 * last block is divided by its magnitude, while full blocks are multiplied by the inverse.
 */
export function quantizeBlocks(values: Float32Array, codes: Uint8Array, absmax: Float32Array): void {
  for (let from = 0, block = 0; from < values.length; from += NF4_BLOCK, block++) {
    const to = Math.min(from + NF4_BLOCK, values.length);
    const full = to - from === NF4_BLOCK;
    const max = largest(values, from, to);
    const divisor = Math.max(max, SMALLEST);
    absmax[block] = full ? max : divisor;
    const inverse = fround(1 / divisor);
    for (let i = from; i < to; i += 2) {
      const first = codeOf(fround(full ? values[i]! * inverse : values[i]! / divisor), LEVEL_BOUNDS);
      const second =
        i + 1 < to ? codeOf(fround(full ? values[i + 1]! * inverse : values[i + 1]! / divisor), LEVEL_BOUNDS) : ODD_END;
      codes[i >> 1] = (first << 4) | second;
    }
  }
}

/** bitsandbytes pads an odd number of values with the code of zero. */
const ODD_END = 7;

export interface QuantizedScales {
  codes: Uint8Array;
  outer: Float32Array;
  offset: number;
}

/** Quantises the magnitudes to 8 bits. `offset` is their mean, rounded once; torch sums in float32, in its own order. */
export function quantizeScales(absmax: Float32Array, offset = mean(absmax)): QuantizedScales {
  const codes = new Uint8Array(absmax.length);
  const outer = new Float32Array(Math.ceil(absmax.length / NF4_OUTER));
  const rest = absmax.map((v) => v - offset);
  for (let block = 0; block < outer.length; block++) {
    const to = Math.min((block + 1) * NF4_OUTER, rest.length);
    const max = largest(rest, block * NF4_OUTER, to);
    outer[block] = max;
    const inverse = fround(1 / max);
    for (let i = block * NF4_OUTER; max > 0 && i < to; i++) {
      const step = fround(fround(fround(rest[i]! * inverse) + 1) * 32767.5);
      codes[i] = NEAREST[Math.min(65535, Math.floor(fround(step + 0.5)))]!;
    }
  }
  return { codes, outer, offset };
}

function mean(values: Float32Array): number {
  let sum = 0;
  for (const v of values) sum += v;
  return fround(sum / values.length);
}

/** Everything before a tensor's codes, as words. */
export function nf4Head(offset: number): Float32Array {
  const head = new Float32Array(NF4_CODES);
  head[0] = offset;
  head.set(LEVELS, NF4_LEVELS);
  head.set(DYNAMIC, NF4_DYNAMIC);
  return head;
}

/** Everything after the codes. */
export function nf4Tail(size: number, { codes, outer }: QuantizedScales): Int32Array {
  const at = nf4Layout(size);
  const tail = new Int32Array(at.words - at.scales);
  new Uint8Array(tail.buffer).set(codes);
  new Float32Array(tail.buffer).set(outer, at.outer - at.scales);
  return tail;
}
