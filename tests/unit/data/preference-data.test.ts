import { expect, test } from 'vitest';
import { judgedData, pairData, promptData } from '../../../src/data/preference-data';
import type { Example } from '../../../src/data/types';
import { viewExample, viewSpans } from '../../../src/data/view-tokens';
import { allOf, baseFiles, codes, STORIES, tokenizerFiles } from './helpers';
import { modelOf, prepared } from './preference-helpers';

const chat = modelOf(tokenizerFiles(STORIES));
const base = modelOf(baseFiles());

const user = (content: string) => [{ role: 'user' as const, content }];
const assistant = (content: string) => [{ role: 'assistant' as const, content }];
const pair = (row: number, prompt: string, chosen: string, rejected: string): Example => ({
  kind: 'pair',
  row,
  prompt: user(prompt),
  chosen: assistant(chosen),
  rejected: assistant(rejected),
});

test('both answers of a pair stand behind the same prompt, which ends with what opens an answer', () => {
  const { train, stats } = prepared(chat, pairData(), [pair(1, 'Who are you?', 'A cat.', 'I do not know who I am.')]);
  const [one] = allOf('pair', train);
  const text = (ids: Int32Array) => chat.tokenizer.decode(ids, false);
  const { ids, rejected, promptLength } = one!;
  expect(text(ids.slice(0, promptLength))).toBe(chat.options.template!.render(user('Who are you?'), true));
  expect(rejected.slice(0, promptLength)).toEqual(ids.slice(0, promptLength));
  expect(text(ids.slice(promptLength)).trim()).toMatch(/^A cat\./);
  expect(text(rejected.slice(promptLength)).trim()).toMatch(/^I do not know who I am\./);
  expect(stats.longest).toBe(rejected.length);
  expect(stats.tokens).toBe(ids.length + rejected.length);
  expect(stats.targetTokens).toBe(ids.length + rejected.length - 2 * promptLength);
});

test('answers are cut off at the limit, and a prompt that fills it is left out with its row', () => {
  const examples = [pair(1, 'Who?', 'A cat. '.repeat(20), 'No.'), pair(2, 'Who are you? '.repeat(20), 'A cat.', 'No.')];
  const { train, problems, stats } = prepared(chat, pairData(), examples, { max_length: 40 });
  const [one, ...others] = allOf('pair', train);
  expect(others).toEqual([]);
  expect(one!.row).toBe(1);
  expect(one!.ids.length).toBe(40);
  expect(one!.rejected.length).toBeLessThan(40);
  expect(stats.truncated).toBe(1);
  expect(codes({ problems })).toEqual(['truncated@1', 'prompt_too_long@2']);
});

test('a pair that is judged as a whole is left out above the limit', () => {
  const examples = [pair(1, 'Who?', 'A cat. '.repeat(20), 'No.'), pair(2, 'Who?', 'A cat.', 'No.')];
  const { train, problems } = prepared(chat, pairData({ wholeTexts: true }), examples, { max_length: 60 });
  expect(allOf('pair', train).map(({ row, promptLength }) => [row, promptLength])).toEqual([[2, 0]]);
  expect(codes({ problems })).toEqual(['pair_too_long@1']);
});

test('margins reach the example, and are 0 where the data have none', () => {
  const examples: Example[] = [
    { ...pair(1, 'Who?', 'Me.', 'No.'), margin: 1.5 } as Example,
    pair(2, 'Why?', 'So.', 'No.'),
  ];
  const { train } = prepared(chat, pairData(), examples);
  expect(allOf('pair', train).map(({ margin }) => margin)).toEqual([1.5, 0]);
});

test('pairs taken apart: all better answers first, then the others, and it is said', () => {
  const examples = [pair(1, 'Who?', 'A cat.', 'No.'), pair(2, 'Why?', 'So.', 'Never.')];
  const { train, problems } = prepared(chat, judgedData(), examples);
  expect(allOf('judged', train).map(({ row, good }) => [row, good])).toEqual([
    [1, true],
    [2, true],
    [1, false],
    [2, false],
  ]);
  expect(codes({ problems })).toEqual(['pairs_taken_apart']);
});

test('prompts of conversations are answered anew; what was answered is a column for rewards', () => {
  const examples: Example[] = [
    { kind: 'messages', row: 1, messages: [...user('1 + 1?'), ...assistant('2')] },
    { kind: 'prompt', row: 2, prompt: user('2 + 2?'), columns: { answer: '4' } },
    { kind: 'text', row: 3, text: 'Once upon a time.' },
  ];
  const { train, problems } = prepared(chat, promptData({ answerTokens: 16 }), examples);
  const prompts = allOf('prompt', train);
  expect(prompts.map(({ prompt, columns }) => [prompt, columns])).toEqual([
    [user('1 + 1?'), { answer: '2' }],
    [user('2 + 2?'), { answer: '4' }],
  ]);
  expect(chat.tokenizer.decode(prompts[0]!.ids, false)).toBe(chat.options.template!.render(user('1 + 1?'), true));
  expect(codes({ problems })).toEqual(['prompts_only', 'wrong_shape@3']);
});

test('a prompt that leaves no room for an answer is left out', () => {
  const examples: Example[] = ['Hi!', 'Once upon a time there was a cat. '.repeat(8)].map((prompt, i) => ({
    kind: 'prompt',
    row: i + 1,
    prompt,
    columns: {},
  }));
  const { train, problems } = prepared(base, promptData({ answerTokens: 40 }), examples, {}, 64);
  expect(train.map(({ row }) => row)).toEqual([1]);
  expect(codes({ problems })).toEqual(['prompt_too_long@2']);
  expect(problems[0]!.message).toMatch(
    /^Row 2 has a prompt of \d+ tokens, more than an answer of 40 leaves room for \(24\)\.$/,
  );
});

test('both answers of a pair are shown with what is trained on and what is cut off', () => {
  const example = pair(1, 'Who are you?', 'A cat.', 'I do not know. '.repeat(9));
  const shown = [example, pairData(), chat.options, chat.tokenizer, 40] as const;
  const view = viewExample(...shown);
  const [one] = allOf('pair', prepared(chat, pairData(), [example], { max_length: 40 }).train);
  const { promptLength, ids, rejected } = one!;
  expect(view.tokens.map(({ id }) => id)).toEqual([...ids]);
  expect(view.tokens.map(({ trained }) => trained)).toEqual(Array.from(ids, (_, i) => i >= promptLength));
  const other = view.rejected!;
  expect(other.rendered).toContain('I do not know. I do not know.');
  expect(other.tokens.filter(({ cut }) => !cut).map(({ id }) => id)).toEqual([...rejected]);
  expect(other.tokens.map(({ trained }) => trained)).toEqual(
    other.tokens.map((_, i) => i >= promptLength && i < rejected.length),
  );
  const spans = viewSpans(1000, ...shown);
  expect(spans.spans.map(({ trained, cut }) => [trained, cut])).toEqual([
    [false, false],
    [true, false],
  ]);
  expect(spans.rejected!.map(({ trained, cut, tokens }) => [trained, cut, tokens])).toEqual([
    [false, false, promptLength],
    [true, false, 40 - promptLength],
    [false, true, other.tokens.length - 40],
  ]);
});

test('a text that is judged as a whole has nothing that is trained on, and nothing cut off', () => {
  const example = pair(1, 'Who are you?', 'A cat.', 'I do not know. '.repeat(9));
  const { spans, rejected } = viewSpans(
    1000,
    example,
    pairData({ wholeTexts: true }),
    chat.options,
    chat.tokenizer,
    40,
  );
  expect([spans, rejected!].map((own) => own.map(({ trained, cut }) => trained || cut))).toEqual([[false], [false]]);
});
