import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import '@tensorflow/tfjs-backend-cpu';
import { TabtuneError } from '../../../src/base/errors';
import { nf4Layout } from '../../../src/engine/kernels/products/weight-formats';
import { widen } from '../../../src/engine/kernels/products/weight-reference';
import { createLoader } from '../../../src/engine/models/weights';
import type { Weight } from '../../../src/engine/types';
import { expectClose } from '../../kernel-helpers';
import { ggufFixture, nf4Fixture } from '../../parity/blocks';
import { randomTensor, sourceOf, tensorsOfEveryType } from '../../parity/weights';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** The decoded values of a weight, whatever its parts. */
async function valuesOf({ parts, format, shape }: Weight): Promise<number[]> {
  const all: number[] = [];
  for (const { tensor, rows } of parts) {
    all.push(...widen((await tensor.data()) as Int32Array, format, rows * shape[1]!));
  }
  return all;
}

const f32 = (values: Float32Array, shape: number[]) => ({
  dtype: 'F32' as const,
  shape,
  bytes: new Uint8Array(values.buffer),
});

test('every type keeps its format, and small pieces and parts change nothing', async () => {
  const tensors = await tensorsOfEveryType();
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    const whole = createLoader(sourceOf(tensors));
    const weight = await whole.matrix(name, shape as [number, number]);
    expect([weight.format, weight.parts.length, weight.shape], name).toEqual([dtype.toLowerCase(), 1, shape]);
    const words = new Uint8Array((await weight.parts[0]!.tensor.data()).buffer, 0, bytes.length);
    expect(words, name).toEqual(bytes);

    const source = sourceOf(tensors);
    const rowBytes = bytes.length / shape[0]!;
    const split = createLoader(source, { limit: 9 * rowBytes, pieceBytes: 4 * rowBytes });
    const parts = await split.matrix(name, shape as [number, number]);
    expect(
      parts.parts.map((p) => p.rows),
      name,
    ).toEqual(shape[0] === 21 ? [8, 8, 5] : [8, 3]);
    expect(source.most, name).toBe(4 * rowBytes);
    expect(await valuesOf(parts), name).toEqual(await valuesOf(weight));
    whole.dispose();
    split.dispose();
  }
  expect(tf.memory().numTensors).toBe(0);
});

test('NF4: linear layers match bitsandbytes, in one buffer or in parts, at no more than 4.6 bits per value', async () => {
  const file = await nf4Fixture();
  for (const [name, limit] of [
    ['rows', Infinity],
    ['odd', Infinity],
    ['many', Infinity],
    ['many', 10_000],
  ] as const) {
    const [rows, columns] = file.shape(`${name}.input`) as [number, number];
    const input = f32(file.floats(`${name}.input`), [rows, columns]);
    const load = createLoader(sourceOf({ 'a.weight': input }), { quantization: 'nf4', limit, pieceBytes: 64 * 4 * 27 });
    const { weight } = await load.linear('a', rows, columns);
    expect(weight.format).toBe('nf4');
    expect(weight.parts.map((p) => p.rows)).toEqual(limit === Infinity ? [rows] : [256, 44]);
    // The mean of the scales is summed in a different order from torch's.
    expectClose(await valuesOf(weight), file.floats(`${name}.values`), { rtol: 3e-7 }, name);
    load.dispose();
  }
  // In total, for the smallest linear layer of SmolLM2-135M: 192 rows of 576.
  expect((nf4Layout(192 * 576).words * 32) / (192 * 576)).toBeLessThan(4.6);
});

test('8 bits: linear layers become Q8_0 if their rows are whole blocks, and stay as they are otherwise', async () => {
  const file = await ggufFixture();
  const source = sourceOf({
    'a.weight': f32(file.floats('quantise.input'), [16, 64]),
    'b.weight': randomTensor('BF16', [4, 48], 1),
    'c.weight': randomTensor('F16', [64, 16], 2),
  });
  const load = createLoader(source, { quantization: 'q8', pieceBytes: 1024 });
  const a = await load.linear('a', 16, 64);
  expect(a.weight.format).toBe('q8_0');
  const words = await a.weight.parts[0]!.tensor.data();
  expect(new Uint8Array(words.buffer, 0, 16 * 68)).toEqual(file.raw('quantise.q8_0'));
  expect((await load.linear('b', 4, 48)).weight.format).toBe('bf16');
  expect((await load.conv1d('c', 64, 16, { bias: false })).weight.format).toBe('q8_0');
  // Embeddings and output projections do not count as linear layers.
  expect((await load.matrix('a.weight', [16, 64])).format).toBe('f32');
  load.dispose();
});

test('weights that are quantised in the file stay as they are, whatever is requested', async () => {
  const file = await ggufFixture();
  const stored = { dtype: 'Q4_0' as const, shape: [21, 96], bytes: file.raw('q4_0.blocks') };
  const load = createLoader(sourceOf({ 'a.weight': stored, v: { ...stored, shape: [21 * 96] } }), {
    quantization: 'nf4',
  });
  expect((await load.linear('a', 21, 96)).weight.format).toBe('q4_0');
  // A quantised vector is unpacked.
  expect(await (await load.vector('v', 21 * 96)).data()).toEqual(file.floats('q4_0.values'));
  load.dispose();
});

test('a Conv1D is transposed bit for bit, a few rows at a time, unless its source has done so already', async () => {
  for (const dtype of ['F32', 'F16', 'BF16'] as const) {
    const stored = randomTensor(dtype, [12, 37], 4);
    const load = createLoader(sourceOf({ 'a.weight': stored }), { pieceBytes: 4 * 12 * 4 });
    const { weight, conv1d } = await load.conv1d('a', 12, 37, { bias: false });
    expect([conv1d, weight.format, weight.shape]).toEqual([true, dtype.toLowerCase(), [37, 12]]);
    const padded = new Uint8Array(Math.ceil(stored.bytes.length / 4) * 4);
    padded.set(stored.bytes);
    const values = widen(new Int32Array(padded.buffer), dtype.toLowerCase() as 'f16', 12 * 37);
    const given = dtype === 'F32' ? new Float32Array(padded.buffer) : values;
    const transposed = await valuesOf(weight);
    expect(transposed).toEqual(transposed.map((_, i) => given[(i % 12) * 37 + Math.floor(i / 12)]));
    load.dispose();
  }
  const done = { ...randomTensor('F32', [37, 12], 5), transposed: true };
  const load = createLoader(sourceOf({ 'a.weight': done }));
  const { weight } = await load.conv1d('a', 12, 37, { bias: false });
  expect(await valuesOf(weight)).toEqual([...new Float32Array(done.bytes.buffer)]);
  load.dispose();
});

test('shapesOnly creates buffers without reading a byte', async () => {
  const tensors = await tensorsOfEveryType();
  const source = sourceOf({ ...tensors, v: { ...tensors.F32!, shape: [273] } });
  for (const quantization of ['none', 'nf4', 'q8'] as const) {
    const load = createLoader(source, { shapesOnly: true, quantization });
    for (const [name, { shape }] of Object.entries(tensors)) await load.matrix(name, shape as [number, number]);
    await load.vector('v', 273);
    expect(load.parameters).toBe(
      273 + Object.values(tensors).reduce((sum, { shape }) => sum + shape[0]! * shape[1]!, 0),
    );
    load.dispose();
  }
  expect(source.most).toBe(0);
  expect(tf.memory().numTensors).toBe(0);
});

test('a tensor that is missing, has another shape, or cannot be transposed is named', async () => {
  const file = await ggufFixture();
  const blocks = { dtype: 'Q4_0' as const, shape: [21, 96], bytes: file.raw('q4_0.blocks') };
  const load = createLoader(sourceOf({ 'a.weight': blocks }));
  await expect(load.linear('b', 1, 1)).rejects.toMatchObject({ code: 'bad_model', where: 'b.weight' });
  await expect(load.linear('a', 96, 21)).rejects.toThrow('has shape [21,96], but config.json implies [96,21]');
  await expect(load.conv1d('a', 21, 96)).rejects.toThrow(TabtuneError);
  load.dispose();
});
