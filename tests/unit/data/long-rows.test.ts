/** Rows that are very long or never end: each is learned in time that grows with its length, or left out by name. */
import { describe, expect, test } from 'vitest';
import { encodeDataset } from '../../../src/data/encode-dataset';
import type { ObjectiveData, TextOptions } from '../../../src/data/objective-data';
import { TextTokenizer } from '../../../src/data/tokenizer';
import type { ParsedDataset } from '../../../src/data/types';
import { cpuSeconds } from '../../support/time';
import { codes, errorOf, jsonl, section, tokenizerFiles, utf8 } from './helpers';
import { opened, tokenized, turn, written } from './template-helpers';

const WORDS = 'and the of to it was in for on that with they be at one have this from by hot'.split(' ');
const sentence = (n: number, words = 20) =>
  Array.from({ length: words }, (_, i) => WORDS[(n * 7 + i * i * 3 + i) % WORDS.length]).join(' ');
const conversation = (count: number, more: (i: number) => object = () => ({})) =>
  Array.from({ length: count }, (_, i) =>
    turn(i % 2 === 0 ? 'user' : 'assistant', sentence(i), i % 2 === 1 ? more(i) : {}),
  );

/** Seconds of this process's work, which do not count what else a busy machine does. */
function seconds(work: () => unknown): number {
  const before = cpuSeconds();
  work();
  return cpuSeconds() - before;
}

describe('conversations of 4,000 messages', () => {
  test.each([
    'qwen3',
    'mistral-nemo',
    'gemma2',
    'gemma3',
    'llama2',
    'llama3.1',
    'phi3',
    'qwen2.5',
    'qwen3-2507',
    'smollm3',
    'tinyllama',
  ])('%s: every answer is found in two seconds', (name) => {
    const api = opened(name, [{ messages: conversation(4000) }, { messages: conversation(40) }]);
    // Warmed up by a short one.
    written(api, 2);
    let learned = '';
    expect(
      seconds(() => {
        learned = tokenized(api).train[0]!.kind;
      }),
    ).toBeLessThan(2);
    expect(learned).toBe('next_token');
  });

  test.each(['qwen3', 'mistral-nemo', 'qwen2.5', 'llama2', 'smollm3'])(
    '%s: the answers are those of a short one',
    (name) => {
      // A long one is read by parts; the same rules must give what rendering it message by message gives.
      const answers = (count: number) =>
        written(opened(name, [{ messages: conversation(count) }]), 1).learned.split(' ¦ ');
      const [short, long] = [answers(24), answers(200)];
      expect(long).toHaveLength(100);
      expect(long.slice(0, 11)).toEqual(short.slice(0, 11));
      // What follows the last word, which closes the turn.
      const ending = (answer: string) => /[^a-z]*(<[^<>]+>\s*)*$/.exec(answer.replaceAll('▁', ' '))![0];
      expect(ending(long.at(-1)!)).toBe(ending(short.at(-1)!));
      long.forEach((answer, i) => {
        expect(answer.replaceAll('▁', ' ')).toContain(sentence(2 * i + 1));
        expect(answer.replaceAll('▁', ' ')).not.toContain(sentence(2 * i));
      });
    },
  );

  test('with thoughts and a system message, and tools in between', () => {
    const api = opened('qwen3', [
      {
        messages: [turn('system', 'Be kind.'), ...conversation(4000, (i) => ({ reasoning_content: `Thought ${i}.` }))],
      },
      {
        messages: Array.from({ length: 1000 }, (_, i) => [
          turn('user', sentence(i)),
          turn('assistant', `{"call": ${i}}`),
          turn('tool', `Result ${i}.`),
          turn('assistant', sentence(i + 1)),
        ]).flat(),
      },
    ]);
    let result: ReturnType<typeof tokenized> | undefined;
    expect(
      seconds(() => {
        result = tokenized(api);
      }),
    ).toBeLessThan(4);
    expect(result!.train).toHaveLength(2);
    expect(codes(result!)).toContain('thoughts_left_out@1');
  });

  test('a template that rewrites every answer is not waited for', () => {
    // What each answer becomes depends on how many follow it, so nothing about one holds for another.
    const template =
      '{% for m in messages %}<{{ m.role }}:{{ messages|length - loop.index }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<assistant:0>{% endif %}';
    const api = opened('qwen2.5', [{ messages: conversation(2000) }, { messages: conversation(4) }], template);
    let result: ReturnType<typeof tokenized> | undefined;
    expect(
      seconds(() => {
        result = tokenized(api);
      }),
    ).toBeLessThan(10);
    expect(result!.problems.filter(({ dropped }) => dropped)).toMatchObject([{ code: 'answers_not_found', row: 1 }]);
    expect(result!.train).toHaveLength(1);
  });
});

describe('rows of megabytes', () => {
  const long = sentence(1, 1_200_000);
  test('are left out of answers by name, at once', () => {
    const rows = [
      { prompt: 'Say it.', completion: long },
      { prompt: 'Say hi.', completion: 'Hi.' },
    ];
    const api = opened('qwen3', rows);
    let result: ReturnType<typeof tokenized> | undefined;
    expect(
      seconds(() => {
        result = tokenized(api);
      }),
    ).toBeLessThan(0.5);
    expect(result!.problems).toMatchObject([
      { code: 'row_too_long', row: 1, dropped: true, message: expect.stringContaining('Row 1 has') },
    ]);
    expect(result!.train).toHaveLength(1);
    expect(errorOf(() => written(api, 1)).message).toContain('letters');
  });

  test('are read whole as plain text', () => {
    const api = opened('qwen3', [{ text: long }]);
    const took = seconds(() => {
      const { train } = api.tokenize(section({ max_length: 1024 }), { type: 'pretraining' } as never, 4096, 1);
      expect(train.reduce((sum, { ids }) => sum + ids.length, 0)).toBeGreaterThan(1_000_000);
    });
    // About 1.5 s of work for 5 MB; collecting garbage counts as well.
    expect(took).toBeLessThan(6);
  });

  test('a word without end is its row’s fault', () => {
    const rows = [{ text: '漢'.repeat(10_000_000) }, { text: 'The end.' }];
    const api = opened('qwen3', rows);
    const { problems, train } = api.tokenize(section(), { type: 'pretraining' } as never, 4096, 1);
    expect(train.length).toBeGreaterThan(0);
    for (const { code, row } of problems.filter(({ dropped }) => dropped))
      expect([code, row]).toEqual(['row_too_long', 1]);
  });
});

describe('rows at which something stops', () => {
  const tokenizer = new TextTokenizer(tokenizerFiles('tests/fixtures/tokenizers/qwen2'));
  const dataset = (count: number): ParsedDataset => ({
    name: 'x.txt',
    fileType: 'text',
    format: 'text',
    detected: '',
    columns: [],
    mapping: {},
    uses: [],
    leftOut: 0,
    problems: [],
    totalRows: count,
    examples: Array.from({ length: count }, (_, i) => ({ kind: 'text' as const, row: i + 1, text: `row ${i + 1}` })),
  });
  /** An objective that fails at some rows. */
  const failing = (fails: (row: number) => Error | null): ObjectiveData => ({
    counts: 'shifted',
    longTexts: 'split',
    encode({ row }) {
      const error = fails(row);
      if (error) throw error;
      return { rendered: '', encoded: { row, ids: Int32Array.of(1, 2), trained: Uint8Array.of(1, 1) } };
    },
    label: () => ({ task: null, problems: [], tokenize: () => [] }),
  });
  const options = {} as TextOptions;

  test('out of stack: the row is left out', () => {
    const { problems, examples } = encodeDataset(
      dataset(5),
      failing((row) => (row === 2 ? new RangeError('Maximum call stack size exceeded') : null)),
      options,
      tokenizer,
    );
    expect(problems).toMatchObject([{ code: 'row_too_long', row: 2, dropped: true }]);
    expect(examples).toHaveLength(4);
  });

  test('rows of an earlier attempt are left out without another', () => {
    const { problems, examples } = encodeDataset(
      dataset(5),
      failing((row) => (row === 4 ? new Error('not again') : null)),
      options,
      tokenizer,
      { leftOut: [4] },
    );
    expect(problems).toMatchObject([{ code: 'row_too_slow', row: 4, dropped: true }]);
    expect(examples).toHaveLength(4);
  });

  test('every row is told if asked, and the end always', () => {
    const told: number[] = [];
    encodeDataset(
      dataset(5),
      failing(() => null),
      options,
      tokenizer,
      { careful: true, onRow: (at) => told.push(at) },
    );
    expect(told).toEqual([0, 1, 2, 3, 4, 5]);
    const now: number[] = [];
    encodeDataset(
      dataset(5),
      failing(() => null),
      options,
      tokenizer,
      { onRow: (at) => now.push(at) },
    );
    expect([now[0], now.at(-1)]).toEqual([0, 5]);
  });

  test('a template that loops on some rows costs those rows, and the model only if there are many', () => {
    const loops =
      "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if 'loop' in messages[0].content %}{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}{% endif %}";
    const row = (content: string) => ({ messages: [turn('user', content), turn('assistant', 'Yes.')] });
    const few = tokenized(opened('qwen2.5', [row('a'), row('loop'), row('b')], loops));
    expect(few.problems).toMatchObject([
      { code: 'row_too_slow', row: 2, dropped: true, message: expect.stringContaining('stopped') },
    ]);
    expect(few.train).toHaveLength(2);
    const many = Array.from({ length: 30 }, () => row('loop'));
    expect(errorOf(() => tokenized(opened('qwen2.5', many, loops)))).toMatchObject({
      code: 'bad_model',
      where: 'row 6',
    });
  });
});

test('bytes of a file of one long row are read in the worker’s way', () => {
  // A row of the kind that chat exports have: one conversation in one line of five megabytes.
  const messages = conversation(300).map(({ role, content }) => ({ role, content: content.repeat(150) }));
  const bytes = utf8(jsonl([{ messages }]));
  expect(bytes.length).toBeGreaterThan(3_000_000);
  const api = opened('mistral-nemo', [{ messages }]);
  const took = seconds(() => expect(errorOf(() => tokenized(api)).message).toContain('letters'));
  expect(took).toBeLessThan(2);
});
