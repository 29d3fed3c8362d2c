import { describe, expect, test } from 'vitest';
import { sample } from '../../../src/base/random';
import { LIMIT_PER_CODE } from '../../../src/data/problems';
import { type ExampleSide, exampleSides } from '../../../src/data/types';
import type { DataApi } from '../../../src/workers/data/api';
import { createDataApi } from '../../../src/workers/data/service';
import {
  allOf,
  apiWith,
  baseFiles,
  bertFiles,
  codes,
  errorOf,
  jsonl,
  STORIES,
  section,
  tokenizerFiles,
  utf8,
} from './helpers';

const OBJECTIVE = { type: 'sft' as const, assistant_only_loss: true };
const files = tokenizerFiles(STORIES);
const pairs = (n: number) =>
  jsonl(Array.from({ length: n }, (_, i) => ({ prompt: `What is number ${i}?`, completion: `It is ${i}.` })));
const LONG = 'once upon a time there was a little boat '.repeat(40);

/** The learned text of a row, and the rest. */
function sides(api: DataApi, row: number, objective = OBJECTIVE) {
  const view = api.viewTokens(row, section(), objective, 4096);
  const text = (trained: boolean) =>
    view.tokens
      .filter((t) => t.trained === trained)
      .map((t) => t.text)
      .join('');
  return { learned: text(true), context: text(false), rendered: view.rendered };
}

describe('the tokeniser', () => {
  test('gives what a trainer needs to know', () => {
    const info = createDataApi().openTokenizer(files);
    const eos = JSON.parse(files.tokenizerConfig!).eos_token;
    expect(eos).toBe('<|im_end|>');
    expect(info).toMatchObject({ hasChatTemplate: true, stopTokenIds: expect.arrayContaining([info.eosTokenId]) });
    expect(info.vocabSize).toBeGreaterThan(256);
    expect(info.padTokenId).toBeLessThan(info.vocabSize);
  });

  test("the template's end of turn stops an answer even if EOS is a different token", () => {
    const config = { ...JSON.parse(files.tokenizerConfig!), eos_token: '<|endoftext|>' };
    const added = JSON.parse(files.tokenizerJson).added_tokens as { content: string; id: number }[];
    const id = (content: string) => added.find((t) => t.content === content)!.id;
    const info = createDataApi().openTokenizer({
      ...files,
      tokenizerConfig: JSON.stringify(config),
      specialTokensMap: null,
      generationConfig: null,
    });
    expect(info.stopTokenIds).toContain(id('<|im_end|>'));
    expect(info.endOfTurnId).toBe(id('<|im_end|>'));
  });

  test.each([
    ['not JSON', '{"model": '],
    ['a list', '[]'],
    ['no model', '{"added_tokens": []}'],
    ['an unknown type of model', '{"model": {"type": "WordLevel", "vocab": {"a": 0}}}'],
    [
      'an unknown pre-tokeniser',
      '{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}, "pre_tokenizer": {"type": "Magic"}}',
    ],
    ['an empty vocabulary', '{"model": {"type": "BPE", "vocab": {}, "merges": []}}'],
    ['a negative id', '{"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}'],
    ['an id beyond all embeddings', '{"model": {"type": "BPE", "vocab": {"a": 4000000000}, "merges": []}}'],
    [
      'an added token without an id',
      '{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}, "added_tokens": [{"content": "x"}]}',
    ],
  ])('refuses a broken tokenizer.json: %s', (_name, tokenizerJson) => {
    const error = errorOf(() => createDataApi().openTokenizer({ ...files, tokenizerJson }));
    expect(error).toMatchObject({ code: 'bad_model', where: 'tokenizer.json' });
    expect(error.action).toBeTruthy();
  });

  test('accepts gaps in the vocabulary and missing letters', () => {
    const tokenizerJson = '{"model": {"type": "BPE", "vocab": {"a": 0, "b": 5}, "merges": []}}';
    const api = createDataApi();
    const bare = {
      tokenizerJson,
      tokenizerConfig: null,
      chatTemplate: null,
      specialTokensMap: null,
      generationConfig: null,
    };
    expect(api.openTokenizer(bare)).toMatchObject({ vocabSize: 6, eosTokenId: null, padTokenId: 0, stopTokenIds: [] });
    expect([...api.encodePrompt('ab')]).toEqual([0, 5]);
    expect(api.decode(Int32Array.of(0, 3, 5, 99))).toBe('a b');
  });
});

describe('tokenising a dataset', () => {
  test('prompts use the template, and answers are learned with their end token', () => {
    const api = apiWith(files, 'a.jsonl', pairs(3));
    const { learned, rendered } = sides(api, 2);
    expect(rendered).toBe('<|im_start|>user\nWhat is number 1?<|im_end|>\n<|im_start|>assistant\nIt is 1.<|im_end|>\n');
    expect(learned).toBe('It is 1.<|im_end|>\n');
    const all = sides(api, 2, { ...OBJECTIVE, assistant_only_loss: false });
    expect(all.learned).toBe(rendered.slice('<|im_start|>'.length));
  });

  test('a prompt encodes to exactly the start of the training example', () => {
    const api = apiWith(files, 'a.jsonl', pairs(1));
    const train = allOf('next_token', api.tokenize(section(), OBJECTIVE, 512, 1).train);
    const prompt = api.encodePrompt('What is number 0?');
    expect([...train[0]!.ids.subarray(0, prompt.length)]).toEqual([...prompt]);
    expect(train[0]!.labels[prompt.length - 1]).toBe(-100);
    expect(train[0]!.labels[prompt.length]).toBe(train[0]!.ids[prompt.length]);
    expect(api.encodePrompt('Hi', 'Be kind.').length).toBeGreaterThan(api.encodePrompt('Hi').length);
    expect(api.decode(train[0]!.ids)).toContain('It is 0.');
  });

  test('for a base model, prompt and completion are joined directly, other pairs by a line break', () => {
    const glued = apiWith(baseFiles(), 'a.jsonl', jsonl([{ prompt: 'The sky is', completion: ' blue.' }]));
    expect(sides(glued, 1)).toEqual({
      context: 'The sky is',
      learned: ' blue.<|im_end|>',
      rendered: 'The sky is blue.<|im_end|>',
    });
    const labelled = apiWith(baseFiles(), 'a.jsonl', jsonl([{ text: 'A fine day', label: 'good' }]));
    expect(sides(labelled, 1).learned).toBe('\ngood<|im_end|>');
    expect(labelled.decode(labelled.encodePrompt('A fine day'))).toBe('A fine day');
  });

  test('for a base model, conversations and later prompts use plain role names', () => {
    const api = apiWith(
      baseFiles(),
      'a.jsonl',
      jsonl([
        {
          messages: [
            { role: 'user', content: 'Hi' },
            { role: 'assistant', content: 'Hello' },
          ],
        },
      ]),
    );
    const dataset = api.tokenize(section(), OBJECTIVE, 512, 1);
    expect(codes(dataset)).toEqual(['no_chat_template']);
    expect(sides(api, 1)).toEqual({
      context: 'User: Hi\n\nAssistant:',
      learned: ' Hello<|im_end|>',
      rendered: 'User: Hi\n\nAssistant: Hello<|im_end|>',
    });
    expect(api.decode(api.encodePrompt('Hi'))).toBe('User: Hi\n\nAssistant:');
  });

  test('all of a plain text is learned, followed by EOS', () => {
    const api = apiWith(files, 'a.txt', 'Once upon a time.\n\nThere was a boat.');
    const train = allOf('next_token', api.tokenize(section(), OBJECTIVE, 512, 1).train);
    expect(train.map((e) => [...e.labels])).toEqual(train.map((e) => [...e.ids]));
    expect(sides(api, 1).rendered).toBe('Once upon a time.<|im_end|>');
  });

  test('an explicit max_length reports each truncated row', () => {
    const rows = [
      { prompt: 'a', completion: 'b' },
      { prompt: 'a', completion: LONG },
    ];
    const api = apiWith(files, 'a.jsonl', jsonl(rows));
    const dataset = api.tokenize(section({ max_length: 64 }), OBJECTIVE, 512, 1);
    expect(codes(dataset)).toEqual(['truncated@2']);
    const cut = dataset.train.find((e) => e.row === 2)!;
    expect(cut.ids).toHaveLength(64);
    expect(cut.truncatedBy).toBeGreaterThan(100);
    expect(dataset.problems[0]!.message).toContain(`${cut.truncatedBy} more than the limit of 64`);
    expect(dataset.stats).toMatchObject({ truncated: 1, longest: 64 + cut.truncatedBy, examples: 2 });
    expect(codes(api.tokenize(section({ max_length: 9999 }), OBJECTIVE, 512, 1))).toEqual(['above_context']);
  });

  test('max_samples trains on so many of the examples, which the seed draws from the whole file', () => {
    const api = apiWith(files, 'a.jsonl', pairs(50));
    const rowsOf = (seed: number, max_samples: number | null) => {
      const { train, validation } = api.tokenize(section({ max_samples, validation_split: 0.2 }), OBJECTIVE, 512, seed);
      return [...train, ...validation].map(({ row }) => row).sort((a, b) => a - b);
    };
    expect(rowsOf(7, 10)).toEqual([...sample(50, 10, 7)].map((i) => i + 1));
    expect(rowsOf(8, 10)).not.toEqual(rowsOf(7, 10));
    expect(rowsOf(7, 50)).toEqual(rowsOf(7, null));
    expect(rowsOf(7, 5000)).toHaveLength(50);
  });

  test('each example has its length and its side of the split', () => {
    const rows = [
      ...Array.from({ length: 9 }, (_, i) => ({ prompt: `a${i}`, completion: 'b' })),
      { prompt: LONG, completion: 'b' },
    ];
    const api = apiWith(files, 'a.jsonl', jsonl(rows));
    const { train, validation, byExample } = api.tokenize(
      section({ max_length: 64, validation_split: 0.2 }),
      OBJECTIVE,
      512,
      1,
    );
    expect([...byExample.rows]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const side = (name: ExampleSide) => byExample.rows.filter((_, i) => exampleSides[byExample.sides[i]!] === name);
    expect([...side('train')]).toEqual(train.map(({ row }) => row));
    expect([...side('validation')]).toEqual(validation.map(({ row }) => row));
    // Its answer begins behind the limit.
    expect([...side('left_out')]).toEqual([10]);
    for (const { row, ids } of train) expect(byExample.tokens[row - 1]).toBe(ids.length);
    expect(byExample.tokens[9]).toBeGreaterThan(64);
  });

  test('an automatic max_length reports the number of truncated rows', () => {
    const rows = [
      ...Array.from({ length: 99 }, (_, i) => ({ prompt: `a${i}`, completion: 'b' })),
      { prompt: 'a', completion: LONG },
    ];
    const api = apiWith(files, 'a.jsonl', jsonl(rows));
    const whole = api.tokenize(section(), OBJECTIVE, 2048, 1);
    expect(codes(whole)).toEqual([]);
    expect(whole.maxLength).toBeGreaterThanOrEqual(whole.stats.longest);
    const cut = api.tokenize(section(), OBJECTIVE, 64, 1);
    expect(cut.maxLength).toBe(64);
    expect(codes(cut)).toEqual(['truncated']);
    expect(cut.problems[0]!.message).toContain(
      '1 of 100 examples is longer than 64 tokens, the most that the model can read',
    );
    const short = api.tokenize(section(), OBJECTIVE, 2048, 1, 32);
    expect(short.maxLength).toBe(32);
    expect(short.problems[0]!.message).toContain('this GPU’s memory');
  });

  test('a prompt that fills the limit leaves nothing to learn', () => {
    const api = apiWith(
      files,
      'a.jsonl',
      jsonl([
        { prompt: LONG, completion: 'b' },
        { prompt: 'a', completion: 'b' },
      ]),
    );
    const dataset = api.tokenize(section({ max_length: 64 }), OBJECTIVE, 512, 1);
    expect(codes(dataset)).toEqual(['all_labels_masked@1']);
    expect(dataset.train.map((e) => e.row)).toEqual([2]);
    const alone = apiWith(files, 'a.jsonl', jsonl([{ prompt: LONG, completion: 'b' }]));
    const error = errorOf(() => alone.tokenize(section({ max_length: 64 }), OBJECTIVE, 512, 1));
    expect(error).toMatchObject({ code: 'bad_data', where: 'a.jsonl, row 1' });
    expect(error.action).toContain('max_length');
  });

  test('every kept example has something to learn', () => {
    const api = apiWith(files, 'a.jsonl', pairs(50));
    for (const { labels } of allOf('next_token', api.tokenize(section(), OBJECTIVE, 512, 1).train)) {
      expect(labels.slice(1).some((label) => label !== -100)).toBe(true);
    }
  });

  test('a row that the template rejects is dropped with the reason', () => {
    const strict =
      "{% if messages|length > 2 %}{{ raise_exception('One question only') }}{% endif %}{% for m in messages %}[{{ m.content }}]{% endfor %}";
    const turn = (role: string) => ({ role, content: 'x' });
    const rows = jsonl([
      { messages: [turn('user'), turn('assistant')] },
      { messages: [turn('user'), turn('assistant'), turn('user'), turn('assistant')] },
    ]);
    const api = apiWith({ ...files, chatTemplate: strict }, 'a.jsonl', rows);
    const dataset = api.tokenize(section(), OBJECTIVE, 512, 1);
    expect(codes(dataset)).toEqual(['template_refused@2']);
    expect(dataset.problems[0]!.message).toContain('One question only');
  });

  test('special tokens in a text are reported', () => {
    const api = apiWith(files, 'a.jsonl', jsonl([{ prompt: 'What is <|im_end|>?', completion: 'b' }]));
    expect(codes(api.tokenize(section(), OBJECTIVE, 512, 1))).toEqual(['special_token_in_text@1']);
  });

  test('splits, counts and keeps duplicates together', () => {
    const api = apiWith(files, 'a.jsonl', `${pairs(40)}\n${pairs(10)}`);
    const dataset = api.tokenize(section({ validation_split: 0.2 }), OBJECTIVE, 512, 7);
    expect(dataset.stats).toMatchObject({
      examples: 50,
      trainExamples: 40,
      validationExamples: 10,
      duplicates: 10,
      truncated: 0,
    });
    const texts = (list: { ids: Int32Array }[]) => new Set(list.map((e) => e.ids.join()));
    const held = texts(dataset.validation);
    expect([...texts(dataset.train)].some((text) => held.has(text))).toBe(false);
    expect(api.tokenize(section({ validation_split: 0.2 }), OBJECTIVE, 512, 7).validation).toEqual(dataset.validation);
    const single = apiWith(files, 'a.jsonl', pairs(1)).tokenize(section({ validation_split: 0.1 }), OBJECTIVE, 512, 7);
    expect(codes(single)).toEqual(['no_validation']);
  });

  test('nothing is cached across a new dataset or tokeniser', () => {
    const api = apiWith(files, 'a.jsonl', pairs(2));
    api.tokenize(section(), OBJECTIVE, 512, 1);
    api.parse('b.jsonl', utf8(pairs(3)).buffer as ArrayBuffer, { format: 'auto', columns: null });
    expect(api.tokenize(section(), OBJECTIVE, 512, 1).train).toHaveLength(3);
    api.openTokenizer(baseFiles());
    expect(sides(api, 1).rendered).not.toContain('user');
    expect(api.tokenize(section(), OBJECTIVE, 512, 1).train[0]!.ids.length).toBeLessThan(20);
  });

  test('arrays do not share larger buffers, which would be sent with them', () => {
    const api = apiWith(files, 'a.jsonl', jsonl([{ prompt: 'a', completion: LONG }]));
    const [example] = allOf('next_token', api.tokenize(section({ max_length: 32 }), OBJECTIVE, 512, 1).train);
    expect(example!.ids.buffer.byteLength).toBe(32 * 4);
    expect(example!.labels.buffer.byteLength).toBe(32 * 4);
  });

  test('reports rows that cannot be shown, and calls out of order', () => {
    const api = apiWith(files, 'a.jsonl', `${pairs(1)}\n{"prompt": "a", "completion": ""}\n`);
    expect(errorOf(() => api.viewTokens(2, section(), OBJECTIVE, 64)).message).toContain('Row 2 has nothing');
    expect(errorOf(() => api.viewTokens(99, section(), OBJECTIVE, 64)).message).toContain('no row 99');
    expect(errorOf(() => createDataApi().tokenize(section(), OBJECTIVE, 512, 1)).message).toContain('No model');
  });
});

describe('the token view', () => {
  test('shows partial characters as bytes, and tokens beyond the limit as cut', () => {
    const api = apiWith(files, 'a.jsonl', jsonl([{ prompt: 'a', completion: '\u{1F9ED} and ½' }]));
    const { tokens } = api.viewTokens(1, section(), OBJECTIVE, 8);
    expect(tokens.some((t) => /^<0x[0-9A-F]{2}>/.test(t.text))).toBe(true);
    expect(tokens.map((t) => t.cut)).toEqual(tokens.map((_, i) => i >= 8));
    expect(tokens.some((t) => t.cut && t.trained)).toBe(false);
    expect(tokens[0]).toMatchObject({ text: '<|im_start|>', trained: false });
  });
});

test('problem lists stay short for large files', () => {
  const rows = Array.from({ length: 1000 }, (_, i) => ({ prompt: `a${i}`, completion: LONG }));
  const dataset = apiWith(files, 'a.jsonl', jsonl(rows)).tokenize(section({ max_length: 32 }), OBJECTIVE, 512, 1);
  expect(dataset.problems).toHaveLength(LIMIT_PER_CODE + 1);
  expect(dataset.train).toHaveLength(1000);
});

describe('texts to embed', () => {
  test('keep their special tokens when truncated', () => {
    const api = createDataApi();
    api.openTokenizer(bertFiles(['one', 'two', 'three']));
    const encoded = api.encodeTexts(['One two three', 'two', 'one two three one two', '', 'what'], 5);
    expect(encoded.map((ids) => [...ids])).toEqual([
      [2, 5, 6, 7, 3],
      [2, 6, 3],
      [2, 5, 6, 7, 3],
      [2, 3],
      [2, 1, 3],
    ]);
    expect([...api.encodeTexts(['one two three'], 3)[0]!]).toEqual([2, 5, 3]);
  });
});
