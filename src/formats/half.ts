/**
 * Converts the 16-bit float formats of model files to and from float32. Widening is exact. Narrowing rounds to nearest,
 * ties to even, as in PyTorch. NaN stays a (quiet) NaN, and overflow becomes infinity.
 *
 * bfloat16: 1 sign, 8 exponent, 7 fraction bits: the upper half of a float32. float16: IEEE 754 binary16.
 */

/** bf16 bits to float32 values. */
export function bf16ToF32(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  return new Float32Array(words.buffer);
}

/** float32 values to bf16 bits. */
export function f32ToBf16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    // Rounding could turn a NaN into infinity, so NaNs are handled separately and made quiet.
    if ((word & 0x7fffffff) > 0x7f800000) bits[i] = (word >>> 16) | 0x40;
    else bits[i] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return bits;
}

/** f16 bits to float32 values. */
export function f16ToF32(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const h = bits[i]!;
    const sign = (h & 0x8000) << 16;
    const exponent = (h >>> 10) & 0x1f;
    let fraction = h & 0x3ff;
    if (exponent === 0x1f) {
      words[i] = sign | 0x7f800000 | (fraction << 13);
    } else if (exponent !== 0) {
      words[i] = sign | ((exponent + 112) << 23) | (fraction << 13);
    } else if (fraction === 0) {
      words[i] = sign;
    } else {
      // Subnormal: shift the leading one into the implicit bit. float32 can represent the value normalised.
      const shift = Math.clz32(fraction) - 21;
      fraction = (fraction << shift) & 0x3ff;
      words[i] = sign | ((113 - shift) << 23) | (fraction << 13);
    }
  }
  return new Float32Array(words.buffer);
}

/** float32 values to f16 bits. */
export function f32ToF16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const sign = (word >>> 16) & 0x8000;
    const magnitude = word & 0x7fffffff;
    if (magnitude > 0x7f800000) {
      bits[i] = sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
    } else if (magnitude >= 0x477ff000) {
      // 65520 and above round to infinity.
      bits[i] = sign | 0x7c00;
    } else if (magnitude >= 0x38800000) {
      // Normal: drop 13 fraction bits and re-bias the exponent from 127 to 15 (a carry may reach the exponent).
      bits[i] = sign | ((magnitude + 0xfff + ((magnitude >>> 13) & 1) - 0x38000000) >>> 13);
    } else if (magnitude >= 0x33000000) {
      // Subnormal: value = fraction · 2^-24. 2^-25 itself is a tie and rounds to even, which is zero.
      const exponent = magnitude >>> 23;
      const fraction = (magnitude & 0x7fffff) | 0x800000;
      const shift = 126 - exponent;
      const kept = fraction >>> shift;
      const rest = fraction & ((1 << shift) - 1);
      const half = 1 << (shift - 1);
      bits[i] = sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
    } else {
      bits[i] = sign;
    }
  }
  return bits;
}
