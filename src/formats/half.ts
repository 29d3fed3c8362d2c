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
  for (let i = 0; i < bits.length; i++) words[i] = wordOfF16(bits[i]!);
  return new Float32Array(words.buffer);
}

/** float32 values to f16 bits. */
export function f32ToF16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) bits[i] = f16OfWord(words[i]!);
  return bits;
}

// One value at a time, for the scales of blocks: without an array for each.
const one = new Float32Array(1);
const oneWord = new Uint32Array(one.buffer);

export function f16Value(bits: number): number {
  oneWord[0] = wordOfF16(bits);
  return one[0]!;
}

export function f16Bits(value: number): number {
  one[0] = value;
  return f16OfWord(oneWord[0]!);
}

/** The float32 with the value of an f16, as its bits. */
function wordOfF16(h: number): number {
  const sign = (h & 0x8000) << 16;
  const exponent = (h >>> 10) & 0x1f;
  const fraction = h & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // Subnormal: shift the leading one into the implicit bit. float32 can represent the value normalised.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}

/** The f16 nearest to a float32 given as its bits. */
function f16OfWord(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  // 65520 and above round to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Normal: drop 13 fraction bits and re-bias the exponent from 127 to 15 (a carry may reach the exponent).
  if (magnitude >= 0x38800000) return sign | ((magnitude + 0xfff + ((magnitude >>> 13) & 1) - 0x38000000) >>> 13);
  if (magnitude < 0x33000000) return sign;
  // Subnormal: value = fraction · 2^-24. 2^-25 itself is a tie and rounds to even, which is zero.
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - (magnitude >>> 23);
  const kept = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
}
