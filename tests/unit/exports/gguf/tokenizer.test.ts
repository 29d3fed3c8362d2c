import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TextTokenizer } from '../../../../src/data/tokenizer';
import type { GgufPairs } from '../../../../src/exports/gguf/entries';
import { type GgufTokenizer, ggufTokenizer, type TokenizerTexts } from '../../../../src/exports/gguf/tokenizer/section';
import { parseGgufHeader } from '../../../../src/formats/gguf';
import { tokenizerJson } from '../../../../src/formats/gguf-tokenizer';
import { vocabularyOf } from '../../../../src/formats/gguf-vocabulary';
import { layoutGguf } from '../../../../src/formats/gguf-write';
import { sentencePieces } from '../../../../src/formats/sentencepiece';

type Json = Record<string, unknown>;

/** What llama.cpp's converter makes of the same tokenizers (tests/oracle/make_gguf_tokenizer_fixtures.py). */
const converted = JSON.parse(readFileSync('tests/fixtures/gguf/tokenizers.json', 'utf8')) as Record<string, Json>;
/** Rows without a token, as there. */
const SPARE = 7;

const folderOf = (name: string) =>
  name === 'sentencepiece' ? 'tests/fixtures/gguf/sentencepiece' : `tests/fixtures/tokenizers/${name}`;

function textsOf(name: string, change: (json: Json, config: Json) => void = () => {}): TokenizerTexts {
  const read = (file: string) => JSON.parse(readFileSync(`${folderOf(name)}/${file}`, 'utf8')) as Json;
  const [json, config] = [read('tokenizer.json'), read('tokenizer_config.json')];
  change(json, config);
  const ids = [
    ...Object.values((json.model as { vocab: Record<string, number> }).vocab),
    ...(json.added_tokens as { id: number }[]).map(({ id }) => id),
  ];
  const model = `${folderOf(name)}/tokenizer.model`;
  return {
    tokenizerJson: JSON.stringify(json),
    tokenizerConfig: JSON.stringify(config),
    specialTokensMap: null,
    chatTemplate: null,
    generationConfig: null,
    config: {},
    sentencePiece: existsSync(model) ? new Uint8Array(readFileSync(model)) : null,
    rows: Math.max(...ids) + 1 + SPARE,
    endTokenIds: [],
  };
}

const values = ({ pairs }: { pairs: GgufPairs }): Json =>
  Object.fromEntries(
    pairs.map(([key, entry]) => {
      if (entry.type === 'raw') throw new Error('packed');
      if (typeof entry.value !== 'object') return [key, entry.value];
      const text = JSON.stringify([...entry.value]);
      return [key, { length: entry.value.length, sha256: createHash('sha256').update(text).digest('hex') }];
    }),
  );
const at = (made: GgufTokenizer, key: string) => new Map(made.pairs).get(`tokenizer.ggml.${key}`);
const valueAt = <T>(made: GgufTokenizer, key: string) => (at(made, key) as { value?: unknown } | undefined)?.value as T;

/** llama.cpp's names; the converter knows whole vocabularies only. */
const names: Record<string, string> = {
  gpt2: 'gpt-2',
  gpt_neox: 'olmo',
  llama3: 'llama-bpe',
  smollm2: 'smollm',
  smollm3: 'llama-bpe',
  'mistral-tekken': 'tekken',
  qwen2: 'qwen2',
  qwen3: 'qwen2',
  sentencepiece: 'default',
};

describe.each(Object.entries(converted))('the section of %s', (name, theirs) => {
  const made = ggufTokenizer(textsOf(name));
  const ours = values(made);

  it('is the one that llama.cpp’s converter writes', () => {
    const wanted: Json = { ...theirs, 'tokenizer.ggml.pre': names[name] };
    // For pairs of texts, which no decoder here has.
    delete wanted['tokenizer.ggml.add_sep_token'];
    // Of byte-level vocabularies nothing reads it.
    if (name !== 'sentencepiece') delete wanted['tokenizer.ggml.add_space_prefix'];
    const always = { 'tokenizer.ggml.add_bos_token': false, 'tokenizer.ggml.add_eos_token': false };
    expect(ours).toEqual({ ...always, ...wanted });
  });

  it('is read here as the tokenizer that it was made of', () => {
    const { header } = layoutGguf(
      new Map([['general.architecture', { type: 'string', value: 'llama' }], ...made.pairs]),
      [],
    );
    const file = parseGgufHeader(header, header.length, 'x.gguf');
    if (typeof file === 'number') throw new Error('cut off');
    const again = tokenizerJson(vocabularyOf(file.metadata)!);
    const open = (text: string, config: string | null) =>
      new TextTokenizer({
        tokenizerJson: text,
        tokenizerConfig: config,
        specialTokensMap: null,
        generationConfig: null,
      });
    const texts = textsOf(name);
    const [first, second] = [open(texts.tokenizerJson, texts.tokenizerConfig), open(again, null)];
    const strings = JSON.parse(readFileSync('tests/fixtures/tokenizers/strings.json', 'utf8')) as { text: string }[];
    const differing = strings.filter(
      ({ text }) => first.encode(text, true).ids.join() !== second.encode(text, true).ids.join(),
    );
    expect(differing.map(({ text }) => text)).toEqual([]);
  });
});

describe('a SentencePiece vocabulary', () => {
  const scores = (texts: TokenizerTexts) => valueAt<Float32Array>(ggufTokenizer(texts), 'scores');
  const stored = scores(textsOf('sentencepiece'));
  const pieces = sentencePieces(textsOf('sentencepiece').sentencePiece!)!;

  it('has the scores of its tokenizer.model', () => {
    const plain = pieces.filter(({ type }) => type === 1);
    expect(plain.length).toBeGreaterThan(100);
    for (const [id, { score, type }] of pieces.entries()) if (type === 1) expect(stored[id]).toBe(score);
  });

  it('has scores that say the same without one', () => {
    const derived = scores({ ...textsOf('sentencepiece'), sentencePiece: null });
    // Letters are made by no merge, so their scores mean nothing.
    const made = [...stored.keys()].filter((id) => pieces[id]?.type === 1 && [...pieces[id]!.text].length > 1);
    const order = (of: Float32Array) => made.toSorted((a, b) => of[b]! - of[a]!);
    expect(order(derived)).toEqual(order(stored));
  });

  it('of other tokens is not mixed up with this one', () => {
    const other = pieces.map(({ text }, id) => (id === 300 ? `${text}x` : text));
    const changed = textsOf('sentencepiece', (json) => {
      const model = json.model as { vocab: Record<string, number> };
      model.vocab = Object.fromEntries(other.map((text, id) => [text, id]));
    });
    // Its merges make a token that is none any more.
    expect(() => ggufTokenizer(changed)).toThrow('the merges of this tokenizer say something else');
  });

  it.each<[string, (json: Json) => void, string]>([
    ['two ways to make a token far apart', apart, 'merges'],
    ['merges left out', (json) => (json.model as { merges: unknown[] }).merges.splice(20, 3), 'merges'],
    ['another normaliser', (json) => void Object.assign(json, { normalizer: { type: 'NFKC' } }), 'changes texts'],
    ['words apart', (json) => void Object.assign(json, metaspace({ split: true })), 'changes texts'],
  ])('with %s is refused', (_, change, message) => {
    const texts = { ...textsOf('sentencepiece', change), sentencePiece: null };
    expect(() => ggufTokenizer(texts)).toThrow(expect.objectContaining({ code: 'bad_model' }));
    expect(() => ggufTokenizer(texts)).toThrow(message);
  });

  it.each([
    [{ prepend_scheme: 'first' }, true, 1],
    [{ prepend_scheme: 'always' }, true, 1],
    [{ prepend_scheme: 'never' }, false, 0],
  ])('with Metaspace %j has the space that llama.cpp can put', (more, prefix, notes) => {
    const made = ggufTokenizer(textsOf('sentencepiece', (json) => void Object.assign(json, metaspace(more))));
    expect(at(made, 'add_space_prefix')).toEqual({ type: 'bool', value: prefix });
    expect(made.notes).toHaveLength(notes);
  });

  function apart(json: Json) {
    const { merges } = json.model as { merges: [string, string][] };
    const i = merges.findIndex((pair, i) => i > 0 && pair.join('') === merges[i - 1]!.join(''));
    merges.push(...merges.splice(i, 1));
  }
  function metaspace(more: object) {
    return { normalizer: null, pre_tokenizer: { type: 'Metaspace', replacement: '▁', split: false, ...more } };
  }
});

describe('a byte-level vocabulary', () => {
  it.each<[string, string, (json: Json) => void, string]>([
    [
      'rules that llama.cpp does not have',
      'gpt2',
      split({ type: 'Punctuation', behavior: 'Isolated' }),
      'no name for the way',
    ],
    ['another expression', 'llama3', split(regex('\\p{N}{1,2}')), 'no name for the way'],
    [
      'text put in lower case',
      'gpt2',
      (json) => void Object.assign(json, { normalizer: { type: 'Lowercase' } }),
      'no name for the way',
    ],
    ['whole words that come before merges', 'qwen2', (json) => ignoring(json, true), 'no name for the way'],
    [
      'a space put before texts',
      'gpt2',
      (json) => void Object.assign(json.pre_tokenizer as Json, { add_prefix_space: true }),
      'no name for',
    ],
    [
      'marked parts of words',
      'gpt2',
      (json) => void Object.assign(json.model as Json, { end_of_word_suffix: '</w>' }),
      'marks the parts',
    ],
    [
      'another kind of model',
      'gpt2',
      (json) => void Object.assign(json.model as Json, { type: 'Unigram' }),
      'of this type',
    ],
  ])('with %s is refused', (_, name, change, message) => {
    const refused = () => ggufTokenizer(textsOf(name, change));
    expect(refused).toThrow(expect.objectContaining({ code: 'bad_model' }));
    expect(refused).toThrow(message);
  });

  function split(step: object) {
    return (json: Json) => {
      const before = json.pre_tokenizer as Json;
      json.pre_tokenizer = {
        type: 'Sequence',
        pretokenizers: [step, before.type === 'Sequence' ? last(before) : before],
      };
    };
  }
  function last({ pretokenizers }: Json) {
    return (pretokenizers as unknown[]).at(-1);
  }
  function regex(expression: string) {
    return { type: 'Split', pattern: { Regex: expression }, behavior: 'Isolated', invert: false };
  }
  function ignoring(json: Json, ignore_merges: boolean) {
    Object.assign(json.model as Json, { ignore_merges });
  }

  it('is named by what it does, whatever the vocabulary', () => {
    const name = (of: string, change?: (json: Json) => void) =>
      valueAt<string>(ggufTokenizer(textsOf(of, change)), 'pre');
    expect(name('llama3', (json) => ignoring(json, false))).toBe('smaug-bpe');
    expect(name('qwen2', (json) => void Object.assign(json, { normalizer: null }))).toBe('deepseek-r1-qwen');
    expect(
      name(
        'gpt2',
        (json) => void Object.assign(json, { normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }] } }),
      ),
    ).toBe('olmo');
    // As converters from tiktoken write it.
    const removed = (json: Json) => {
      const [first] = (json.pre_tokenizer as { pretokenizers: Json[] }).pretokenizers;
      Object.assign(first!, { behavior: 'Removed', invert: true });
    };
    expect(name('llama3', removed)).toBe('llama-bpe');
  });

  it('says where llama.cpp tokenises otherwise', () => {
    expect(ggufTokenizer(textsOf('qwen2')).notes).toEqual([expect.stringContaining('does not compose letters')]);
    expect(ggufTokenizer(textsOf('mistral-tekken')).notes).toEqual([expect.stringContaining('marks on their letters')]);
    expect(ggufTokenizer(textsOf('llama3')).notes).toEqual([]);
  });
});

describe('added tokens', () => {
  const added =
    (content: string, more: object = {}) =>
    (json: Json) =>
      void (json.added_tokens as unknown[]).push({
        id: 1500,
        content,
        special: false,
        lstrip: false,
        rstrip: false,
        ...more,
      });
  const typeOf = (made: GgufTokenizer, id: number) => valueAt<Int32Array>(made, 'token_type')[id];
  const tokenOf = (made: GgufTokenizer, id: number) => valueAt<string[]>(made, 'tokens')[id];

  it('are searched for in texts, and control tokens if they look like it; rows between have no token', () => {
    const plain = ggufTokenizer(textsOf('gpt2', added('new word')));
    expect([tokenOf(plain, 1500), typeOf(plain, 1500)]).toEqual(['new word', 4]);
    expect([tokenOf(plain, 1499), typeOf(plain, 1499)]).toEqual(['[PAD1499]', 5]);
    expect(typeOf(ggufTokenizer(textsOf('gpt2', added('<|new|>'))), 1500)).toBe(3);
    expect(typeOf(ggufTokenizer(textsOf('gpt2', added('new', { special: true }))), 1500)).toBe(3);
  });

  it('that the model has no rows for are left out, and said', () => {
    const made = ggufTokenizer({ ...textsOf('gpt2', added('new')), rows: 1480 });
    expect(valueAt<string[]>(made, 'tokens')).toHaveLength(1480);
    expect(made.notes).toEqual([
      'The tokenizer has 1 token that the model has no embedding for; the file leaves it out.',
    ]);
  });

  it('written like another token are refused: llama.cpp would end the program', () => {
    expect(() => ggufTokenizer(textsOf('gpt2', added('the')))).toThrow('written alike, “the”');
  });

  it('that take white space away are Phi-3’s, or a note', () => {
    const phi = ggufTokenizer(
      textsOf('sentencepiece', (json) => {
        for (const token of json.added_tokens as Json[]) token.rstrip = !/^<(unk|s)>$/.test(token.content as string);
      }),
    );
    expect([phi.swallowsSpace, phi.notes]).toEqual([true, []]);
    const other = ggufTokenizer(textsOf('gpt2', added('<mask>', { lstrip: true })));
    expect([other.swallowsSpace, other.notes]).toEqual([false, [expect.stringContaining('beside the token <mask>')]]);
  });
});

describe('special tokens', () => {
  const template =
    (...single: (string | null)[]) =>
    (json: Json) =>
      void Object.assign(json, {
        post_processor: {
          type: 'TemplateProcessing',
          single: single.map((id) => (id === null ? { Sequence: { id: 'A' } } : { SpecialToken: { id } })),
          special_tokens: { '<a>': { ids: [3] }, '<b>': { ids: [4] }, '<c>': { ids: [5, 6] } },
        },
      });
  const flags = (change: (json: Json) => void) => {
    const made = ggufTokenizer(textsOf('gpt2', change));
    return ['add_bos_token', 'bos_token_id', 'add_eos_token', 'eos_token_id'].map((key) => valueAt<unknown>(made, key));
  };

  it('are put around a text as the tokenizer puts them, whatever its config calls them', () => {
    expect(flags(template('<a>', null))).toEqual([true, 3, false, 1468]);
    expect(flags(template(null, '<b>'))).toEqual([false, 1468, true, 4]);
    expect(flags(template('<a>', null, '<b>'))).toEqual([true, 3, true, 4]);
    expect(flags((json) => void Object.assign(json, { post_processor: null }))).toEqual([false, 1468, false, 1468]);
  });

  it.each([
    ['two before', template('<a>', '<b>', null)],
    ['two behind', template(null, '<a>', '<b>')],
    ['one of two ids', template('<c>', null)],
    ['another processor', (json: Json) => void Object.assign(json, { post_processor: { type: 'RobertaProcessing' } })],
  ])('that llama.cpp cannot put are refused: %s', (_, change) => {
    expect(() => flags(change)).toThrow('at most one token before and one behind');
  });

  it('that end a turn or a message are named besides the end of text', () => {
    const generationConfig = JSON.stringify({ eos_token_id: [2098, 2097, 2090] });
    const texts = textsOf('llama3');
    const tokens = valueAt<string[]>(ggufTokenizer(texts), 'tokens');
    expect([2098, 2097, 2090].map((id) => tokens[id])).toEqual(['<|eot_id|>', '<|eom_id|>', '<|end_of_text|>']);
    const made = ggufTokenizer({ ...texts, generationConfig });
    const ids = ['eos', 'eom', 'eot'].map((name) => valueAt<number>(made, `${name}_token_id`));
    expect(ids).toEqual([2098, 2097, 2090]);
  });

  it('that only config.json names are found there', () => {
    expect(at(ggufTokenizer({ ...textsOf('qwen2'), config: { bos_token_id: 2111 } }), 'bos_token_id')).toEqual({
      type: 'uint32',
      value: 2111,
    });
  });
});

describe('chat templates', () => {
  const keys = (made: GgufTokenizer) =>
    Object.fromEntries(Object.entries(values(made)).filter(([key]) => key.startsWith('tokenizer.chat')));
  const withTemplate = (chat_template: unknown, more: Partial<TokenizerTexts> = {}) =>
    ggufTokenizer({
      ...textsOf('gpt2', (_, config) => void Object.assign(config, { chat_template: chat_template })),
      ...more,
    });

  it('are there, those for tools too', () => {
    expect(keys(withTemplate('{{ a }}'))).toEqual({ 'tokenizer.chat_template': '{{ a }}' });
    const made = withTemplate([
      { name: 'default', template: '{{ a }}' },
      { name: 'tool-use', template: '{{ tools }}' },
    ]);
    expect(keys(made)).toEqual({
      'tokenizer.chat_template': '{{ a }}',
      'tokenizer.chat_template.tool_use': '{{ tools }}',
      'tokenizer.chat_templates': { length: 1, sha256: expect.any(String) },
    });
    expect(made.hasTemplate).toBe(true);
  });

  it('in a file of their own come first', () => {
    expect(keys(withTemplate('{{ a }}', { chatTemplate: '{{ b }}' }))).toEqual({
      'tokenizer.chat_template': '{{ b }}',
    });
    expect(withTemplate(undefined).hasTemplate).toBe(false);
  });
});
