/** Merging PEFT adapters into tiny models from tests/oracle/make_llama_fixtures.py and make_family_fixtures.py. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { textLogits } from '../../../src/engine/generation/generate';
import { inference } from '../../../src/engine/methods/method';
import { loadModel } from '../../../src/engine/models';
import { bf16ToF32, f16ToF32 } from '../../../src/formats/half';
import { readPeftFolder } from '../../../src/formats/peft';
import type { PeftLoraConfig } from '../../../src/formats/peft/lora';
import { openSafetensors } from '../../../src/formats/safetensors';
import { checkModelFolder } from '../../../src/hub/check';
import { droppedModelFolder } from '../../../src/hub/folder';
import { openWeights } from '../../../src/hub/weights';
import { readPeft } from '../../../src/methods/read-adapter';
import type { MergedDtype } from '../../../src/session/api';
import { configText, mergedConfig } from '../../../src/session/merged-config';
import { openAdapter } from '../../../src/workers/engine/adapters';
import { checkMerged } from '../../../src/workers/engine/check-merged';
import { mergeModel } from '../../../src/workers/engine/merge';
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
  const report = await checkMerged(open, { dtype, files, probes: PROBES });
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
  return { report, bytes, file, values, progress };
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
