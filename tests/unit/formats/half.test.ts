import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from '../../../src/formats/half';

const torch = JSON.parse(readFileSync('tests/fixtures/formats/half.json', 'utf8')) as Record<string, number[]>;
const values = new Float32Array(Uint32Array.from(torch.f32!).buffer);

describe('16-bit floats', () => {
  it('rounds float32 to float16 as PyTorch does', () => {
    expect(Array.from(f32ToF16(values))).toEqual(torch.f16);
  });

  it('rounds float32 to bfloat16 as PyTorch does', () => {
    expect(Array.from(f32ToBf16(values))).toEqual(torch.bf16);
  });

  it('widens every float16 and bfloat16 exactly', () => {
    const all = Uint16Array.from({ length: 65_536 }, (_, i) => i);
    const f16 = f16ToF32(all);
    const bf16 = bf16ToF32(all);
    expect(f16[0x3c00]).toBe(1);
    expect(f16[0x0001]).toBe(2 ** -24);
    expect(f16[0x03ff]).toBe(1023 * 2 ** -24);
    expect(f16[0x0400]).toBe(2 ** -14);
    expect(f16[0xfbff]).toBe(-65_504);
    expect(f16[0x7c00]).toBe(Number.POSITIVE_INFINITY);
    expect(Object.is(f16[0x8000], -0)).toBe(true);
    expect(bf16[0x3f80]).toBe(1);
    const narrow16 = f32ToF16(f16);
    const narrowB16 = f32ToBf16(bf16);
    for (let i = 0; i < 65_536; i++) {
      // A NaN may become quiet but must stay a NaN.
      if (Number.isNaN(f16[i])) expect(f16ToF32(narrow16.subarray(i, i + 1))[0]).toBeNaN();
      else if (narrow16[i] !== i) expect.fail(`float16 ${i} became ${narrow16[i]}`);
      if (Number.isNaN(bf16[i])) expect(bf16ToF32(narrowB16.subarray(i, i + 1))[0]).toBeNaN();
      else if (narrowB16[i] !== i) expect.fail(`bfloat16 ${i} became ${narrowB16[i]}`);
    }
  });

  it('keeps a NaN whose fraction rounds to zero', () => {
    const nan = new Float32Array(Uint32Array.of(0x7f800001, 0xffffffff).buffer);
    expect(f16ToF32(f32ToF16(nan)).every(Number.isNaN)).toBe(true);
    expect(bf16ToF32(f32ToBf16(nan)).every(Number.isNaN)).toBe(true);
  });
});
