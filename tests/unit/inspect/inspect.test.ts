/** What `npm run inspect` prints, and that it ends as it says. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diskFolder } from '../../../scripts/disk-folder.mjs';
import { flags, inspect } from '../../../src/inspect';
import { readingFields } from '../../../src/recipe/sections';
import { jsonl, utf8 } from '../data/helpers';

const rows = (count: number, make: (i: number) => unknown) => jsonl(Array.from({ length: count }, (_, i) => make(i)));
const pairs = rows(20, (i) => ({ prompt: `How tall is tower ${i}?`, completion: `${i} yards.` }));
const stories = () => diskFolder('public/models/stories', 'builtin:stories');

interface Options {
  model?: ReturnType<typeof stories>;
  given?: Record<string, string>;
  shown?: number;
}
async function of(name: string, content: string, { model, given = {}, shown = 1 }: Options = {}) {
  const bytes = utf8(content).buffer as ArrayBuffer;
  const { report, refused } = await inspect({ name, bytes, model: model ?? null, given, rows: shown });
  return { report: JSON.parse(JSON.stringify(report)), refused };
}

describe('the report', () => {
  test('of a file that is read: shape, rows, split, examples with what is learned', async () => {
    const { report, refused } = await of('a.jsonl', pairs);
    expect(refused).toBeNull();
    expect(report).toMatchObject({
      file: 'a.jsonl',
      file_type: 'jsonl',
      format: 'prompt_completion',
      rows: { total: 20, examples: 20, lost: 0, lost_share: 0 },
      problems: [],
      // A tenth of 20.
      split: { train: 18, validation: 2, how: expect.stringMatching(/10 %.*seed 42/) },
      examples: [
        {
          row: 1,
          spans: [
            { part: 'prompt', text: 'How tall is tower 0?', trained: false },
            { part: 'completion', text: '0 yards.', trained: true },
          ],
        },
      ],
    });
  });

  test('with a model: in its template, in spans of tokens', async () => {
    const { report } = await of('a.jsonl', pairs, { model: stories() });
    expect(report.examples[0].spans).toEqual([
      {
        text: '<|im_start|>user\nHow tall is tower 0?<|im_end|>\n<|im_start|>assistant\n',
        tokens: expect.any(Number),
        trained: false,
        cut: false,
      },
      { text: '0 yards.<|im_end|>\n', tokens: expect.any(Number), trained: true, cut: false },
    ]);
    expect(report).toMatchObject({ split: { train: 18, validation: 2 }, tokens: { truncated: 0 } });
    expect(report.tokens.trained).toBeLessThan(report.tokens.total);
  });

  test('characters that several tokens spell are whole', async () => {
    const text = rows(4, (i) => ({ prompt: `塔${i}多高？`, completion: `${i} 码 🗼` }));
    const { report } = await of('a.jsonl', text, { model: stories() });
    const spans: { text: string; trained: boolean }[] = report.examples[0].spans;
    expect(spans.map(({ text: part }) => part).join('')).toContain('塔0多高？');
    expect(spans.filter(({ trained }) => trained).map(({ text: part }) => part)).toEqual(['0 码 🗼<|im_end|>\n']);
  });

  test('problems by kind with their counts, however many there are', async () => {
    const text = rows(3000, (i) => ({ prompt: `How tall is tower ${i}?`, completion: i % 3 === 0 ? '' : 'Tall.' }));
    const { report } = await of('a.jsonl', text);
    expect(report.rows).toMatchObject({ total: 3000, examples: 2000, lost: 1000 });
    expect(report.rows.lost_share).toBeCloseTo(1 / 3);
    const empty = report.problems.filter((p: { code: string }) => p.code === 'empty_answer');
    expect(empty).toEqual([expect.objectContaining({ count: 1000, rows_lost: 1000, first_rows: [1, 4, 7, 10, 13] })]);
  });

  test('columns: used as what, and not used with the reason', async () => {
    const { report } = await of('a.csv', 'id,question,answer,source\n7,How tall?,Very.,me\n8,How old?,Ancient.,you\n');
    expect(report.used.map((use: { column: string; part: string }) => [use.column, use.part])).toEqual([
      ['question', 'prompt'],
      ['answer', 'completion'],
    ]);
    expect(report.not_used.map(({ column }: { column: string }) => column)).toEqual(['id', 'source']);
    expect(report.not_used[0].why).toMatch(/identifies/);
    expect(report.usage).toMatch(/^Used: .*question.*answer.*Not used: .*id.*source/);
  });

  test('a split that the file has', async () => {
    const { report } = await of(
      'a.csv',
      'split,prompt,completion\ntrain,How tall?,Very.\ntrain,How wide?,Less.\ntest,How old?,Ancient.\n',
    );
    expect(report.split).toEqual({ train: 2, validation: 1, how: 'As the file says.' });
    const { report: whole } = await of(
      'a.csv',
      'split,prompt,completion\ntrain,How tall?,Very.\ntest,How old?,Ancient.\n',
      { given: { validation_split: '0' } },
    );
    expect(whole.split).toMatchObject({ train: 1, validation: 0 });
  });

  test('thoughts and turns that are only read', async () => {
    const messages = [
      { role: 'user', content: 'How tall?' },
      { role: 'assistant', content: 'Why?', weight: 0 },
      { role: 'user', content: 'Just so.' },
      { role: 'assistant', content: 'Very.', reasoning_content: 'I look up.' },
    ];
    const { report } = await of(
      'a.jsonl',
      rows(2, () => ({ messages })),
    );
    expect(report.examples[0].spans).toEqual([
      { part: 'user', text: 'How tall?', trained: false },
      { part: 'assistant', text: 'Why?', trained: false },
      { part: 'user', text: 'Just so.', trained: false },
      { part: 'thoughts', text: 'I look up.', trained: true },
      { part: 'assistant', text: 'Very.', trained: true },
    ]);
  });

  test('a conversation of thousands of turns is shortened, which is said', async () => {
    const turns = Array.from({ length: 3000 }, (_, i) => ({
      role: i % 2 ? 'assistant' : 'user',
      content: `Storey ${i}`,
    }));
    const { report } = await of(
      'a.jsonl',
      rows(2, () => ({ messages: turns })),
    );
    const { spans } = report.examples[0];
    expect(spans.at(-1)).toEqual({ more_spans: 3000 - (spans.length - 1) });
    expect(spans.length).toBeLessThan(100);
  });

  test('a text of megabytes is shortened, which is said', async () => {
    const { report } = await of(
      'a.jsonl',
      rows(2, () => ({ text: 'tall '.repeat(100_000) })),
    );
    const [{ text, more }] = report.examples[0].spans;
    expect(text.length + more).toBe(500_000);
    expect(JSON.stringify(report).length).toBeLessThan(10_000);
  });

  test('what an objective learns: everything of a text, the label alone, nothing it has no use for', async () => {
    const learned = async (objective: string) =>
      (
        await of(
          'a.jsonl',
          rows(16, (i) => ({ text: `Tower ${i} leans.`, label: i % 2 ? 'yes' : 'no' })),
          { given: { objective } },
        )
      ).report.examples[0].spans;
    expect(await learned('sft')).toEqual([
      { part: 'text', text: 'Tower 0 leans.', trained: false },
      { part: 'label', text: 'no', trained: true },
    ]);
    expect(await learned('sequence_classification')).toEqual(await learned('sft'));
    expect(await learned('pretraining')).toEqual([{ part: 'text', text: 'Tower 0 leans.', trained: true }]);
  });
});

describe('flags are the fields of a recipe', () => {
  test('every field that decides how a file is read is one', () => {
    expect(flags.map(({ field }) => field.path)).toEqual(
      expect.arrayContaining(readingFields.filter((name) => name !== 'mix').map((name) => `dataset.${name}`)),
    );
    expect(new Set(flags.map(({ name }) => name)).size).toBe(flags.length);
  });
  const table = 'q,a\nHow tall?,Very.\nHow old?,Ancient.\n';
  test.each([['prompt=q,completion=a'], ['{"prompt": "q", "completion": "a"}'], ['prompt = q , completion = a']])(
    'columns: %s',
    async (columns) => {
      const { report } = await of('a.csv', table, { given: { columns } });
      expect(report.examples[0].spans.map(({ text }: { text: string }) => text)).toEqual(['How tall?', 'Very.']);
    },
  );
  test('numbers and choices', async () => {
    const { report } = await of('a.jsonl', pairs, { given: { validation_split: '0.5', seed: '7', shuffle: 'false' } });
    expect(report.split).toMatchObject({ train: 10, validation: 10, how: expect.stringContaining('50 %') });
  });
  test.each([
    [{ format: 'chat' }, /dataset\.format/],
    [{ validation_split: '2' }, /dataset\.validation_split/],
    [{ columns: 'question=q' }, /dataset\.columns\.question/],
    [{ objective: 'guess' }, /objective\.type/],
    [{ seed: 'x' }, /training\.seed/],
  ])('%o is refused, naming the field', async (given, where) => {
    const { report, refused } = await of('a.jsonl', pairs, { given: given as unknown as Record<string, string> });
    expect(refused?.toLine()).toMatch(where);
    expect(report.error).toMatchObject({ code: 'bad_recipe' });
  });
});

describe('refusals', () => {
  test('carry the sentence of the page', async () => {
    const { report, refused } = await of('a.jsonl', '\n\n');
    expect(refused?.message).toBe('This file is empty.');
    expect(report).toEqual({ file: 'a.jsonl', error: refused!.toData() });
  });
  test('an objective that the examples are not for', async () => {
    const { report, refused } = await of('a.jsonl', pairs, { given: { objective: 'token_classification' } });
    expect(refused?.message).toMatch(/needs a tag/);
    expect(report).toMatchObject({ format: 'prompt_completion', error: { code: 'bad_data' } });
  });
  test('an objective that the model is not for', async () => {
    const { refused } = await of('a.jsonl', pairs, { model: stories(), given: { objective: 'masked_lm' } });
    expect(refused?.toLine()).toMatch(/objective\.type: .*left to right/);
  });
});

describe('the command', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'tabtune-inspect-'));
    writeFileSync(path.join(folder, 'a.jsonl'), pairs);
    writeFileSync(path.join(folder, 'bad.csv'), '\u0000\u0001\u0002'.repeat(50));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const run = (...args: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      execFile(process.execPath, ['scripts/inspect.mjs', ...args], (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
      );
    });
  test('prints JSON and nothing else, and ends with 0', async () => {
    const { code, stdout, stderr } = await run(path.join(folder, 'a.jsonl'), '--validation-split', '0.5');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ file: 'a.jsonl', split: { train: 10 } });
  });
  test('ends with 1 for a file that is refused, with one sentence on stderr', async () => {
    const { code, stdout, stderr } = await run(path.join(folder, 'bad.csv'));
    expect(code).toBe(1);
    const { error } = JSON.parse(stdout);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain(error.message);
  });
  test.each([
    [[], /exactly one/],
    [['missing.csv'], /missing\.csv does not exist/],
    [['a', 'b'], /exactly one/],
    [['a', '--colour', 'red'], /colour/],
    [['package.json', '--model', 'builtin:nobody'], /builtin|nobody/],
  ])('a wrong command %o ends with 2 and says how it is used', async (args, why) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(why);
    expect(stderr).toContain('Usage: npm run inspect');
  });
});
