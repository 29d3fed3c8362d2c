import { expect, test } from 'vitest';
import { halfToFloat, widen } from '../../../src/engine/kernels/products/weight-reference';
import { f16ToF32 } from '../../../src/formats/half';
import { storedWeights } from '../../parity/blocks';

const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);

test('every quantised format decodes to what the gguf package and bitsandbytes give, bit for bit', async () => {
  const weights = await storedWeights();
  expect(weights.length).toBe(12);
  for (const { name, format, stored, values } of weights) {
    expect(bits(widen(stored.data, format, values.length)), name).toEqual(bits(values));
  }
});

test('all halves widen as IEEE 754 says', () => {
  const halves = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const expected = f16ToF32(halves);
  expect(Array.from(halves, halfToFloat)).toEqual([...expected]);
});
