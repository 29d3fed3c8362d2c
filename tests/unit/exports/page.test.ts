/** What is written into a page: which files of which model, in which parts, with whose names, and what is said about them. */
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../../src/base/digest';
import type { ExportSource } from '../../../src/exports/export';
import { markdown } from '../../../src/exports/markdown';
import type { PageManifest } from '../../../src/exports/page/manifest';
import { pageExport } from '../../../src/exports/page/page';
import { cut } from '../../../src/exports/page/parts';
import type { OwnFile } from '../../../src/exports/page/site';
import { writePageWith } from '../../../src/exports/page/write';
import type { ModelFolder } from '../../../src/hub/types';
import { resolveRecipe } from '../../../src/recipe/defaults';

const encode = (text: string) => new TextEncoder().encode(text);
const job = { onProgress: () => {} };

/** A build of the page's code, small enough to read. */
const code = new Map([
  ['page/index.html', '<title>__TITLE__</title><meta content="__ABOUT__"><h1>__TITLE__</h1>'],
  ['page/app.js', 'app'],
  ['page/engine.js', 'engine'],
  ['page/style.css', 'style'],
  ['page/icon.svg', 'icon'],
  ['page/service-worker.js', 'const files = JSON.parse("__PAGE_FILES__");'],
  ['page/LICENCES.txt', 'MIT'],
]);
const listOf = async (files: ReadonlyMap<string, string>) =>
  JSON.stringify(
    await Promise.all(
      [...files].map(async ([name, text]) => ({
        name: name.slice('page/'.length),
        sha256: await sha256(encode(text)),
      })),
    ),
  );
const own: OwnFile = async (path) => encode(path === 'page/files.json' ? await listOf(code) : code.get(path)!).buffer;

function folderOf(files: Record<string, number>, more: Partial<ModelFolder> = {}): ModelFolder {
  const bytes = async (name: string, start = 0, end = files[name]!) =>
    Uint8Array.from({ length: end - start }, (_, i) => (start + i) % 251).buffer;
  return {
    ...{ source: 'hf:org/base', files: Object.keys(files), has: (name) => name in files },
    ...{ size: (name) => files[name], text: async () => '{}', bytes },
    ...more,
  };
}

const folder = folderOf({
  ...{ 'model.safetensors': 1000, 'config.json': 10, 'generation_config.json': 10, 'tokenizer.json': 50 },
  ...{ 'tokenizer_config.json': 10, 'chat_template.jinja': 10, 'README.md': 10, LICENSE: 20, 'model.onnx': 500 },
  ...{ 'model-00001-of-00002.safetensors': 400, 'training.json': 5 },
});

const unused = () => Promise.reject(new Error('not needed'));

function sourceOf(changes: Partial<ExportSource> = {}, model: Partial<ExportSource['model']> = {}): ExportSource {
  const recipe = resolveRecipe({ version: 1, method: { type: 'lora' } });
  return {
    exported: { method: recipe.method, objective: recipe.objective.type, family: 'llama' },
    ...{ name: 'sea tales', fileName: 'sea-tales', hasAdapter: true, recipe, card: null },
    model: {
      info: {} as ExportSource['model']['info'],
      ...{ folder, config: {}, base: { name: 'org/base', revision: null }, licence: 'apache-2.0' },
      ...{ padTokenId: null, endTokenIds: [], quantization: 'nf4', ...model },
    },
    promptStyle: async () => ({ plainChat: true, separator: '\n' }),
    ...{ tensors: unused, ggufTokenizer: unused, writeModel: unused, proveModel: unused },
    adapter: async () => ({
      files: [
        { path: 'adapter_config.json', bytes: encode('{}') },
        { path: 'adapter_model.safetensors', bytes: encode('weights') },
      ],
      notes: ['The output projection is apart.'],
    }),
    proveAdapter: async (files) => ({
      ...{ texts: files.length, tokens: 300, maxLogitDifference: 0, largestLogit: 9 },
      ...{ sameChoices: 300, perplexity: null, carried: 1, rounding: null, unproven: null },
    }),
    ...changes,
  };
}

async function written(source: ExportSource, page: Parameters<typeof writePageWith>[1]['page'] = {}) {
  const { files, notes, proof } = await writePageWith(source, { ...job, page }, own);
  const texts = new Map(await Promise.all(files.map(async ({ path, blob }) => [path, await blob.text()] as const)));
  const manifest = JSON.parse(texts.get('page.json')!) as PageManifest;
  return { paths: files.map(({ path }) => path).sort(), texts, manifest, notes, proof };
}

test('an adapter goes along with its base as that is stored, and with nothing that a page does not need', async () => {
  const { paths, manifest, notes, proof } = await written(sourceOf());
  expect(paths.filter((path) => /^(model|adapter)\//.test(path))).toEqual([
    'adapter/adapter_config.json',
    'adapter/adapter_model.safetensors',
    'model/LICENSE',
    'model/chat_template.jinja',
    'model/config.json',
    'model/generation_config.json',
    'model/model.safetensors',
    'model/tokenizer.json',
    'model/tokenizer_config.json',
  ]);
  expect(paths).toEqual(expect.arrayContaining(['.nojekyll', 'LICENCES.txt', 'README.md', 'engine.js', 'page.json']));
  expect(paths).not.toContain('files.json');
  expect(manifest).toMatchObject({
    ...{ version: 1, title: 'sea tales', about: '', prompts: [], form: 'chat', system: '', quantization: 'nf4' },
    style: { plainChat: true, separator: '\n' },
    model: { name: 'sea tales', base: 'org/base', licence: 'apache-2.0', trained: 'A LoRA adapter' },
  });
  expect(notes[0]).toBe('The output projection is apart.');
  expect(notes.join(' ')).toContain('its licence (apache-2.0) has to allow');
  // The adapter was read back, and compared with the one in memory.
  expect(proof?.texts).toBe(2);
});

test('shards go along where there is no single file, and of a GGUF file nothing but the file', async () => {
  const shards = { 'model-00001-of-00002.safetensors': 4, 'model-00002-of-00002.safetensors': 4 };
  const sharded = folderOf({ ...shards, 'model.safetensors.index.json': 9, 'config.json': 2, 'tokenizer.json': 2 });
  const { paths } = await written(sourceOf({}, { folder: sharded }));
  expect(paths).toEqual(expect.arrayContaining(Object.keys(shards).map((name) => `model/${name}`)));
  expect(paths).toContain('model/model.safetensors.index.json');
  const gguf = folderOf({ 'config.json': 2, 'tokenizer.json': 2, 'tiny-Q4_0.gguf': 30 }, { tensors: new Map() });
  const { paths: ofGguf } = await written(sourceOf({}, { folder: gguf }));
  expect(ofGguf.filter((path) => path.startsWith('model/'))).toEqual(['model/tiny-Q4_0.gguf']);
});

test('a model that was trained itself goes along whole, in full precision, and without a card of its own', async () => {
  const layouts: unknown[] = [];
  const recipe = resolveRecipe({ version: 1, method: { type: 'full' } });
  const config = { model_type: 'llama', vocab_size: 8, hidden_size: 4, intermediate_size: 4, num_hidden_layers: 1 };
  const { paths, manifest } = await written(
    sourceOf(
      {
        ...{ recipe, exported: { method: recipe.method, objective: recipe.objective.type, family: 'llama' } },
        adapter: unused,
        writeModel: async (layout) => {
          layouts.push(layout);
          return { blob: new Blob(['weights']), task: null, outputApart: false };
        },
        proveModel: async (files) => ({
          ...{ texts: files.length, tokens: 300, maxLogitDifference: 0, largestLogit: 9 },
          ...{ sameChoices: 300, perplexity: null, carried: 1, rounding: null, unproven: null },
        }),
      },
      {
        config: { ...config, num_attention_heads: 2, max_position_embeddings: 16, tie_word_embeddings: false },
        info: { title: 'Base', architecture: 'llama', licence: 'mit', dtype: 'F32' } as ExportSource['model']['info'],
      },
    ),
  );
  expect(layouts).toEqual([{ format: 'safetensors', dtype: 'F32' }]);
  expect(paths.filter((path) => /^(model|adapter)\//.test(path))).toEqual([
    'model/chat_template.jinja',
    'model/config.json',
    'model/generation_config.json',
    'model/model.safetensors',
    'model/tokenizer.json',
    'model/tokenizer_config.json',
  ]);
  expect(manifest.files.map(({ path }) => path)).not.toContain('model/README.md');
});

test('titles are text, whatever is in them, and the service worker knows every file that it keeps', async () => {
  const title = `<img src=x onerror=alert(1)> & "it's" $& __ABOUT__`;
  const { texts, manifest } = await written(sourceOf(), {
    ...{ title, about: 'A line\nand another', prompts: [' Tell me ', '', 'Tell me'], system: 'Be kind.' },
    generation: { temperature: 0.7 },
  });
  expect(manifest).toMatchObject({ title, prompts: ['Tell me'], system: 'Be kind.', generation: { temperature: 0.7 } });
  const html = texts.get('index.html')!;
  expect(html).not.toContain('<img');
  expect(html).toContain('<h1>&#60;img src=x onerror=alert(1)&#62; &#38; &#34;it&#39;s&#34; $&#38; __ABOUT__</h1>');
  expect(html).toContain('content="A line and another"');
  const [, literal] = /JSON\.parse\("(.*)"\)/.exec(texts.get('service-worker.js')!)!;
  const list = JSON.parse(JSON.parse(`"${literal}"`)) as Record<string, string>;
  expect(Object.keys(list).sort()).toEqual(
    ['app.js', 'engine.js', 'icon.svg', 'index.html', 'page.json', 'style.css'].sort(),
  );
  for (const [name, hash] of Object.entries(list)) expect(hash).toBe(await sha256(encode(texts.get(name)!)));
});

test('a system prompt that comes from the data is named as such', async () => {
  const long = `You are\na pirate. ${'Arr! '.repeat(100)}`;
  const chats = (system: string | null) => ({ chats: { write: unused, system: async () => system } });
  const said = 'The system prompt of the training data is in it, in page.json, where every visitor can read it: ';
  const { manifest, notes, texts } = await written(sourceOf(chats(long)));
  expect(manifest.system).toBe(long);
  const note = notes.find((one) => one.startsWith(said))!;
  expect(note.slice(said.length)).toMatch(/^“You are a pirate\. Arr! .*…”$/);
  expect(note.length).toBeLessThan(said.length + 210);
  expect(texts.get('README.md')).toContain(markdown(note));
  // What a person wrote for the page is theirs to know, and nothing is said of what is not there.
  for (const [source, page] of [
    [sourceOf(chats(long)), { system: 'Be kind.' }],
    [sourceOf(chats(null)), {}],
  ] as const) {
    expect((await written(source, page)).notes.join(' ')).not.toContain('The system prompt of the training data');
  }
});

test('another version of the code than the app’s own is refused', async () => {
  const stale: OwnFile = async (path) => (path === 'page/app.js' ? encode('older').buffer : own(path));
  await expect(writePageWith(sourceOf(), job, stale)).rejects.toMatchObject({ code: 'network', where: 'page/app.js' });
});

test('what is not known is said: the base’s licence, how prompts were written; and what a host may refuse', async () => {
  const large = folderOf({ 'model.safetensors': 5, 'config.json': 2, 'tokenizer.json': 2 });
  const { notes, texts, manifest } = await written(
    sourceOf({ promptStyle: async () => null }, { licence: null, folder: large }),
  );
  expect(manifest.style).toEqual({ plainChat: false, separator: '\n' });
  expect(notes.join(' ')).toContain('The data of this run are no longer stored here');
  expect(notes.join(' ')).toContain('The licence of org/base is not known');
  for (const note of notes) expect(texts.get('README.md')).toContain(markdown(note));
});

describe('parts', () => {
  const file = (path: string, size: number) => {
    const bytes = Uint8Array.from({ length: size }, (_, i) => i % 253);
    const reads: [number, number][] = [];
    const read = async (start: number, end: number) => {
      reads.push([start, end]);
      return bytes.slice(start, end).buffer;
    };
    return { path, size, read, bytes, reads };
  };

  test('join to the file, hold no more at a time than a part, and have its hash', async () => {
    const large = file('model/model.safetensors', 250);
    const done: number[] = [];
    const { listed, files } = await cut(
      [large, file('model/config.json', 0)],
      { onProgress: (p) => done.push(p.done) },
      100,
    );
    expect(files.map(({ path, blob }) => [path, blob.size])).toEqual([
      ['model/model.safetensors.01.bin', 100],
      ['model/model.safetensors.02.bin', 100],
      ['model/model.safetensors.03.bin', 50],
      ['model/config.json', 0],
    ]);
    expect(large.reads).toEqual([
      [0, 100],
      [100, 200],
      [200, 250],
    ]);
    const joined = new Blob(files.map(({ blob }) => blob));
    expect(new Uint8Array(await joined.arrayBuffer())).toEqual(large.bytes);
    for (const [i, { sha256: hash, size }] of listed[0]!.parts.entries()) {
      expect(hash).toBe(await sha256(large.bytes.slice(i * 100, i * 100 + size)));
    }
    expect(done).toEqual([100, 200, 250, 250]);
  });

  test('a cancelled export reads no further', async () => {
    const large = file('model/model.safetensors', 250);
    const controller = new AbortController();
    const cutting = cut([large], { onProgress: () => controller.abort(), signal: controller.signal }, 100);
    await expect(cutting).rejects.toMatchObject({ name: 'AbortError' });
    expect(large.reads).toHaveLength(1);
  });
});

test('a model that fills gaps has no page', () => {
  const recipe = resolveRecipe({ version: 1, objective: { type: 'masked_lm' } });
  const refusal = pageExport.refusal({ method: recipe.method, objective: 'masked_lm', family: 'bert' });
  expect(refusal).toContain('Train a classifier with it, or export the adapter');
  for (const objective of [
    'sft',
    'pretraining',
    'dpo',
    'grpo',
    'reward',
    'sequence_classification',
    'token_classification',
  ] as const) {
    expect(pageExport.refusal({ method: recipe.method, objective, family: 'llama' })).toBeNull();
  }
});
