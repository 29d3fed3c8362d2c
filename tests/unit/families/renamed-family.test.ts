/** A family is a descriptor, a loader and their lines in the registries: Llama under another name does all that Llama does. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { textLogits } from '../../../src/engine/generation/generate';
import { loaders, loadModel } from '../../../src/engine/models';
import { loadLlama } from '../../../src/engine/models/llama';
import { mergedConfig } from '../../../src/exports/merged-config';
import { families, readFamilyConfig } from '../../../src/families';
import type { Family } from '../../../src/families/family';
import { ggufFamilies } from '../../../src/families/gguf';
import { llamaGguf } from '../../../src/families/gguf/llama';
import { type LlamaConfig, llama } from '../../../src/families/llama';
import { readAdapterHub } from '../../../src/formats/adapterhub';
import { checkModelFolder } from '../../../src/hub/check';
import { configOf } from '../../../src/hub/gguf/config';
import { summarizeModel } from '../../../src/hub/summary';
import { openWeights } from '../../../src/hub/weights';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { MethodSection } from '../../../src/recipe/types';
import { adapterFiles } from '../../../src/workers/engine/adapter-files';
import { openMethod } from '../../../src/workers/engine/adapters';
import { fixtureBytes, fixtureJson } from '../../fixture-files';
import { CELLS, nameOf } from '../../parity/matrix/cells';
import { PROBES } from '../../parity/matrix/data';
import { snapshot } from '../../parity/matrix/folder';
import { type OpenFamily, trainCell } from '../../parity/matrix/train';
import { defineWebGpuNames } from '../../webgpu-names';
import { folderOf } from '../hub/helpers';

const myLlama: Family<LlamaConfig> = { ...llama, modelType: 'my_llama' };
families.push(myLlama);
loaders.my_llama = loadLlama;
ggufFamilies.my_llama = llamaGguf;

const FOLDER = 'llama/gqa-untied-odd';
const TASK = { problemType: 'single_label_classification' as const, labels: ['red', 'green', 'blue'] };
const text = (bytes: Uint8Array) => new TextDecoder('latin1').decode(bytes);

async function open(modelType: string): Promise<OpenFamily> {
  const config = await fixtureJson<Record<string, unknown>>(`${FOLDER}/config.json`);
  const checked = await checkModelFolder(
    folderOf({
      'config.json': JSON.stringify({ ...config, model_type: modelType }),
      'model.safetensors': await fixtureBytes(`${FOLDER}/model.safetensors`),
    }),
  );
  const weights = openWeights(checked);
  const base = await loadModel(checked.json, weights);
  const answers: Float32Array[] = [];
  for (const ids of PROBES) answers.push(await textLogits(base, {}, ids));
  return { checked, weights, base, bytes: await snapshot(base.tensors), answers };
}

let original: OpenFamily;
let renamed: OpenFamily;
beforeAll(async () => {
  await tf.setBackend('cpu');
  original = await open('llama');
  renamed = await open('my_llama');
});
afterAll(() => {
  original.base.dispose();
  renamed.base.dispose();
});

test('both indexes list the same families', () => {
  expect(Object.keys(loaders).sort()).toEqual(families.map(({ modelType }) => modelType).sort());
});

test('a folder is checked and loaded, and answers the same', async () => {
  expect(renamed.checked.family).toBe(myLlama);
  expect(renamed.checked.config).toEqual({ ...original.checked.config, model_type: 'my_llama' });
  expect(renamed.base.family).toBe('my_llama');
  expect(renamed.answers).toEqual(original.answers);
  expect(await summarizeModel(renamed.checked)).toMatchObject({ architecture: 'my_llama', kind: 'decoder' });
  expect(() => readFamilyConfig({ model_type: 'your_llama' })).toThrow(
    expect.objectContaining({ action: expect.stringContaining('my_llama') }),
  );
});

test('a GGUF file of an architecture that two families share opens as the first of them', () => {
  const keys = { embedding_length: 32, feed_forward_length: 64, block_count: 2, context_length: 64 };
  const attention = { 'attention.head_count': 4, 'attention.layer_norm_rms_epsilon': 1e-5 };
  const metadata = Object.entries({ ...keys, ...attention }).map(([key, value]) => [`llama.${key}`, value] as const);
  const config = configOf(
    {
      metadata: new Map<string, string | number>([['general.architecture', 'llama'], ...metadata]),
      tensors: new Map([['token_embd.weight', { type: 'F32', shape: [8, 32], start: 0, end: 1024 }]]),
    },
    { freqs: null, long: null, short: null },
    'm.gguf',
  );
  expect(config).toMatchObject({ model_type: 'llama' });
});

/** As trained, saved, loaded and merged for every family (tests/parity/matrix). */
const cells = CELLS.filter(
  ({ family, method, objective }) =>
    family.name === 'llama' &&
    ['lora', 'ia3', 'bottleneck', 'full'].includes(method) &&
    ['sft', 'sequence_classification', 'token_classification'].includes(objective),
);
test.each(cells.map((cell) => [nameOf(cell), cell] as const))('trains as %s', async (_name, cell) => {
  expect(await trainCell(renamed, cell)).toEqual(await trainCell(original, cell));
});

const SECTIONS: MethodSection['type'][] = ['lora', 'ia3', 'bottleneck'];
test.each(SECTIONS)('the files of %s differ in the name alone', async (type) => {
  const filesOf = async ({ base, weights }: OpenFamily) => {
    const { method } = resolveRecipe({ version: 1, method: { type } as MethodSection });
    const settings = { objective: 'sequence_classification' as const, task: TASK, seed: 7, initText: Int32Array.of() };
    const adapter = await openMethod(base, method, { ...settings, head: { source: weights } });
    const files = await adapterFiles(adapter, { name: 'tiny', revision: null });
    adapter.dispose();
    return files;
  };
  const [ours, theirs] = [await filesOf(renamed), await filesOf(original)];
  expect(ours.map(({ path, bytes }) => [path, text(bytes).replaceAll('my_llama', 'llama')])).toEqual(
    theirs.map(({ path, bytes }) => [path, text(bytes)]),
  );
  if (type !== 'bottleneck') return;
  expect(readAdapterHub(ours)).toMatchObject({ model_type: 'my_llama', model_class: 'LlamaForSequenceClassification' });
});

test('the config of a merged model', () => {
  expect(mergedConfig(renamed.checked.json, 'F16', TASK)).toMatchObject({
    model_type: 'my_llama',
    architectures: ['LlamaForSequenceClassification'],
  });
});

test('a run is planned the same', async () => {
  // tfjs's backend asks for WebGPU's names when it is loaded.
  defineWebGpuNames();
  const { dryRun } = await import('../../../src/engine/run/dry-run');
  const planOf = async ({ checked }: OpenFamily, type: MethodSection['type']) => {
    const { method, objective, training } = resolveRecipe({ version: 1, method: { type } as MethodSection });
    return dryRun({
      device: {
        ...{ vendor: '', architecture: '', software: false, features: [] },
        limits: {
          maxBufferSize: 2 ** 32,
          maxStorageBufferBindingSize: 2 ** 31,
          maxStorageBuffersPerShaderStage: 8,
          maxComputeWorkgroupStorageSize: 16_384,
          maxComputeInvocationsPerWorkgroup: 256,
          maxComputeWorkgroupSizeX: 256,
          maxComputeWorkgroupsPerDimension: 65_535,
        },
      },
      config: checked.json,
      tensors: [...checked.tensors].map(([name, { shape }]) => [name, { dtype: 'F32' as const, shape }]),
      quantization: 'none',
      ...{ method, objective, task: null, base: 0, training, checkpointing: false },
      batches: [{ rows: 2, length: 16, targets: 20 }],
      evaluation: [],
      prompts: [],
    });
  };
  for (const type of SECTIONS) expect(await planOf(renamed, type)).toEqual(await planOf(original, type));
});
