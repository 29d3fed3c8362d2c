/** The Fisher information of a tiny Llama's adapter: one text per pass, squared gradients of its summed log-likelihood. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { disposeInputs } from '../../../src/engine/kernels/inputs';
import { valueAndGradients } from '../../../src/engine/kernels/tape';
import { inference } from '../../../src/engine/methods/method';
import { sft } from '../../../src/engine/objectives/sft';
import { estimateFisher } from '../../../src/engine/run/estimate-fisher';
import { wholeText } from '../../../src/engine/run/evaluate';
import { readFloats } from '../../../src/engine/webgpu/backend';
import { relativeError } from '../../fixture-files';
import { lossOf } from '../../parity/loss';
import { numTensors, tinyExamples, withRun } from '../../parity/tiny-run';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test.each([false, true])('matches gradients squared by hand; with gradient checkpointing: %s', (checkpointing) =>
  withRun({ dropout: 0.5 }, async (run) => {
    const texts = (await tinyExamples('gqa-tied')).slice(0, 3).map(({ ids }) => wholeText(ids));
    const { model, method, optimizer } = run;
    const before = numTensors();
    const fisher = (await estimateFisher({ model, method, objective: sft, optimizer, checkpointing }, texts))!;
    disposeInputs();
    expect(numTensors() - before).toBe(1);
    const flat = await readFloats(fisher);
    fisher.dispose();

    const sums = optimizer.tensors.map((t) => new Float64Array(t.size));
    for (const text of texts) {
      const { value, grads } = valueAndGradients(
        () => lossOf(sft, model, method.hooks(inference()), text, { scale: 1, withGradient: true }),
        optimizer.tensors,
      );
      for (const [i, g] of grads.entries()) {
        for (const [k, x] of (await readFloats(g)).entries()) sums[i]![k]! += x ** 2 / texts.length;
      }
      tf.dispose([value, ...grads]);
    }
    let largest = 0;
    for (const [i, { offset, size, name }] of optimizer.layout.places.entries()) {
      const own = flat.slice(offset, offset + size);
      // A of a new adapter has no gradient, because B is zero.
      if (sums[i]!.every((x) => x === 0)) expect(own.every((x) => x === 0)).toBe(true);
      else expect(relativeError(own, sums[i]!), name).toBeLessThan(1e-5);
      largest = Math.max(largest, ...own);
    }
    expect(largest).toBeGreaterThan(0);
  }),
);

test('a stop leaves nothing behind', () =>
  withRun({}, async ({ model, method, optimizer }) => {
    const [text] = await tinyExamples('gqa-tied');
    const before = numTensors();
    let asked = 0;
    const texts = [wholeText(text!.ids), wholeText(text!.ids)];
    expect(await estimateFisher({ model, method, objective: sft, optimizer }, texts, () => ++asked === 2)).toBe(null);
    disposeInputs();
    expect(numTensors()).toBe(before);
  }));
