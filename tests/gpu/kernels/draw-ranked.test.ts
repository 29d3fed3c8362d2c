import * as tf from '@tensorflow/tfjs-core';
import { expect, test, vi } from 'vitest';
import { drawNext } from '../../../src/engine/generation/next-token';
import { sampleToken } from '../../../src/engine/generation/sampler';
import { counters, flush, gpuBackend } from '../../../src/engine/webgpu/backend';
import { randomValues, withBackend } from '../../kernel-helpers';
import { checkDrawing, DRAWING_CASES } from '../../parity/drawing';

test.each(DRAWING_CASES)('draws as the sampler: $name', (c) =>
  checkDrawing('webgpu', c, c.logits.length > 5000 ? 8 : 20),
);

test('every token is the sampler’s, settled on the device or not', () =>
  withBackend('webgpu', async () => {
    // Nearly flat: rounding decides often.
    for (const scale of [0.05, 3]) {
      const { data } = randomValues([1, 20_000], 3, scale);
      const options = { temperature: 0.9, topP: 0.97, seed: 11 };
      for (let position = 0; position < 30; position++) {
        const token = await drawNext(tf.tensor(data, [1, 20_000]), position, options);
        expect(token).toBe(sampleToken(data as Float32Array, position, options));
      }
    }
  }));

test('a settled token takes one dispatch, and 32 bytes are read', () =>
  withBackend('webgpu', async () => {
    const { data } = randomValues([1, 1000], 3, 6);
    const options = { temperature: 0.8, topP: 0.95, seed: 1 };
    const uploaded = () => {
      const logits = tf.tensor(data, [1, 1000]);
      gpuBackend().uploadToGPU(logits.dataId);
      flush(gpuBackend());
      return logits;
    };
    await drawNext(uploaded(), 2, options);
    const logits = uploaded();
    const before = counters.dispatches;
    const copies = vi.spyOn(GPUCommandEncoder.prototype, 'copyBufferToBuffer');
    const token = await drawNext(logits, 2, options);
    expect(copies.mock.calls.map((call) => call[4])).toEqual([32]);
    copies.mockRestore();
    expect(counters.dispatches - before).toBe(1);
    expect(token).toBe(sampleToken(data as Float32Array, 2, options));
  }));
