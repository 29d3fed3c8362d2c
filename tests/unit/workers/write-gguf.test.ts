/** GGUF files of tiny models, against the files of llama.cpp's converter (tests/oracle/make_gguf_fixtures.py) and the live model. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { textLogits } from '../../../src/engine/generation/generate';
import { inference, type Method } from '../../../src/engine/methods/method';
import { loadModel } from '../../../src/engine/models';
import type { LanguageModel } from '../../../src/engine/models/model';
import type { GgufTensorPlan } from '../../../src/exports/export';
import { dequantize } from '../../../src/formats/ggml';
import { quantize } from '../../../src/formats/quantize';
import { type CheckedModel, checkModelFolder } from '../../../src/hub/check';
import { type DroppedFile, droppedModelFolder } from '../../../src/hub/folder';
import { openWeights } from '../../../src/hub/weights';
import { openAdapter } from '../../../src/workers/engine/adapters';
import { mergeModel } from '../../../src/workers/engine/merge';
import { mergedTensors } from '../../../src/workers/engine/merged-tensors';
import { writeGguf } from '../../../src/workers/engine/write-gguf';
import { fixtureBytes, relativeError } from '../../fixture-files';
import { type Converted, converted, readGguf, withType } from './gguf-plans';

const PROBE = Int32Array.of(3, 9, 4, 17, 2, 30);
const UP = 'model.layers.0.mlp.up_proj.weight';

interface Open {
  model: LanguageModel;
  method: Method | null;
  checked: CheckedModel;
}

async function openFiles(files: DroppedFile[]): Promise<Open> {
  const checked = await checkModelFolder(droppedModelFolder('file:tiny', files));
  return { checked, model: await loadModel(checked.json, openWeights(checked)), method: null };
}

const openBytes = (bytes: Uint8Array) => openFiles([{ path: 'tiny.gguf', file: new Blob([bytes.slice()]) }]);

async function openFixture(folder: string, adapter?: string): Promise<Open> {
  const files = await Promise.all(
    ['config.json', 'model.safetensors'].map(async (path) => ({
      path,
      file: new Blob([(await fixtureBytes(`${folder}/${path}`)).slice()]),
    })),
  );
  const open = await openFiles([...files, { path: 'tokenizer.json', file: new Blob(['{}']) }]);
  if (!adapter) return open;
  const adapterFiles = await Promise.all(
    ['adapter_config.json', 'adapter_model.safetensors'].map(async (path) => ({
      path,
      bytes: await fixtureBytes(`${folder}/${adapter}/${path}`),
    })),
  );
  return { ...open, ...(await openAdapter(open.model, adapterFiles)) };
}

async function write(open: Open, { metadata, tensors }: Pick<Converted, 'metadata' | 'tensors'>, signal?: AbortSignal) {
  const pieces: ArrayBuffer[] = [];
  const progress: number[] = [];
  const report = await writeGguf(
    open,
    { format: 'gguf', metadata, tensors },
    (piece) => pieces.push(piece),
    ({ done, total }) => progress.push(done / total),
    signal,
  );
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  expect(bytes.length).toBe(report.bytes);
  return { bytes, report, progress };
}

/** The merged model's values by Hugging Face's names, as the safetensors export has them. */
async function mergedValues(open: Open): Promise<Map<string, Float32Array>> {
  const pieces: ArrayBuffer[] = [];
  await mergeModel(
    open,
    'F32',
    (piece) => pieces.push(piece),
    () => {},
  );
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  const size = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + size)));
  delete header.__metadata__;
  return new Map(
    Object.entries<{ data_offsets: [number, number] }>(header).map(
      ([
        name,
        {
          data_offsets: [start, end],
        },
      ]) => [name, new Float32Array(bytes.slice(8 + size + start, 8 + size + end).buffer)],
    ),
  );
}

/** What a plan says, value by value. */
function planned({ shape, from }: GgufTensorPlan, values: Map<string, Float32Array>): Float32Array {
  if ('values' in from) return from.values;
  const source = values.get(from.tensor)!;
  const [rows = 1, width = 1] = shape;
  const group = from.order?.length ?? 1;
  return Float32Array.from({ length: rows * width }, (_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    const of = row - (row % group) + (from.order?.[row % group] ?? 0);
    return source[from.transposed ? column * rows + of : of * width + column]! + (from.add ?? 0);
  });
}

beforeAll(() => tf.setBackend('cpu'));

describe('the base as llama.cpp’s converter writes it', () => {
  it.each([
    ['llama/gqa-tied', 'llama', 'gqa-tied'],
    ['llama/llama3-rope-bias', 'llama', 'llama3-rope-bias'],
    ['families/mistral', 'mistral', 'mistral'],
    ['families/qwen2', 'qwen2', 'qwen2'],
    ['families/qwen3', 'qwen3', 'qwen3'],
    ['families/gemma2', 'gemma2', 'gemma2'],
    ['families/gemma3_text', 'gemma3_text', 'gemma3_text'],
    ['families/phi3-longrope', 'phi3', 'phi3-longrope'],
    ['families/smollm3', 'smollm3', 'smollm3'],
    ['families/gpt2', 'gpt2', 'gpt2'],
    ['families/gpt_neox', 'gpt_neox', 'gpt_neox'],
  ])('%s', async (folder, family, file) => {
    const plan = await converted(file, family);
    const { bytes, progress } = await write(await openFixture(folder), plan);
    expect(Buffer.compare(bytes, plan.bytes)).toBe(0);
    expect(progress.at(-1)).toBe(1);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  });
});

describe('with an adapter merged in', () => {
  it.each([
    ['llama/gqa-tied', 'adapter_final', 'llama', 'gqa-tied', true],
    ['families/gpt_neox', 'adapter', 'gpt_neox', 'gpt_neox', true],
    ['families/phi3-longrope', 'adapter', 'phi3', 'phi3-longrope', true],
    // These have a setting that the format does not express, so the file as it is computes something else.
    ['families/gpt2', 'adapter', 'gpt2', 'gpt2', false],
    ['families/gemma2', 'adapter', 'gemma2', 'gemma2', false],
  ])('%s: every tensor has the merged values in the file’s order', async (folder, adapter, family, file, tells) => {
    const open = await openFixture(folder, adapter);
    const plan = await converted(file, family);
    const tensors = withType(plan.tensors, 'F32');
    const { bytes } = await write(open, { metadata: plan.metadata, tensors });
    const values = await mergedValues(open);
    const read = await readGguf(bytes);
    for (const tensor of tensors) {
      const { start, end } = read.tensors.get(tensor.name)!;
      expect(new Float32Array(bytes.slice(start, end).buffer), tensor.name).toEqual(planned(tensor, values));
    }
    if (!tells) return;
    // Opened as a stranger's file, it computes what the live model does.
    const again = await openBytes(bytes);
    const live = await textLogits(open.model, open.method!.hooks(inference()), PROBE);
    expect(relativeError(await textLogits(again.model, {}, PROBE), live)).toBeLessThan(1e-5);
    expect(relativeError(await textLogits(open.model, {}, PROBE), live)).toBeGreaterThan(0.01);
  });

  it.each(['Q8_0', 'Q4_0', 'Q5_0'] as const)('as %s: the blocks of the merged values', async (type) => {
    const open = await openFixture('llama/gqa-tied', 'adapter_final');
    const plan = await converted('gqa-tied', 'llama');
    const tensors = withType(plan.tensors, type);
    const { bytes } = await write(open, { metadata: plan.metadata, tensors });
    const values = await mergedValues(open);
    const read = await readGguf(bytes);
    for (const tensor of tensors) {
      const { start, end, type: written } = read.tensors.get(tensor.name)!;
      expect(written).toBe(tensor.type);
      expect(bytes.slice(start, end), tensor.name).toEqual(quantize(tensor.type, planned(tensor, values), 't'));
    }
  });

  it('lists the merged model’s tensors as Hugging Face stores them', async () => {
    const open = await openFixture('families/gpt2', 'adapter');
    const list = mergedTensors(open).list;
    expect(new Map(list.map(({ name, shape }) => [name, shape]))).toEqual(
      new Map([...open.checked.tensors].map(([name, { shape }]) => [name, shape])),
    );
  });
});

describe('what is stored in its type already', () => {
  it('is copied, where writing it again would change it', async () => {
    const plan = await converted('gqa-tied', 'llama');
    const tensors = withType(plan.tensors, 'Q8_0');
    const { bytes } = await write(await openFixture('llama/gqa-tied'), { metadata: plan.metadata, tensors });
    const { start, end } = (await readGguf(bytes)).tensors.get('token_embd.weight')!;
    // Small levels under a large scale: any quantiser would choose a smaller scale.
    for (let i = start; i < end; i++) if ((i - start) % 34 > 1) bytes[i] = (i % 41) - 20;
    const embedding = bytes.slice(start, end);
    expect(quantize('Q8_0', dequantize('Q8_0', embedding), 't')).not.toEqual(embedding);

    const again = await write(await openBytes(bytes), { metadata: plan.metadata, tensors });
    expect(again.bytes.slice(start, end)).toEqual(embedding);
    // As another type it is converted.
    const other = withType(plan.tensors, 'F32');
    const plain = await write(await openBytes(bytes), { metadata: plan.metadata, tensors: other });
    const place = (await readGguf(plain.bytes)).tensors.get('token_embd.weight')!;
    expect(new Float32Array(plain.bytes.slice(place.start, place.end).buffer)).toEqual(dequantize('Q8_0', embedding));
  });
});

describe('refusing', () => {
  it('can be cancelled', async () => {
    const plan = await converted('gqa-tied', 'llama');
    const control = new AbortController();
    const pieces: ArrayBuffer[] = [];
    const writing = writeGguf(
      await openFixture('llama/gqa-tied'),
      { format: 'gguf', ...plan },
      (piece) => {
        if (pieces.push(piece) === 3) control.abort();
      },
      () => {},
      control.signal,
    );
    await expect(writing).rejects.toMatchObject({ code: 'cancelled' });
    // Padding may follow the third piece.
    expect(pieces.length).toBeLessThanOrEqual(4);
  });

  it('names the tensor that a type cannot hold', async () => {
    const open = await openFixture('llama/gqa-tied');
    const plan = await converted('gqa-tied', 'llama');
    const name = 'model.layers.1.mlp.up_proj.weight';
    const shape = open.checked.tensors.get(name)!.shape as [number, number];
    const trained = tf.fill(shape, 3e7);
    const method = { opened: new Map([[name, trained]]), trainable: new Map(), hooks: () => ({}), delta: () => null };
    const broken = { ...open, method: method as unknown as Method };
    const tensors = withType(plan.tensors, 'Q8_0');
    await expect(write(broken, { metadata: plan.metadata, tensors })).rejects.toMatchObject({
      code: 'bad_model',
      where: 'blk.1.ffn_up.weight',
      message: expect.stringContaining('Q8_0'),
    });
    trained.dispose();
  });

  it.each<[string, Partial<GgufTensorPlan>]>([
    ['a tensor that the model has not', { from: { tensor: 'model.layers.9.mlp.up_proj.weight' } }],
    ['another shape', { shape: [32, 64] }],
    [
      'rows of another number than the order’s groups',
      { from: { tensor: UP, order: new Uint32Array(24).map((_, i) => i) } },
    ],
    ['an order that loses a row', { from: { tensor: UP, order: Uint32Array.of(0, 0) } }],
    ['values of another number', { from: { values: new Float32Array(3) } }],
  ])('%s', async (_, wrong) => {
    const plan = await converted('gqa-tied', 'llama');
    const tensors = plan.tensors.map((tensor) =>
      tensor.name === 'blk.0.ffn_up.weight' ? { ...tensor, ...wrong } : tensor,
    );
    await expect(
      write(await openFixture('llama/gqa-tied'), { metadata: plan.metadata, tensors }),
    ).rejects.toMatchObject({
      code: 'internal',
      where: 'blk.0.ffn_up.weight',
    });
  });
});
