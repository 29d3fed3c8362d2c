import { f16Bits } from '../half';

/** Writes whole blocks of values as bytes of the format. Both arrays have the right length, and the values are finite. */
export type Quantizer = (values: Float32Array, bytes: Uint8Array) => void;

export function putF16(bytes: Uint8Array, at: number, value: number): void {
  const bits = f16Bits(value);
  bytes[at] = bits;
  bytes[at + 1] = bits >> 8;
}

/** 1.5 · 2^23: adding it to a float32 leaves the nearest whole number in the fraction's bits, halves to even. */
const SHIFT = 12_582_912;
const shifted = new Float32Array(1);
const shiftedBits = new Int32Array(shifted.buffer);

/**
 * The nearest whole number within [low, high]. A value of more than 22 bits, or none at all, counts as what its bits happen to say in
 * ggml, since searches that step out of range depend on that.
 */
export function nearest(value: number, low: number, high: number): number {
  const sum = Math.fround(value + SHIFT);
  const whole = sum - SHIFT;
  // Nearly always; this is the innermost loop.
  if (whole >= low && whole <= high) return whole;
  return outside(sum, low, high);
}

function outside(sum: number, low: number, high: number): number {
  shifted[0] = sum;
  return Math.max(low, Math.min(high, (shiftedBits[0]! & 0x7fffff) - 0x400000));
}
