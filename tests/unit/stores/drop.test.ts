import { zipSync } from 'fflate';
import { beforeEach, expect, test, vi } from 'vitest';
import { zipNames } from '../../../src/formats/zip-names';
import { fakeSession } from './fake-session';

const { connectSession } = await import('../../../src/stores/session');
const { receiveFiles } = await import('../../../src/stores/drop');
const { useCompare } = await import('../../../src/stores/compare');
const { useData } = await import('../../../src/stores/data');
const { useRecipe } = await import('../../../src/stores/recipe');
const { useScreen } = await import('../../../src/stores/screen');

const importFile = vi.fn(async (file: File) => `file:${file.name}`);
const importAdapter = vi.fn(async () => true);
const utf8 = (text: string) => new TextEncoder().encode(text);
const drop = (name: string, content: string | Uint8Array) => {
  const file = new File([content as Uint8Array<ArrayBuffer> | string], name);
  return receiveFiles([{ path: name, file }]);
};

beforeEach(() => {
  connectSession(fakeSession());
  useRecipe.getState().replace({ version: 1 });
  useData.setState({ importFile });
  useCompare.setState({ importAdapter });
  vi.clearAllMocks();
});

test.each<[string, string, Record<string, string>]>([
  ['data', 'data', { 'train.jsonl': '{}', 'README.md': 'x' }],
  ['data in a folder', 'data', { 'set/a.csv': 'a,b', 'set/b.csv': 'a,b' }],
  ['an adapter', 'compare', { 'adapter_config.json': '{}', 'adapter_model.safetensors': 'x' }],
  ['an adapter in a folder', 'compare', { 'run/adapter_config.json': '{}', 'run/adapter_model.safetensors': 'x' }],
  ['a dataset with a config', 'data', { 'config.json': '{}', 'train.jsonl': '{}' }],
])('an archive of %s goes to the page “%s”', async (_name, page, files) => {
  const archive = zipSync(Object.fromEntries(Object.entries(files).map(([path, text]) => [path, utf8(text)])));
  expect(await drop('a.zip', archive)).toBe(page);
  expect(importFile).toHaveBeenCalledTimes(page === 'data' ? 1 : 0);
  expect(importAdapter).toHaveBeenCalledTimes(page === 'compare' ? 1 : 0);
});

test('an archive of a model is to be unpacked', async () => {
  const archive = zipSync({
    'm/config.json': utf8('{}'),
    'm/model.safetensors': utf8('x'),
    'm/tokenizer.json': utf8('{}'),
  });
  expect(await drop('model.zip', archive)).toBeNull();
  expect(useScreen.getState().error?.action).toContain('Unpack it');
});

test('a file that is called .zip and is none is opened as data, which says so', async () => {
  expect(await drop('a.zip', 'text')).toBe('data');
  expect(await zipNames(new Blob(['text']))).toEqual([]);
});

test.each<[string, unknown, string]>([
  ['a recipe', { version: 1, method: { type: 'lora' } }, 'recipe'],
  ['a dataset with a version', { version: 1, dataset: [{ prompt: 'a', completion: 'b' }] }, 'data'],
  ['a dataset about models', { version: 2, model: 'x', rows: [{ prompt: 'a', completion: 'b' }] }, 'data'],
  ['SQuAD', { version: '2.0', data: [] }, 'data'],
])('%s', async (_name, value, page) => {
  expect(await drop('a.json', JSON.stringify(value))).toBe(page);
});

test('what was chosen for the last file does not hold for the next', async () => {
  useRecipe.getState().set({ 'dataset.encoding': 'windows-1251', 'dataset.table': 'b' });
  await drop('a.csv', 'a,b');
  expect(useRecipe.getState().recipe.dataset).toMatchObject({ source: 'file:a.csv', encoding: 'auto', table: null });
});

test('the names of an archive are read without its contents, behind a comment too', async () => {
  const archive = zipSync({ 'a.txt': utf8('x'.repeat(3_000_000)), 'ü/b.txt': utf8('y') }, { comment: 'hm' } as never);
  expect(await zipNames(new Blob([archive as Uint8Array<ArrayBuffer>]))).toEqual(['a.txt', 'ü/b.txt']);
});
