import { expect, it } from 'vitest';
import { baseModel, titleOf } from '../../../src/hub/gguf/origin';

const hub = 'https://huggingface.co/';

it.each<[string, Record<string, string>, string | null]>([
  ['m.gguf', {}, null],
  ['m.gguf', { 'general.source.huggingface.repository': 'Qwen/Qwen3-0.6B' }, 'Qwen/Qwen3-0.6B'],
  ['m.gguf', { 'general.source.repo_url': `${hub}Qwen/Qwen3-0.6B` }, 'Qwen/Qwen3-0.6B'],
  // A repository of quantised files is not a base for an adapter.
  ['m.gguf', { 'general.source.repo_url': `${hub}someone/Qwen3-0.6B-GGUF` }, null],
  // The name matches the file: this is the model that was converted.
  ['Qwen3-0.6B-Q4_K_M.gguf', { 'general.base_model.0.repo_url': `${hub}Qwen/Qwen3-0.6B` }, 'Qwen/Qwen3-0.6B'],
  [
    'm.gguf',
    { 'general.name': 'Qwen3 0.6B', 'general.base_model.0.repo_url': `${hub}Qwen/Qwen3-0.6B` },
    'Qwen/Qwen3-0.6B',
  ],
  // The name differs: this is the model it was fine-tuned from.
  ['Qwen3-0.6B-Q4_K_M.gguf', { 'general.base_model.0.repo_url': `${hub}Qwen/Qwen3-0.6B-Base` }, null],
  ['m.gguf', { 'general.source.repo_url': 'https://example.org/a/b' }, null],
])('the source model of %s with %j is %s', (name, metadata, expected) => {
  expect(baseModel({ metadata: new Map(Object.entries(metadata)) }, name)).toBe(expected);
});

it('titles leave out the quantisation', () => {
  const names = ['SmolLM2-135M-Instruct.Q4_1.gguf', 'sub/gemma-3-270m-q4_k_m.gguf', 'tiny.gguf', 'llama-3_2-F16.gguf'];
  expect(names.map(titleOf)).toEqual(['SmolLM2 135M Instruct', 'gemma 3 270m', 'tiny', 'llama 3 2']);
});
