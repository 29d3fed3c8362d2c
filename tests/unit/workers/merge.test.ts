/** Merging PEFT adapters into tiny models from tests/oracle/make_llama_fixtures.py and make_family_fixtures.py. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { textLogits } from '../../../src/engine/generation/generate';
import { inference } from '../../../src/engine/methods/method';
import { loadModel } from '../../../src/engine/models';
import type { MergedDtype } from '../../../src/exports/export';
import { configText, mergedConfig } from '../../../src/exports/merged-config';
import { proofSentences } from '../../../src/exports/proof';
import { bf16ToF32, f16ToF32 } from '../../../src/formats/half';
import { readPeftFolder } from '../../../src/formats/peft';
import type { PeftLoraConfig } from '../../../src/formats/peft/lora';
import { openSafetensors } from '../../../src/formats/safetensors';
import { checkModelFolder } from '../../../src/hub/check';
import { droppedModelFolder } from '../../../src/hub/folder';
import { openWeights } from '../../../src/hub/weights';
import { readPeft } from '../../../src/methods/read-adapter';
import { openAdapter } from '../../../src/workers/engine/adapters';
import { mergeModel } from '../../../src/workers/engine/merge';
import { proveAdapter, proveModel } from '../../../src/workers/engine/prove';
import { fixtureBytes, relativeError } from '../../fixture-files';

const PROBES = [Int32Array.of(3, 9, 4, 17, 2, 30), Int32Array.of(11)];

async function opened(folder: string, adapterFolder: string) {
  const files = await Promise.all(
    ['config.json', 'model.safetensors'].map(async (path) => ({
      path,
      file: new Blob([(await fixtureBytes(`${folder}/${path}`)).slice()]),
    })),
  );
  const tokenizer = { path: 'tokenizer.json', file: new Blob(['{}']) };
  const checked = await checkModelFolder(droppedModelFolder('file:tiny', [...files, tokenizer]));
  const model = await loadModel(checked.json, openWeights(checked));
  const adapter = await Promise.all(
    ['adapter_config.json', 'adapter_model.safetensors'].map(async (path) => ({
      path,
      bytes: await fixtureBytes(`${folder}/${adapterFolder}/${path}`),
    })),
  );
  const { method } = await openAdapter(model, adapter);
  return { checked, model, method, adapter };
}

const llama = (name: string) => opened(`llama/${name}`, 'adapter_final');

async function merge(open: Awaited<ReturnType<typeof opened>>, dtype: MergedDtype, signal?: AbortSignal) {
  const pieces: ArrayBuffer[] = [];
  const progress: number[] = [];
  const { task, outputApart } = await mergeModel(
    open,
    dtype,
    (piece) => pieces.push(piece),
    ({ phase, done, total }) => phase === 'writing' && progress.push(done / total),
    signal,
  );
  const files = [
    {
      path: 'config.json',
      file: new Blob([configText(mergedConfig(open.checked.json, dtype, task, { outputApart }))]),
    },
    { path: 'model.safetensors', file: new Blob(pieces) },
    { path: 'tokenizer.json', file: new Blob(['{}']) },
  ];
  const report = await proveModel(open, files, { texts: PROBES, tolerance: { logits: 0.3 } });
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  const file = await openSafetensors(async (start, end) => bytes.slice(start, end).buffer, bytes.length, {
    where: 'merged',
    code: 'bad_model',
  });
  const values = (name: string) => {
    const { start, end } = file.tensors.get(name)!;
    const raw = bytes.slice(start, end).buffer;
    if (dtype === 'F32') return new Float32Array(raw);
    return (dtype === 'BF16' ? bf16ToF32 : f16ToF32)(new Uint16Array(raw));
  };
  return { report, bytes, file, values, progress, files };
}

beforeAll(() => tf.setBackend('cpu'));

describe('merging an adapter into its base', () => {
  it('gives W + s·B·A for every target and leaves the rest unchanged', async () => {
    const open = await llama('gqa-untied-odd');
    const merged = await merge(open, 'F32');
    const adapter = readPeft<PeftLoraConfig>(readPeftFolder(open.adapter));
    if (adapter.type !== 'LORA') throw new Error(adapter.type);
    const { r, lora_alpha } = adapter.config;
    const scale = lora_alpha / r;
    const weights = openWeights(open.checked);
    expect([...merged.file.tensors.keys()].sort()).toEqual([...open.checked.tensors.keys()].sort());
    for (const name of open.checked.tensors.keys()) {
      const expected = new Float32Array(await weights.read(name));
      const a = adapter.tensors.get(name.replace(/weight$/, 'lora_A.weight'));
      const b = adapter.tensors.get(name.replace(/weight$/, 'lora_B.weight'));
      if (a && b) {
        const [out, width] = [b.shape[0]!, a.shape[1]!];
        for (let i = 0; i < out; i++) {
          for (let j = 0; j < width; j++) {
            let sum = 0;
            for (let k = 0; k < r; k++) sum += b.data[i * r + k]! * a.data[k * width + j]!;
            expected[i * width + j]! += scale * sum;
          }
        }
        expect(relativeError(merged.values(name), expected)).toBeLessThan(1e-6);
      } else {
        expect(merged.values(name)).toEqual(expected);
      }
    }
    expect(merged.progress.at(-1)).toBe(1);
  });

  it.each(['gqa-tied', 'gqa-tied-bf16'])(
    '%s: the reported difference is what a reader of the file sees',
    async (name) => {
      const open = await llama(name);
      for (const [dtype, limit] of [
        ['F32', 1e-5],
        ['BF16', 0.1],
        ['F16', 0.02],
      ] as const) {
        const { report, file, values } = await merge(open, dtype);
        const source = {
          info: (tensor: string) =>
            file.tensors.has(tensor) ? { dtype: 'F32' as const, shape: file.tensors.get(tensor)!.shape } : undefined,
          read: async (tensor: string, from = 0, to?: number) => {
            const row = values(tensor).length / file.tensors.get(tensor)!.shape[0]!;
            return values(tensor).slice(from * row, to === undefined ? undefined : to * row).buffer as ArrayBuffer;
          },
        };
        const plain = await loadModel(open.checked.json, source);
        let difference = 0;
        for (const ids of PROBES) {
          const adapted = await textLogits(open.model, open.method.hooks(inference()), ids);
          const merged = await textLogits(plain, {}, ids);
          adapted.forEach((value, i) => {
            difference = Math.max(difference, Math.abs(value - merged[i]!));
          });
        }
        plain.dispose();
        expect(report.maxLogitDifference).toBeCloseTo(difference, 6);
        expect(difference).toBeLessThan(limit);
        // Rounding to 16 bits must make a difference, or nothing was rounded.
        if (dtype !== 'F32') expect(difference).toBeGreaterThan(1e-5);
      }
    },
  );

  it('writes the base at another precision if there is no adapter', async () => {
    const open = await llama('gqa-tied-bf16');
    const merged = await merge({ ...open, method: null as never }, 'BF16');
    const weights = openWeights(open.checked);
    for (const name of open.checked.tensors.keys()) {
      expect(merged.values(name)).toEqual(bf16ToF32(new Uint16Array(await weights.read(name))));
    }
    expect(merged.report.maxLogitDifference).toBe(0);
  });

  it('keeps GPT-2’s Conv1D weights in Hugging Face’s orientation', async () => {
    const open = await opened('families/gpt2', 'adapter');
    const { report, file } = await merge(open, 'F32');
    for (const [name, { shape }] of open.checked.tensors) expect(file.tensors.get(name)!.shape, name).toEqual(shape);
    expect(open.model.linears.every(({ conv1d }) => conv1d)).toBe(true);
    expect(report.maxLogitDifference! / report.largestLogit!).toBeLessThan(1e-5);
    const base = await textLogits(open.model, {}, PROBES[0]!);
    const tuned = await textLogits(open.model, open.method.hooks(inference()), PROBES[0]!);
    expect(relativeError(tuned, base)).toBeGreaterThan(0.01);
  });

  it('can be cancelled', async () => {
    const open = await llama('gqa-tied');
    await expect(merge(open, 'F32', AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('what was exported, beside what it was made of', () => {
  const exact = { texts: PROBES, tolerance: { logits: 1e-3 } };
  const tensorsIn = (bytes: Uint8Array) =>
    openSafetensors(async (start, end) => bytes.slice(start, end).buffer as ArrayBuffer, bytes.length, {
      where: 'adapter',
      code: 'bad_adapter',
    });

  it('an adapter that computes something else is refused', async () => {
    const { checked, model, method, adapter } = await llama('gqa-tied');
    const open = { checked, model, method };
    const proof = await proveAdapter(open, model, adapter, {}, exact);
    expect(proof.maxLogitDifference! / proof.largestLogit!).toBeLessThan(1e-5);
    expect(proof).toMatchObject({ texts: 2, tokens: 7, sameChoices: 7 });
    // One matrix with its rows in another order, as an export for another program would have them.
    const weights = adapter.find(({ path }) => path.endsWith('.safetensors'))!;
    const { tensors } = await tensorsIn(weights.bytes);
    const name = [...tensors.keys()].find((key) => /q_proj\.lora_B\.weight$/.test(key))!;
    const { start, end, shape } = tensors.get(name)!;
    const bytes = weights.bytes.slice();
    const row = (end - start) / shape[0]!;
    const rows = Array.from({ length: shape[0]! }, (_, i) => bytes.slice(start + i * row, start + (i + 1) * row));
    for (const [i, values] of rows.reverse().entries()) bytes.set(values, start + i * row);
    const wrong = adapter.map((file) => (file === weights ? { ...file, bytes } : file));
    await expect(proveAdapter(open, model, wrong, {}, exact)).rejects.toMatchObject({
      code: 'bad_model',
      message: expect.stringContaining('does not compute what was trained'),
      action: expect.stringContaining('Nothing was saved'),
    });
  });

  it.each(['F32', 'BF16', 'F16'] as const)('a file in %s in which nothing was trained is refused', async (dtype) => {
    const open = await llama('gqa-tied');
    const bare = await merge({ ...open, method: null as never }, dtype);
    // Whatever the format may round.
    const proof = { texts: PROBES, tolerance: { logits: 10, perplexity: 10 } };
    await expect(proveModel(open, bare.files, proof)).rejects.toMatchObject({
      code: 'bad_model',
      message: expect.stringMatching(/does not behave as trained: .* -?\d+ % is in it/),
    });
    const trained = await merge(open, dtype);
    const { carried } = await proveModel(open, trained.files, proof);
    expect(Math.abs(carried! - 1)).toBeLessThan(0.05);
  });

  /** How much each weight of the last norm is off. */
  const NOISE = 1.2;

  it('a file that rounds as much as training changed passes with what was trained, and is refused without', async () => {
    const open = await llama('gqa-tied');
    const rounded = async (of: Awaited<ReturnType<typeof merge>>) => {
      const bytes = of.bytes.slice();
      const { start, end } = of.file.tensors.get('model.norm.weight')!;
      const values = new Float32Array(bytes.buffer.slice(start, end));
      bytes.set(new Uint8Array(values.map((value, i) => value * (i % 2 === 0 ? 1 + NOISE : 1 - NOISE)).buffer), start);
      return of.files.map((one) => (one.path === 'model.safetensors' ? { ...one, file: new Blob([bytes]) } : one));
    };
    const proof = { texts: PROBES, tolerance: { logits: 100 } };
    const { rounding, carried } = await proveModel(open, await rounded(await merge(open, 'F32')), proof);
    expect(rounding!).toBeGreaterThan(0.5);
    expect(rounding!).toBeLessThan(2);
    expect(carried!).toBeGreaterThan(0.5);
    const bare = await rounded(await merge({ ...open, method: null as never }, 'F32'));
    await expect(proveModel(open, bare, proof)).rejects.toMatchObject({ code: 'bad_model' });
  });

  it('training that is small beside what the file rounds cannot be told from it, and is not said to be missing', async () => {
    const open = await llama('gqa-tied');
    const exact = await merge(open, 'F32');
    // Rounded so coarsely that the logits are others.
    const bytes = exact.bytes.slice();
    const { start, end } = exact.file.tensors.get('model.norm.weight')!;
    const values = new Float32Array(bytes.buffer.slice(start, end));
    const coarse = values.map((value, i) => value * (i % 2 === 0 ? 40 : -40));
    bytes.set(new Uint8Array(coarse.buffer), start);
    const files = exact.files.map((one) =>
      one.path === 'model.safetensors' ? { ...one, file: new Blob([bytes]) } : one,
    );
    const proof = await proveModel(open, files, { texts: PROBES, tolerance: { logits: 100 } });
    expect(proof.carried).toBeNull();
    expect(proof.rounding!).toBeGreaterThan(2);
    expect(proofSentences(proof, 'it').join(' ')).toMatch(/times as far as training did/);
  });

  it('perplexity and choices are those of the logits', async () => {
    const open = await llama('gqa-tied');
    const proof = await proveAdapter(open, open.model, open.adapter, {}, exact);
    let sum = 0;
    let count = 0;
    for (const ids of PROBES) {
      const logits = await textLogits(open.model, open.method.hooks(inference()), ids);
      const width = logits.length / ids.length;
      for (let t = 0; t + 1 < ids.length; t++) {
        const row = logits.slice(t * width, (t + 1) * width);
        const total = row.reduce((all, value) => all + Math.exp(value), 0);
        sum -= Math.log(Math.exp(row[ids[t + 1]!]!) / total);
        count++;
      }
    }
    expect(proof.perplexity!.before).toBeCloseTo(Math.exp(sum / count), 3);
    expect(proof.perplexity!.after).toBeCloseTo(proof.perplexity!.before, 3);
  });

  it('a format that rounds is refused for the perplexity that it costs', async () => {
    const open = await llama('gqa-tied-bf16');
    const { files } = await merge(open, 'F32');
    const tolerance = { logits: 1, perplexity: 0.5 };
    await expect(proveModel(open, files, { texts: PROBES, tolerance })).rejects.toMatchObject({
      code: 'bad_model',
      message: expect.stringContaining('predicts text worse'),
    });
  });
});
