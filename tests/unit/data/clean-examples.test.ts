import { describe, expect, it } from 'vitest';
import type { DataProblem } from '../../../src/data/types';
import { settingsOf } from '../../../src/inspect/options';
import { splitOf } from '../../../src/inspect/split';
import { apiWith, codes, errorOf, jsonl, parse, STORIES, section, tokenizerFiles } from './helpers';

const people = jsonl([
  { prompt: 'Who do I write to?', completion: 'Write to anna@contoso.de or boris@contoso.de.' },
  { prompt: 'What is 2 + 2?', completion: '4' },
  { prompt: 'My number is 030 1234567, call me.', completion: 'Thanks! Send me a mail too: help@contoso.de' },
  { prompt: 'Say hello.', completion: 'Hello!' },
]);

const setsOf = (problems: readonly DataProblem[], code: string) =>
  problems.find((problem) => problem.code === code)?.choices?.map(({ label, set }) => [label, set]);

describe('personal data in a dataset', () => {
  it('is said row by row, and nothing is changed', () => {
    const dataset = parse('a.jsonl', people);
    expect(codes(dataset)).toEqual(['personal_email@1', 'personal_phone@3', 'personal_email@3']);
    expect(dataset.problems[0]!.message).toBe('Row 1 has a mail address: a…@c….de and 1 more.');
    expect(dataset.examples[0]).toMatchObject({ completion: 'Write to anna@contoso.de or boris@contoso.de.' });
    expect(setsOf(dataset.problems, 'personal_email')).toEqual([
      ['Replace by [EMAIL]', { 'dataset.replace_personal': ['email'] }],
      ['Leave the rows out', { 'dataset.drop_personal': ['email'] }],
    ]);
  });

  it('is replaced, kind by kind, and can be put back', () => {
    const dataset = parse('a.jsonl', people, { replace_personal: ['email'] });
    expect(codes(dataset)).toEqual(['personal_email_replaced@1', 'personal_phone@3', 'personal_email_replaced@3']);
    expect(dataset.examples[0]).toMatchObject({ completion: 'Write to [EMAIL] or [EMAIL].' });
    expect(dataset.examples[2]).toMatchObject({ prompt: 'My number is 030 1234567, call me.' });
    expect(setsOf(dataset.problems, 'personal_phone')![0]![1]).toEqual({
      'dataset.replace_personal': ['email', 'phone'],
    });
    expect(setsOf(dataset.problems, 'personal_email_replaced')).toEqual([
      ['Undo', { 'dataset.replace_personal': undefined }],
    ]);
    const both = parse('a.jsonl', people, { replace_personal: ['email', 'phone'] });
    expect(both.examples[2]).toMatchObject({
      prompt: 'My number is [PHONE], call me.',
      completion: 'Thanks! Send me a mail too: [EMAIL]',
    });
    expect(setsOf(both.problems, 'personal_phone_replaced')![0]![1]).toEqual({
      'dataset.replace_personal': ['email'],
    });
  });

  it('costs its rows if that is wanted, and each row once', () => {
    const dataset = parse('a.jsonl', people, { drop_personal: ['email', 'phone'] });
    expect(dataset.examples.map(({ row }) => row)).toEqual([2, 4]);
    expect(dataset.leftOut).toBe(2);
    expect(codes(dataset)).toEqual(['personal_email_dropped@1', 'personal_phone_dropped@3']);
  });

  it('is replaced in conversations, words and texts, and never in labels', () => {
    const chat = parse(
      'a.jsonl',
      jsonl([
        {
          messages: [
            { role: 'user', content: 'I am eva@contoso.de' },
            { role: 'assistant', content: 'Hello eva@contoso.de' },
          ],
        },
      ]),
      { replace_personal: ['email'] },
    );
    expect(chat.examples[0]).toMatchObject({ messages: [{ content: 'I am [EMAIL]' }, { content: 'Hello [EMAIL]' }] });
    const labelled = parse(
      'a.jsonl',
      jsonl(['a', 'b', 'c'].map((name) => ({ text: `from ${name}@contoso.de`, label: 'mail' }))),
      { replace_personal: ['email'] },
    );
    expect(labelled.examples[2]).toMatchObject({ text: 'from [EMAIL]', labels: ['mail'] });
  });

  it('cannot cost every row: that is a question', () => {
    const rows = jsonl([{ text: 'eva@contoso.de' }, { text: 'or adam@contoso.de' }]);
    const error = errorOf(() => parse('a.jsonl', rows, { drop_personal: ['email'] }));
    expect(error.code).toBe('bad_data');
    expect(error.choices?.map(({ label }) => label)).toEqual(['Replace it by placeholders', 'Keep it']);
  });
});

const LONG =
  'the quick brown fox jumps over the lazy dog while the old farmer sleeps under a tree in the warm afternoon sun';
const near = (word: string) => LONG.replace('afternoon', word);

describe('near-duplicates in a dataset', () => {
  it('are left out but for the first of each', () => {
    const rows = jsonl([LONG, 'something else', near('morning'), near('evening')].map((text) => ({ text })));
    expect(parse('a.jsonl', rows).examples).toHaveLength(4);
    const dataset = parse('a.jsonl', rows, { near_duplicates: 'leave_out' });
    expect(dataset.examples.map(({ row }) => row)).toEqual([1, 2]);
    expect(codes(dataset)).toEqual(['near_duplicate@3', 'near_duplicate@4']);
    // Two of 20 sequences hold the changed word, the last but one: 18 of 22 are shared.
    expect(dataset.problems[0]!.message).toBe(
      'Row 3 is nearly the same as row 1 (82 % of their three-word sequences).',
    );
    expect(dataset.leftOut).toBe(2);
  });
});

/** Twenty prompts, each asked twice with another answer. */
const asked = jsonl(
  Array.from({ length: 40 }, (_, i) => ({
    prompt: `Name a thing that begins with letter ${String.fromCharCode(97 + (i % 20))}, please.`,
    completion: `${['An animal', 'Some plant'][i < 20 ? 0 : 1]} number ${i * 7919} of the ${i * 104729}th kind, ${i}.`,
  })),
);

describe('leaks into validation', () => {
  const tokenized = (changes: Parameters<typeof section>[0]) =>
    apiWith(tokenizerFiles(STORIES), 'a.jsonl', asked).tokenize(
      section({ validation_split: 0.2, ...changes }),
      { type: 'sft', assistant_only_loss: true },
      512,
      42,
    );
  const promptOf = (row: number) => (row - 1) % 20;
  const shared = ({ train, validation }: { train: Int32Array; validation: Int32Array }) => {
    const learned = new Set(Array.from(train, promptOf));
    return Array.from(validation).filter((row) => learned.has(promptOf(row)));
  };

  it('stand in an ordinary split', () => {
    const { rows, stats } = tokenized({});
    expect([rows.train.length, rows.validation.length]).toEqual([32, 8]);
    expect([stats.trainExamples, stats.validationExamples]).toEqual([32, 8]);
    expect(shared(rows).length).toBeGreaterThan(0);
  });

  it('are kept on one side, without making validation smaller', () => {
    const { rows, problems } = tokenized({ validation_leaks: 'one_side' });
    expect(rows.validation.length).toBe(8);
    expect(shared(rows)).toEqual([]);
    expect(codes({ problems })).toEqual(['kept_together']);
    expect(problems[0]!.message).toBe(
      '40 examples in 20 groups are alike in text or prompt: each group stands on one side of the split.',
    );
    expect(problems[0]!.choices).toEqual([{ label: 'Undo', set: { 'dataset.validation_leaks': undefined } }]);
    // The same again, to the row.
    expect(tokenized({ validation_leaks: 'one_side' }).rows).toEqual(rows);
  });

  it('are left out of validation', () => {
    const before = tokenized({}).rows;
    const { rows, problems } = tokenized({ validation_leaks: 'leave_out' });
    expect(rows.train).toEqual(before.train);
    const leaks = shared(before);
    expect(Array.from(rows.validation)).toEqual(Array.from(before.validation).filter((row) => !leaks.includes(row)));
    expect(codes({ problems })).toContain('leaks_left_out');
  });

  it('move to training if the file itself has a split', () => {
    const rows = [
      ...['red', 'green', 'blue', 'white'].map((colour, i) => ({
        prompt: `What is ${colour}?`,
        completion: `A ${i}.`,
        split: 'train',
      })),
      { prompt: 'What is red?', completion: 'It is quite another answer than before, sir.', split: 'validation' },
      { prompt: 'How many legs has a spider?', completion: 'Eight.', split: 'validation' },
    ];
    const settings = (how: string) => settingsOf('a.jsonl', { validation_leaks: how });
    const dataset = parse('a.jsonl', jsonl(rows));
    expect(splitOf(dataset, settings('allow')).split).toEqual({ train: 4, validation: 2 });
    expect(splitOf(dataset, settings('one_side')).split).toEqual({ train: 5, validation: 1 });
    expect(splitOf(dataset, settings('leave_out')).split).toEqual({ train: 4, validation: 1 });
  });
});

describe('the data worker', () => {
  it('finds near-duplicates and leaks in the open dataset', async () => {
    const api = apiWith(tokenizerFiles(STORIES), 'a.jsonl', asked);
    const sft = { type: 'sft', assistant_only_loss: true } as const;
    const { rows } = api.tokenize(section({ validation_split: 0.2 }), sft, 512, 42);
    const leaks = await api.leaks(rows.train, rows.validation, () => {});
    expect(leaks.length).toBeGreaterThan(0);
    for (const { row, of, how } of leaks) {
      expect(how).toBe('prompt');
      expect(Math.abs(row - of)).toBe(20);
      expect(rows.validation).toContain(row);
      expect(rows.train).toContain(of);
    }
    expect(await api.nearDuplicates(() => {})).toEqual([]);
  });
});

describe('rows that are left out by number', () => {
  it('are not used, and can be used again', () => {
    const dataset = parse('a.jsonl', people, { leave_out_rows: '2-3' });
    expect(dataset.examples.map(({ row }) => row)).toEqual([1, 4]);
    expect(dataset.leftOut).toBe(2);
    expect(dataset.problems.find(({ code }) => code === 'left_out_rows')).toMatchObject({
      message: '2 rows are left out by number, as the recipe says.',
      further: [2, 3],
      choices: [{ label: 'Undo', set: { 'dataset.leave_out_rows': undefined } }],
    });
  });

  it('say so if they are not in the file', () => {
    const dataset = parse('a.jsonl', people, { leave_out_rows: '40-50' });
    expect(dataset.examples).toHaveLength(4);
    expect(dataset.problems.at(0)).toMatchObject({ action: 'None of those numbers is in this file.', dropped: false });
  });

  it('cannot be all of them', () => {
    const error = errorOf(() => parse('a.jsonl', people, { leave_out_rows: '1-4' }));
    expect(error.choices?.map(({ label }) => label)).toEqual(['Use every row']);
  });
});
