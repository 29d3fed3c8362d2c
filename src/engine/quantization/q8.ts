/** 8-bit quantisation into GGUF's Q8_0 blocks, byte for byte as in ggml's reference (and the `gguf` package). */

const { fround } = Math;
export const Q8_BLOCK = 32;
const BYTES = 34;

/** Blocks of 32 values: a float16 scale and 32 signed bytes. `values` must be whole blocks. */
export function quantizeQ8(values: Float32Array): Uint8Array {
  const blocks = values.length / Q8_BLOCK;
  const bytes = new Uint8Array(blocks * BYTES);
  for (let b = 0; b < blocks; b++) {
    const from = b * Q8_BLOCK;
    let max = 0;
    for (let i = from; i < from + Q8_BLOCK; i++) max = Math.max(max, Math.abs(values[i]!));
    const d = fround(max / 127);
    const inverse = d === 0 ? 0 : fround(1 / d);
    const half = floatToHalf(d);
    bytes[b * BYTES] = half & 255;
    bytes[b * BYTES + 1] = half >> 8;
    for (let i = 0; i < Q8_BLOCK; i++) {
      const x = fround(values[from + i]! * inverse);
      // Halves round away from zero.
      const size = Math.floor(Math.abs(x) + 0.5);
      bytes[b * BYTES + 2 + i] = x < 0 ? -size : size;
    }
  }
  return bytes;
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** float32 to float16, rounding to nearest, ties to even; for scales, which are finite and not negative. */
function floatToHalf(value: number): number {
  float[0] = value;
  const word = bits[0]!;
  if (word >= 0x477ff000) return 0x7c00;
  if (word >= 0x38800000) return (word - 0x38000000 + 0xfff + ((word >> 13) & 1)) >> 13;
  // Subnormal halves count in units of 2^-24: adding 0.5 rounds exactly as needed.
  float[0] = value + 0.5;
  return bits[0]! - 0x3f000000;
}
