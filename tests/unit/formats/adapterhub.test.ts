/** AdapterHub's format against files written by its own library (tests/oracle/make_bottleneck_fixtures.py). */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  isAdapterHub,
  modelClass,
  readAdapterHub,
  underBlocks,
  writeAdapterHub,
} from '../../../src/formats/adapterhub';

const FIXTURES = new URL('../../fixtures/bottleneck/', import.meta.url);
const CASES = readdirSync(FIXTURES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

type Files = { path: string; bytes: Uint8Array }[];

/** The files written by the library. */
function folder(name: string): Files {
  return readdirSync(new URL(name, FIXTURES))
    .filter((path) => !path.startsWith('expected'))
    .map((path) => ({ path, bytes: new Uint8Array(readFileSync(new URL(`${name}/${path}`, FIXTURES))) }));
}

/** A folder with a modified config. */
function changed(change: (config: Record<string, unknown>, bottleneck: Record<string, unknown>) => void): Files {
  return folder('llama-double').map(({ path, bytes }) => {
    if (path !== 'adapter_config.json') return { path, bytes };
    const config = JSON.parse(new TextDecoder().decode(bytes));
    change(config, config.config);
    return { path, bytes: new TextEncoder().encode(JSON.stringify(config)) };
  });
}

test('the folders are here', () => expect(CASES).toHaveLength(18));

test.each(CASES)('%s is written back byte for byte', (name) => {
  const files = folder(name);
  const adapter = readAdapterHub(files);
  const written = writeAdapterHub(adapter);
  expect(written.map(({ path }) => path).sort()).toEqual(files.map(({ path }) => path).sort());
  for (const { path, bytes } of files) {
    const own = written.find((file) => file.path === path)!.bytes;
    if (path.endsWith('.json')) expect(new TextDecoder().decode(own)).toBe(new TextDecoder().decode(bytes));
    else expect(own).toEqual(bytes);
  }
});

test('reads the description of an adapter', () => {
  const { tensors, head, ...about } = readAdapterHub(folder('bert-classification'));
  expect(about).toEqual({
    name: 'tiny',
    model_name: 'tiny-random-bert',
    model_type: 'bert',
    model_class: 'BertForSequenceClassification',
    hidden_size: 24,
    parallel: false,
    settings: { config: 'seq_bn', reduction_factor: 4, non_linearity: 'relu' },
  });
  expect([...tensors.keys()].slice(0, 2)).toEqual([
    'bert.encoder.layer.0.output.adapters.adapter_down.0.bias',
    'bert.encoder.layer.0.output.adapters.adapter_down.0.weight',
  ]);
  expect(head!.labels).toEqual(['LABEL_0', 'LABEL_1', 'LABEL_2']);
  expect([...head!.tensors].map(([name, { shape }]) => [name, shape])).toEqual([
    ['classifier.bias', [3]],
    ['classifier.weight', [3, 24]],
  ]);
  expect(isAdapterHub(folder('bert-classification'))).toBe(true);
  expect(isAdapterHub([{ path: 'adapter_model.safetensors' }])).toBe(false);
});

describe('unsupported adapters are refused with the reason', () => {
  const cases: [string, Files, string][] = [
    ['another kind of adapter', changed((_, c) => Object.assign(c, { architecture: 'lora' })), 'the kind lora'],
    ['parallel adapters', changed((_, c) => Object.assign(c, { is_parallel: true })), 'sets is_parallel'],
    ['a scale', changed((_, c) => Object.assign(c, { scaling: 'learned' })), 'sets scaling'],
    ['layers left out', changed((_, c) => Object.assign(c, { leave_out: [1] })), 'leaves some layers out'],
    ['a norm before both', changed((_, c) => Object.assign(c, { original_ln_before: true })), 'neither a seq_bn'],
    [
      'a reduction factor per layer',
      changed((_, c) => Object.assign(c, { reduction_factor: { 1: 8 } })),
      'not a possible value',
    ],
    ['another activation', changed((_, c) => Object.assign(c, { non_linearity: 'leakyrelu' })), 'cannot be computed'],
    [
      'a name that no tensor has',
      changed((config) => Object.assign(config, { name: 'other' })),
      'not part of a bottleneck',
    ],
    ['no config', folder('llama-double').filter(({ path }) => !path.endsWith('.json')), 'no adapter_config.json'],
    ['no weights', folder('llama-double').filter(({ path }) => path.endsWith('.json')), 'no adapter.safetensors'],
    [
      'a pickle',
      folder('llama-double').map((f) => (f.path.endsWith('.json') ? f : { ...f, path: 'pytorch_adapter.bin' })),
      'can run code',
    ],
    [
      'two adapters',
      [...folder('llama-double'), { path: 'a/adapter_config.json', bytes: new Uint8Array() }],
      'contains 2',
    ],
  ];
  test.each(cases)('%s', (_name, files, reason) => {
    expect(() => readAdapterHub(files)).toThrow(reason);
  });

  test('in older files gelu is the tanh approximation, and gelu_orig the exact one', () => {
    const older = (non_linearity: string) =>
      changed((config, c) => {
        delete config.version;
        c.non_linearity = non_linearity;
      });
    expect(readAdapterHub(older('gelu_orig')).settings.non_linearity).toBe('gelu');
    expect(() => readAdapterHub(older('gelu'))).toThrow('cannot be computed');
  });
});

test('tensor names convert between a bare encoder and one with a head', () => {
  const { tensors } = readAdapterHub(folder('bert-double'));
  const head = { shape: [1], data: new Float32Array(1) };
  const withHead = new Map([...tensors, ['classifier.weight', head]]);
  expect(underBlocks(withHead, ['encoder.layer.0']).get('classifier.weight')).toBe(head);
  const bare = underBlocks(tensors, ['encoder.layer.0', 'encoder.layer.1']);
  expect([...bare.keys()].every((name) => name.startsWith('encoder.layer.'))).toBe(true);
  expect([...underBlocks(bare, ['bert.encoder.layer.0', 'bert.encoder.layer.1']).keys()]).toEqual([...tensors.keys()]);
  expect(underBlocks(tensors, ['bert.encoder.layer.0'])).toBe(tensors);
});

test('gives the transformers class of a model', () => {
  expect(modelClass('llama', 'language_model')).toBe('LlamaForCausalLM');
  expect(modelClass('gpt2', 'language_model')).toBe('GPT2LMHeadModel');
  expect(modelClass('bert', 'language_model')).toBe('BertForMaskedLM');
  expect(modelClass('distilbert', 'words')).toBe('DistilBertForTokenClassification');
});
