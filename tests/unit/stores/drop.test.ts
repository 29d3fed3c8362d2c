import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type ErrorData, TabtuneError } from '../../../src/base/errors';
import { zipNames } from '../../../src/formats/zip-names';
import { fakeSession } from './fake-session';

const { connectSession } = await import('../../../src/stores/session');
const { receiveFiles } = await import('../../../src/stores/drop');
const { useCompare } = await import('../../../src/stores/compare');
const { useImported } = await import('../../../src/stores/imported');
const { useLibrary } = await import('../../../src/stores/library');
const { useRecipe } = await import('../../../src/stores/recipe');
const { useScreen } = await import('../../../src/stores/screen');

let session = fakeSession();
const importAdapter = vi.fn(async () => true);
const utf8 = (text: string) => new TextEncoder().encode(text);
const drop = (name: string, content: string | Uint8Array) => {
  const file = new File([content as Uint8Array<ArrayBuffer> | string], name);
  return receiveFiles([{ path: name, file }]);
};

beforeEach(() => {
  session = fakeSession();
  connectSession(session);
  useRecipe.getState().replace({ version: 1 });
  useLibrary.setState({ own: [], reading: null, refused: null, question: null });
  useCompare.setState({ importAdapter });
  useImported.getState().dismiss();
  useScreen.getState().showError(null);
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
  expect(session.addDataset).toHaveBeenCalledTimes(page === 'data' ? 1 : 0);
  expect(importAdapter).toHaveBeenCalledTimes(page === 'compare' ? 1 : 0);
});

test.each([
  ['adapters/qwen2.gguf', 'compare'],
  ['qwen2.gguf', 'model'],
  ['blocks.safetensors', 'model'],
])('the GGUF file %s goes to the page “%s”', async (file, page) => {
  const bytes = readFileSync(`tests/fixtures/gguf/${file}`);
  expect(await drop('a.gguf', bytes)).toBe(page);
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

describe('what is chosen', () => {
  const refusal = { code: 'bad_data' as const, message: 'This is a picture.', where: 'a.png' };
  const refusing = (error: ErrorData) => {
    session.addDataset = vi.fn(async () => {
      throw new TabtuneError(error);
    });
  };

  test('stays chosen if the dropped file cannot be used', async () => {
    refusing(refusal);
    const before = useRecipe.getState().input;
    expect(await drop('a.png', 'x')).toBe('data');
    expect(useRecipe.getState().input).toBe(before);
    expect(useLibrary.getState()).toMatchObject({ refused: { message: 'This is a picture.' }, reading: null });
    useLibrary.getState().dismiss();
    expect(useLibrary.getState().refused).toBeNull();
  });

  test('changes once the file’s question has been answered, and not before', async () => {
    const set = { 'dataset.encoding': 'windows-1251' };
    refusing({ ...refusal, choices: [{ label: 'Cyrillic', set }] });
    const before = useRecipe.getState().input;
    await drop('a.csv', 'x');
    expect(useRecipe.getState().input).toBe(before);
    expect(useLibrary.getState()).toMatchObject({ refused: null, question: { error: { message: refusal.message } } });
    session.addDataset = vi.fn(fakeSession().addDataset);
    expect(await useLibrary.getState().answer(set)).toBe(true);
    expect(vi.mocked(session.addDataset).mock.calls[0]![1]).toMatchObject({ encoding: 'windows-1251', table: null });
    expect(useRecipe.getState().recipe.dataset).toMatchObject({ source: 'file:a.csv', encoding: 'windows-1251' });
    expect(useLibrary.getState().question).toBeNull();
  });

  test('changes once the columns have been named', async () => {
    refusing({ ...refusal, message: 'No column is a prompt. The columns are “a” and “b”.' });
    await drop('a.csv', 'x');
    session.addDataset = vi.fn(fakeSession().addDataset);
    const columns = { prompt: 'a', completion: 'b' };
    await useLibrary.getState().answer({ 'dataset.format': 'prompt_completion', 'dataset.columns': columns });
    expect(useRecipe.getState().recipe.dataset).toMatchObject({ format: 'prompt_completion', columns });
  });

  test('stays chosen while a file is read, and when that is cancelled', async () => {
    let aborted = false;
    session.addDataset = vi.fn(
      (_file, _section, how) =>
        new Promise<never>((_, reject) => {
          how?.onProgress?.({ stage: 'rows', done: 5000, total: null });
          how?.signal?.addEventListener('abort', () => {
            aborted = true;
            reject(how.signal?.reason);
          });
        }),
    );
    const before = useRecipe.getState().input;
    const dropped = drop('a.csv', 'x');
    await vi.waitFor(() =>
      expect(useLibrary.getState().reading).toMatchObject({ name: 'a.csv', progress: { done: 5000 } }),
    );
    useLibrary.getState().cancel();
    await dropped;
    expect(aborted).toBe(true);
    expect(useLibrary.getState()).toMatchObject({ reading: null, refused: null, question: null });
    expect(useRecipe.getState().input).toBe(before);
  });

  test('is reopened from the shelf with the choices that it had', async () => {
    const own = { source: 'file:b.csv', name: 'b.csv', bytes: 1, addedAt: 1, examples: 1, edited: false };
    const reading = {
      format: 'auto',
      columns: { prompt: 'q' },
      encoding: 'windows-1251',
      table: null,
      merge_labels: false,
    };
    await useLibrary.getState().choose({ ...own, reading });
    expect(vi.mocked(session.openDataset).mock.calls[0]![0]).toMatchObject({ ...reading, source: 'file:b.csv' });
    expect(useRecipe.getState().input.dataset).toEqual({
      source: 'file:b.csv',
      columns: { prompt: 'q' },
      encoding: 'windows-1251',
    });
    session.openDataset = vi.fn(async () => {
      throw new TabtuneError(refusal);
    });
    await useLibrary.getState().choose({ ...own, source: 'file:c.csv', name: 'c.csv', reading: {} });
    expect(useRecipe.getState().recipe.dataset.source).toBe('file:b.csv');
    expect(useLibrary.getState().refused).toMatchObject(refusal);
  });
});

describe('another trainer’s config', () => {
  const recipe = () => useRecipe.getState().input;

  test.each([
    ['lora.yml', 'base_model: org/name\nsequence_len: 512\nadapter: lora\nlora_r: 4', 'Axolotl'],
    ['dpo.yaml', 'stage: dpo\nfinetuning_type: lora\nlora_rank: 4', 'LLaMA-Factory'],
    ['args.json', '{"learning_rate": 1e-5, "num_train_epochs": 2, "output_dir": "x"}', 'TRL'],
    ['adapter_config.json', '{"peft_type": "LORA", "r": 4, "target_modules": ["q_proj"]}', 'PEFT'],
  ])('%s is offered on the Recipe page, and changes nothing by itself', async (name, text, from) => {
    const before = recipe();
    expect(await drop(name, text)).toBe('recipe');
    expect(useImported.getState().offered).toMatchObject({ name, config: { from } });
    expect(recipe()).toEqual(before);
    expect(session.addDataset).not.toHaveBeenCalled();
    expect(importAdapter).not.toHaveBeenCalled();
  });

  test('broken YAML is refused with its line', async () => {
    expect(await drop('axolotl.yml', 'base_model: a/b\nlora_r: [1, 2\nadapter: lora')).toBe('recipe');
    expect(useImported.getState().offered).toBeNull();
    expect(useScreen.getState().error).toMatchObject({
      ...{ code: 'bad_recipe', where: 'axolotl.yml, line 3' },
      message: expect.stringMatching(/neither YAML nor JSON/),
    });
  });

  test('JSON that is no config is data', async () => {
    expect(await drop('rows.json', '[{"text": "a", "learning_rate": 1}]')).toBe('data');
    expect(await drop('rows.json', '{"rows": [{"text": "a"}]}')).toBe('data');
    expect(session.addDataset).toHaveBeenCalledTimes(2);
  });

  test('a recipe of Tabtune is opened as before', async () => {
    expect(await drop('mine.json', '{"version": 1, "training": {"seed": 5}}')).toBe('recipe');
    expect(recipe().training?.seed).toBe(5);
  });
});
