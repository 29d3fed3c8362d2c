import { describe, expect, it } from 'vitest';
import { PLAIN_CHAT_TEMPLATE } from '../../../../src/base/plain-chat-template';
import type { ExportSource } from '../../../../src/exports/export';
import { ggufModels } from '../../../../src/exports/gguf/model';
import { ggufModelWriter } from '../../../../src/exports/gguf/write-model';
import { type GgufFile, type GgufValue, isStrings, listStrings, parseGgufHeader } from '../../../../src/formats/gguf';
import { ggufBytes, type PlainModel, plainGguf, plainModel, plainSource } from './plain-model';

const quiet = { onProgress: () => {} };

async function written(
  model: PlainModel,
  type: Parameters<typeof ggufModelWriter>[0],
  changes: Partial<ExportSource> = {},
) {
  const result = await ggufModelWriter(type)(await plainSource(model, changes), quiet);
  const blob = result.files[0]!.blob;
  return { ...result, blob, file: await headerOf(blob) };
}

async function headerOf(blob: Blob): Promise<GgufFile> {
  const file = parseGgufHeader(new Uint8Array(await blob.arrayBuffer()), blob.size, 'x.gguf');
  if (typeof file === 'number') throw new Error('cut off');
  return file;
}

const plain = (value: GgufValue | undefined) =>
  isStrings(value) ? listStrings(value) : typeof value === 'object' ? [...value] : value;
const under = ({ metadata }: GgufFile, prefix: string) =>
  Object.fromEntries(
    [...metadata].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key, plain(value)]),
  );

/** A byte-level vocabulary of as many tokens as there are rows. */
const tokenizer = (rows: number) => ({
  added_tokens: [{ id: 0, content: '<s>', special: true }],
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
  post_processor: null,
  model: {
    type: 'BPE',
    vocab: Object.fromEntries(Array.from({ length: rows - 1 }, (_, i) => [`t${i}`, i + 1])),
    merges: [],
  },
});
const json = (path: string, value: unknown) => ({ path, file: new Blob([JSON.stringify(value)]) });
const folder = (...more: { path: string; file: Blob }[]) =>
  plainModel('llama/gqa-tied', {}, null, [json('tokenizer.json', tokenizer(128)), ...more]);

/** The same tiny models as folders and as llama.cpp's files (tests/oracle/make_gguf_fixtures.py). */
const cases = ['gqa-tied', 'llama3-rope-bias', 'mistral', 'qwen2', 'phi3-longrope', 'gpt_neox'];

describe.each(cases)('a model that came as %s.gguf', (name) => {
  const before = plainGguf(ggufBytes(name));

  it('goes out with its tokenizer section, byte for byte', async () => {
    const model = await before;
    const { blob, file } = await written(model, 'f32');
    const given = await headerOf(ggufBytes(name));
    const keys = [...given.metadata.keys()].filter((key) => key.startsWith('tokenizer.'));
    expect(keys.length).toBeGreaterThan(5);
    expect([...file.metadata.keys()].filter((key) => key.startsWith('tokenizer.'))).toEqual(keys);
    for (const key of keys) {
      const bytes = async (from: Blob, { places }: GgufFile) =>
        new Uint8Array(await from.slice(places.get(key)!.start, places.get(key)!.end).arrayBuffer());
      expect(await bytes(blob, file), key).toEqual(await bytes(ggufBytes(name), given));
    }
    expect(file.metadata.get('general.license')).toBe('apache-2.0');
    expect(file.metadata.get('general.name')).toBe('Pirate chat');
    expect(file.metadata.get('general.base_model.0.repo_url')).toBe('https://huggingface.co/org/tiny-base');
  });

  it('comes with a card for the Hub, which names its base, its licence and how to run it', async () => {
    const { card, files } = await written(await before, 'q8_0');
    const text = await card!.blob.text();
    expect(card!.path).toBe('README.md');
    expect(text).toMatch(/^---\nbase_model: "?org\/tiny-base"?\nbase_model_relation: finetune\n/);
    expect(text).toContain('license: "mit"');
    expect(text).toContain(`llama-cli -m ${files[0]!.path}`);
    expect(text).toContain('is stored in Q8_0');
  });

  it('names the token that ends an answer, if the file named none', async () => {
    const model = await before;
    const { model: facts } = await plainSource(model);
    const given = await headerOf(ggufBytes(name));
    const free = [...given.metadata.keys()].every((key) => key !== 'tokenizer.ggml.eot_token_id');
    const end = 40;
    const { file, notes } = await written(model, 'f32', { model: { ...facts, endTokenIds: [end] } });
    const changes = Object.entries(under(file, 'tokenizer.')).filter(
      ([key, value]) => JSON.stringify(value) !== JSON.stringify(plain(given.metadata.get(key))),
    );
    expect(free).toBe(true);
    expect(changes).toEqual([['tokenizer.ggml.eot_token_id', end]]);
    expect(notes.join(' ')).toMatch(/does not say that \S+ ends an answer, so `tokenizer.ggml.eot_token_id` was added/);
    const eos = given.metadata.get('tokenizer.ggml.eos_token_id') as number;
    const same = await written(model, 'f32', { model: { ...facts, endTokenIds: [eos] } });
    expect(under(same.file, 'tokenizer.')).toEqual(under(given, 'tokenizer.'));
    expect(same.notes.join(' ')).not.toMatch(/ends? an answer/);
  });

  it('keeps another end of a turn, and says so', async () => {
    const model = await before;
    const { model: facts } = await plainSource(model);
    const end = 40;
    const first = await written(model, 'f32', { model: { ...facts, endTokenIds: [end] } });
    const again = await plainGguf(first.blob);
    const source = await plainSource(again);
    const { file, notes } = await written(again, 'f32', { model: { ...source.model, endTokenIds: [end + 1, end] } });
    expect(under(file, 'tokenizer.')).toEqual(under(first.file, 'tokenizer.'));
    expect(notes.join(' ')).toContain(`\`--override-kv tokenizer.ggml.eot_token_id=int:${end + 1}\``);
  });

  it('reads as the same model', async () => {
    const model = await before;
    const { blob } = await written(model, 'f32');
    const again = await plainGguf(blob);
    expect(again.checked.config).toEqual(model.checked.config);
    expect(again.tensors).toEqual(model.tensors);
    for (const { name } of model.tensors) expect(await again.values(name), name).toEqual(await model.values(name));
  });
});

describe('a GPT-NeoX whose output projection is its embedding', () => {
  it('is read as such from a file that must hold both', async () => {
    const rows = 61;
    const model = await plainModel('families/gpt_neox-serial', {}, null, [json('tokenizer.json', tokenizer(rows))]);
    expect(model.tensors[0]!.shape[0]).toBe(rows);
    const { blob, file } = await written(model, 'f32');
    expect(file.tensors.has('output.weight')).toBe(true);
    const again = await plainGguf(blob);
    expect(again.checked.config.tie_word_embeddings).toBe(true);
    expect(again.tensors.map(({ name }) => name)).not.toContain('embed_out.weight');
    // Of others it is a tensor of its own.
    expect((await plainGguf(ggufBytes('gpt_neox'))).checked.config.tie_word_embeddings).toBe(false);
  });
});

describe('a GGUF file', () => {
  it('with fewer tokens than the embedding has rows is refused', async () => {
    const model = await plainGguf(ggufBytes('gqa-tied'));
    const tensors = model.tensors.map(({ name, shape }) =>
      name === 'model.embed_tokens.weight' ? { name, shape: [shape[0]! + 2, shape[1]!] } : { name, shape },
    );
    await expect(written(model, 'f32', { tensors: async () => tensors })).rejects.toMatchObject({
      code: 'bad_model',
      message: 'The GGUF file that was opened has 128 tokens, and the model now 130 rows for them.',
    });
  });

  it('says what it is', async () => {
    const model = await folder(
      json('generation_config.json', { temperature: 0.6, top_k: 20, top_p: 'high', eos_token_id: 2 }),
    );
    const { file, files } = await written(model, 'q8_0');
    expect(files[0]!.path).toBe('pirate-chat-Q8_0.gguf');
    expect(under(file, 'general.')).toEqual({
      'general.architecture': 'llama',
      'general.type': 'model',
      'general.name': 'Pirate chat',
      'general.license': 'mit',
      'general.base_model.count': 1,
      'general.base_model.0.name': 'Tiny Base',
      'general.base_model.0.organization': 'Org',
      'general.base_model.0.repo_url': 'https://huggingface.co/org/tiny-base',
      'general.tags': ['text-generation', 'sft', 'lora', 'tabtune'],
      'general.file_type': 7,
      'general.quantization_version': 2,
      'general.sampling.temp': Math.fround(0.6),
      'general.sampling.top_k': 20,
    });
    expect(file.tensors.get('blk.0.attn_q.weight')).toMatchObject({ type: 'Q8_0', shape: [32, 32] });
    expect(file.tensors.get('output_norm.weight')!.type).toBe('F32');
  });

  it('names the token that its answers were trained to end with', async () => {
    const source = await plainSource(await folder(json('tokenizer_config.json', { eos_token: 't1' })));
    const of = async (endTokenIds: number[]) => {
      const { file, notes } = await written(
        await folder(
          json('tokenizer_config.json', { eos_token: 't1' }),
          json('generation_config.json', { eos_token_id: [2, 9] }),
        ),
        'f32',
        { recipe: null, model: { ...source.model, endTokenIds } },
      );
      const ids = ['eos', 'eot'].map((which) => file.metadata.get(`tokenizer.ggml.${which}_token_id`));
      return [...ids, notes];
    };
    expect(await of([2])).toEqual([2, 9, []]);
    expect(await of([7, 2, 9])).toEqual([2, 7, [expect.stringMatching(/ t8 is left out/)]]);
  });

  it('of a base without a licence or an address names what is known', async () => {
    const source = await plainSource(await folder());
    const changed = {
      ...source,
      model: { ...source.model, licence: null, base: { name: 'my folder', revision: null } },
    };
    const { files } = await ggufModelWriter('f16')({ ...changed, recipe: null }, quiet);
    expect(under(await headerOf(files[0]!.blob), 'general.')).toEqual({
      'general.architecture': 'llama',
      'general.type': 'model',
      'general.name': 'Pirate chat',
      'general.base_model.count': 1,
      'general.base_model.0.name': 'my folder',
      'general.tags': ['tabtune'],
      'general.file_type': 1,
      'general.quantization_version': 2,
    });
  });

  it('has the template that chats were written with where the base has none', async () => {
    const chats = { promptStyle: async () => ({ plainChat: true, separator: '\n' }) };
    const without = await written(await folder(), 'f32', chats);
    expect(without.file.metadata.get('tokenizer.chat_template')).toBe(PLAIN_CHAT_TEMPLATE);
    expect(without.notes).toEqual([expect.stringContaining('The base has no chat template.')]);
    const own = await written(await folder(json('tokenizer_config.json', { chat_template: '{{ messages }}' })), 'f32');
    expect(own.file.metadata.get('tokenizer.chat_template')).toBe('{{ messages }}');
    expect(own.notes).toEqual([]);
    // Plain prompts were trained as they are.
    const plain = await written(await folder(), 'f32');
    expect(plain.file.metadata.has('tokenizer.chat_template')).toBe(false);
    expect(plain.notes).toEqual([expect.stringContaining('trained on plain prompts')]);
    const gone = await written(await folder(), 'f32', { promptStyle: async () => null });
    expect(gone.notes).toEqual([expect.stringContaining('The data of this run are gone')]);
    expect(
      (await written(await folder(), 'f32', { ...chats, recipe: null })).file.metadata.has('tokenizer.chat_template'),
    ).toBe(false);
  });

  it('is named so that llama.cpp takes it for a Phi-3 exactly if its special tokens swallow spaces', async () => {
    const name = async (given: string, swallowsSpace: boolean) => {
      const source = await plainSource(await folder());
      const ggufTokenizer = async (rows: number) => ({ ...(await source.ggufTokenizer(rows)), swallowsSpace });
      const { files, notes } = await ggufModelWriter('f32')(
        { ...source, name: given, recipe: null, ggufTokenizer },
        quiet,
      );
      return [(await headerOf(files[0]!.blob)).metadata.get('general.name'), notes.length];
    };
    expect(await name('pirate', true)).toEqual(['pirate (Phi-3)', 1]);
    expect(await name('Phi-3 pirate', true)).toEqual(['Phi-3 pirate', 0]);
    expect(await name('like phi-3', false)).toEqual(['like Phi 3', 1]);
    expect(await name('pirate', false)).toEqual(['pirate', 0]);
  });

  it('has every name that the registry gives', () => {
    expect(ggufModels.map(({ id }) => id)).toEqual([
      ...['gguf-q8_0', 'gguf-q4_k_m', 'gguf-f16', 'gguf-bf16', 'gguf-f32', 'gguf-q4_0'],
    ]);
    const exported = { method: { type: 'lora' }, objective: 'sft', family: 'llama' } as Parameters<
      (typeof ggufModels)[number]['fileName']
    >[1];
    expect(ggufModels[1]!.fileName('pirate', exported)).toBe('pirate-Q4_K_M.gguf');
  });
});
