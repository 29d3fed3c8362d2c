/**
 * ggml's blocks of 32 values. A block has a float16 scale, and in some formats a float16 minimum; its values are whole numbers of
 * 4, 5 or 8 bits. The bytes are those of ggml's reference quantisers, so every operation rounds to float32 where theirs does.
 */
import { putF16, type Quantizer } from './quantizer';

const f32 = Math.fround;
const BLOCK = 32;

export const quantizeQ8_0: Quantizer = (values, bytes) => {
  for (let from = 0, at = 0; from < values.length; from += BLOCK, at += 34) {
    let largest = 0;
    for (let i = from; i < from + BLOCK; i++) largest = Math.max(largest, Math.abs(values[i]!));
    const scale = f32(largest / 127);
    const inverse = scale === 0 ? 0 : f32(1 / scale);
    putF16(bytes, at, scale);
    for (let i = 0; i < BLOCK; i++) {
      const level = f32(values[from + i]! * inverse);
      // To nearest, halves away from zero. Levels that are no number (the scale is too small to divide by) become 0.
      bytes[at + 2 + i] = level < 0 ? -((0.5 - level) | 0) : (level + 0.5) | 0;
    }
  }
};

/** The value of largest magnitude gets the lowest level, which has no positive counterpart. */
function symmetric(bits: 4 | 5): Quantizer {
  const middle = 1 << (bits - 1);
  const offset = middle + 0.5;
  const size = bits === 4 ? 18 : 22;
  return (values, bytes) => {
    for (let from = 0, at = 0; from < values.length; from += BLOCK, at += size) {
      let extreme = 0;
      for (let i = from; i < from + BLOCK; i++) {
        if (Math.abs(values[i]!) > Math.abs(extreme)) extreme = values[i]!;
      }
      const scale = f32(extreme / -middle);
      const inverse = scale === 0 ? 0 : f32(1 / scale);
      putF16(bytes, at, scale);
      for (let i = 0; i < BLOCK; i++) {
        levels[i] = Math.min(2 * middle - 1, (f32(f32(values[from + i]! * inverse) + offset) << 24) >> 24);
      }
      pack(bytes, at + 2, bits);
    }
  };
}

/** Levels count from the smallest value. */
function fromMinimum(bits: 4 | 5): Quantizer {
  const most = (1 << bits) - 1;
  const size = bits === 4 ? 20 : 24;
  return (values, bytes) => {
    for (let from = 0, at = 0; from < values.length; from += BLOCK, at += size) {
      let [low, high] = [values[from]!, values[from]!];
      for (let i = from + 1; i < from + BLOCK; i++) {
        if (values[i]! < low) low = values[i]!;
        if (values[i]! > high) high = values[i]!;
      }
      const scale = f32(f32(high - low) / most);
      const inverse = scale === 0 ? 0 : f32(1 / scale);
      putF16(bytes, at, scale);
      putF16(bytes, at + 2, low);
      for (let i = 0; i < BLOCK; i++) {
        levels[i] = Math.min(most, f32(f32(f32(values[from + i]! - low) * inverse) + 0.5) | 0);
      }
      pack(bytes, at + 4, bits);
    }
  };
}

export const quantizeQ4_0 = symmetric(4);
export const quantizeQ5_0 = symmetric(5);
export const quantizeQ4_1 = fromMinimum(4);
export const quantizeQ5_1 = fromMinimum(5);

/** Of the block being written. */
const levels = new Uint8Array(BLOCK);

/** Fifth bits in four bytes if there are any, then low bits, two values a byte: i and i + 16. */
function pack(bytes: Uint8Array, at: number, bits: 4 | 5): void {
  let low = at;
  if (bits === 5) {
    for (let byte = 0; byte < 4; byte++) {
      let fifths = 0;
      for (let i = 0; i < 8; i++) fifths |= (levels[8 * byte + i]! >> 4) << i;
      bytes[low++] = fifths;
    }
  }
  for (let i = 0; i < 16; i++) bytes[low + i] = (levels[i]! & 15) | ((levels[i + 16]! & 15) << 4);
}
