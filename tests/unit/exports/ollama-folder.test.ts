/** The folder for Ollama, made of real files: an adapter beside a base that is a GGUF file, or the whole model. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ExportedFile, ExportSource, ExportWriter } from '../../../src/exports/export';
import { ggufAdapter } from '../../../src/exports/gguf/adapter';
import { ollamaWith } from '../../../src/exports/ollama';
import { tokenizerJson } from '../../../src/formats/gguf-tokenizer';
import { droppedModelFolder } from '../../../src/hub/folder';
import { withGguf } from '../../../src/hub/gguf/with-gguf';
import { resolveRecipe } from '../../../src/recipe/defaults';
import { createDataApi } from '../../../src/workers/data/service';

const bytes = (path: string) => new Uint8Array(readFileSync(`tests/fixtures/${path}`));

/** A model opened from a GGUF file, with PEFT's adapter of the same model. */
async function sourceOf(
  family: string,
  changes: { source?: string; generation?: object; method?: object; chatTemplate?: string } = {},
) {
  const files = [{ path: `${family}.gguf`, file: new Blob([bytes(`gguf/${family}.gguf`)]) }];
  const opened = await withGguf(droppedModelFolder(changes.source ?? `file:${family}.gguf`, files));
  const generation = JSON.stringify(changes.generation ?? {});
  const folder = {
    ...opened,
    text: async (name: string) => (name === 'generation_config.json' ? generation : opened.text(name)),
  };
  const api = createDataApi();
  const config = await opened.text('tokenizer_config.json');
  api.openTokenizer({
    ...{ tokenizerJson: tokenizerJson(opened.vocabulary!), tokenizerConfig: config },
    ...{
      chatTemplate: changes.chatTemplate ?? null,
      specialTokensMap: null,
      generationConfig: await opened.text('generation_config.json'),
    },
  });
  const recipe = resolveRecipe({
    version: 1,
    method: { type: 'lora', ...changes.method },
    dataset: { max_length: 64 },
  });
  const peft = ['adapter_config.json', 'adapter_model.safetensors'];
  const source = {
    exported: { method: recipe.method, objective: 'sft', family },
    ...{ name: 'My "pirate"', fileName: 'My-pirate', hasAdapter: true, recipe, card: null },
    model: {
      info: { contextLength: 256 },
      folder,
      config: JSON.parse(await opened.text('config.json')),
      base: { name: 'ORG/NAME', revision: null },
      licence: 'apache-2.0',
      padTokenId: null,
    },
    chats: { write: async (chats: never) => api.writeChats(chats), system: async () => 'You are a pirate.' },
    adapter: async () => ({
      files: peft.map((name) => ({ path: name, bytes: bytes(`families/${family}/adapter/${name}`) })),
      notes: [],
    }),
    proveAdapter: async () => null,
  };
  return source as unknown as ExportSource;
}

const whole: ExportWriter = async (source) => ({
  files: [{ path: `${source.fileName}-Q8_0.gguf`, blob: new Blob([bytes(`gguf/mistral.gguf`)]) }],
  notes: ['Rounded.'],
  proof: null,
});
const ollama = ollamaWith({ ...ggufAdapter, writer: async () => whole } as never);
const text = (files: ExportedFile[], path: string) => files.find((file) => file.path === path)!.blob.text();
const write = async (source: ExportSource) => (await ollama.writer())(source, { onProgress: () => {} });

describe('beside a base that is a GGUF file', () => {
  it('names the file, and brings the adapter', async () => {
    const source = await sourceOf('mistral');
    const { files, notes } = await write(source);
    expect(files.map(({ path }) => path)).toEqual(['Modelfile', 'My-pirate.gguf', 'recipe.json', 'README.md']);
    const modelfile = await text(files, 'Modelfile');
    expect(modelfile).toMatch(
      /^# My "pirate", trained with Tabtune\..*\nFROM \.\/mistral\.gguf\nADAPTER \.\/My-pirate\.gguf\n/,
    );
    expect(modelfile).toContain('\nSYSTEM """You are a pirate."""\n');
    expect(modelfile).toContain('\nPARAMETER num_ctx 256\n');
    expect(modelfile).toContain('\nLICENSE """apache-2.0"""\n');
    expect(modelfile.match(/^PARAMETER stop /gm)?.length).toBeGreaterThan(0);
    expect(notes.join(' ')).toContain('Put mistral.gguf, the base that you opened, beside the Modelfile.');
    expect(notes.join(' ')).toContain('Ollama was not run on this folder');
    const readme = await text(files, 'README.md');
    const said = 'The system prompt of the training data is in it, as SYSTEM in the Modelfile: “You are a pirate.”';
    expect(notes).toContain(said);
    expect(readme).toContain('as SYSTEM in the Modelfile: “You are a pirate.”');
    expect(readme).toContain('ollama create My-pirate -f Modelfile');
    expect(readme).toContain('license: "apache-2.0"');
    expect(readme).toContain('is under the licence `apache-2.0`');
  });

  it('has Ollama fetch one that came from the Hub', async () => {
    const source = await sourceOf('mistral', {
      source: 'hf:ORG/NAME-GGUF@0123456789abcdef0123456789abcdef01234567',
    });
    const { files, notes } = await write(source);
    expect(await text(files, 'Modelfile')).toContain('\nFROM hf.co/ORG/NAME-GGUF:mistral.gguf\n');
    expect(notes.join(' ')).toContain('from ORG/NAME-GGUF on the Hub');
  });

  it('brings the whole model where llama.cpp has no such adapter', async () => {
    const source = await sourceOf('mistral', { method: { use_dora: true } });
    const { files, notes } = await write(source);
    expect(await text(files, 'Modelfile')).toMatch(/\nFROM \.\/My-pirate-Q8_0\.gguf\n(?!ADAPTER)/);
    expect(notes).toContain('Rounded.');
    expect(notes.join(' ')).not.toContain('Put mistral.gguf');
  });
});

it('says nothing of a system prompt that is not there, or cannot be written', async () => {
  for (const system of [null, ' \n', 'zero\u200bwidth']) {
    const source = await sourceOf('mistral');
    const { notes } = await write({ ...source, chats: { ...source.chats!, system: async () => system } });
    expect(notes.join(' ')).not.toContain('The system prompt of the training data');
  }
});

it('says where the model’s chat template has tools and Ollama’s has none', async () => {
  const chatTemplate = readFileSync('tests/fixtures/templates/qwen2.5.jinja', 'utf8');
  const said = /Ollama will not offer tools to this model/;
  const { files, notes } = await write(await sourceOf('mistral', { chatTemplate }));
  expect(await text(files, 'Modelfile')).toMatch(/\nTEMPLATE (?![\s\S]*\.Tools)/);
  expect(notes.join(' ')).toMatch(said);
  expect(await text(files, 'README.md')).toMatch(said);
  const without = await write(
    await sourceOf('mistral', { chatTemplate: readFileSync('tests/fixtures/templates/phi3.5.jinja', 'utf8') }),
  );
  expect(await text(without.files, 'Modelfile')).toContain('\nTEMPLATE ');
  expect(without.notes.join(' ')).not.toMatch(/tools/);
});

it('takes what generation_config.json says of sampling', async () => {
  const of = async (generation: object) => {
    const source = await sourceOf('mistral', { generation });
    return (await text((await write(source)).files, 'Modelfile'))
      .split('\n')
      .filter((line) => /^PARAMETER (?!stop|num)/.test(line));
  };
  expect(await of({ temperature: 0.7, top_k: 40, top_p: 0.9, repetition_penalty: 1.05, min_p: 'no' })).toEqual([
    'PARAMETER temperature 0.7',
    'PARAMETER top_k 40',
    'PARAMETER top_p 0.9',
    'PARAMETER repeat_penalty 1.05',
  ]);
  expect(await of({ do_sample: false, temperature: 0.7 })).toEqual(['PARAMETER temperature 0']);
  expect(await of({})).toEqual([]);
});
