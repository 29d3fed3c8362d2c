import { describe, expect, it } from 'vitest';
import { packMix, unpackMix } from '../../../src/data/mix';
import { weighted } from '../../../src/data/mix-weights';
import { openDataset } from '../../../src/data/parse';
import type { ReadingSection } from '../../../src/recipe/sections';
import { createDataApi } from '../../../src/workers/data/service';
import { jsonl, STORIES, section, tokenizerFiles, utf8 } from './helpers';

const auto: ReadingSection = { format: 'auto', columns: null };

const chat = jsonl(
  Array.from({ length: 10 }, (_, i) => ({
    messages: [
      { role: 'user', content: `Question ${i}` },
      { role: 'assistant', content: `Answer ${i}` },
    ],
  })),
);
const table = [
  'frage,antwort',
  ...Array.from({ length: 20 }, (_, i) => `Wie viel ist ${i} mal drei?,Das ist ${i * 3}.`),
].join('\n');
const labels = jsonl(Array.from({ length: 6 }, (_, i) => ({ text: `text ${i}`, label: i % 2 ? 'good' : 'bad' })));

const packed = (files: Record<string, string>) =>
  packMix(
    Object.entries(files).map(([name, text]) => ({ source: `file:${name}`, name, bytes: utf8(text), section: auto })),
  );
const mixed = (files: Record<string, string>, changes: Partial<ReadingSection> = {}) =>
  openDataset('mix', new Uint8Array(packed(files)), { ...auto, mix: { 'file:b': 1 }, ...changes });

describe('a mix of datasets', () => {
  it('is one piece of bytes that comes apart again', () => {
    const files = unpackMix(new Uint8Array(packed({ 'ä.csv': table, b: '' })));
    expect(files.map(({ source, name, bytes }) => [source, name, new TextDecoder().decode(bytes)])).toEqual([
      ['file:ä.csv', 'ä.csv', table],
      ['file:b', 'b', ''],
    ]);
  });

  it('reads each by itself, and numbers the rows one after another', async () => {
    const dataset = await mixed({ 'a.jsonl': chat, 'b.csv': table });
    expect(dataset.name).toBe('a.jsonl + b.csv');
    expect(dataset.examples.map(({ row }) => row)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(dataset.examples[0]).toMatchObject({ kind: 'messages', from: 0 });
    expect(dataset.examples[10]).toMatchObject({
      kind: 'prompt_completion',
      prompt: 'Wie viel ist 0 mal drei?',
      from: 1,
    });
    expect(dataset.sources).toEqual([
      { source: 'file:a.jsonl', name: 'a.jsonl', examples: 10, firstRow: 1 },
      { source: 'file:b.csv', name: 'b.csv', examples: 20, firstRow: 11 },
    ]);
    expect([dataset.totalRows, dataset.readOnly]).toEqual([30, true]);
  });

  it('says of which file a problem is, by the number of its row in the mix', async () => {
    const dataset = await mixed({
      'a.jsonl': chat,
      'b.jsonl': `${jsonl([{ prompt: 'a', completion: 'b' }])}\n{broken`,
    });
    const problem = dataset.problems.find(({ row }) => row === 12);
    expect(problem?.message).toMatch(/^b\.jsonl: .*2/);
  });

  it('compares and leaves out rows of the whole mix', async () => {
    const dataset = await mixed({ 'a.jsonl': chat, 'b.csv': table }, { leave_out_rows: '10-11' });
    expect(dataset.examples).toHaveLength(28);
    expect(dataset.examples.some(({ row }) => row === 10 || row === 11)).toBe(false);
  });

  it('refuses what teaches something else', async () => {
    await expect(mixed({ 'a.jsonl': chat, 'b.jsonl': labels })).rejects.toMatchObject({
      code: 'bad_data',
      message: 'a.jsonl and b.jsonl do not mix: the first teaches answers to prompts, the second labels of texts.',
      where: 'file:b.jsonl',
    });
    const numbers = jsonl(Array.from({ length: 6 }, (_, i) => ({ text: `text ${i}`, label: i / 4 + 0.1 })));
    await expect(mixed({ 'a.jsonl': labels, 'b.jsonl': numbers })).rejects.toMatchObject({
      message: 'a.jsonl and b.jsonl do not mix: one has numbers to predict, the other classes.',
    });
  });
});

describe('weights', () => {
  const indices = Array.from({ length: 30 }, (_, i) => i);
  const from = (i: number) => (i < 10 ? 0 : 1);
  const counts = (list: readonly number[]) => [list.filter((i) => i < 10).length, list.filter((i) => i >= 10).length];

  it('are exact to a row, and decided by the seed', () => {
    // round(1.25 · 10) = 13 and round(0.33 · 20) = 7.
    const list = weighted(indices, from, [1.25, 0.33], 42);
    expect(counts(list)).toEqual([13, 7]);
    expect(weighted(indices, from, [1.25, 0.33], 42)).toEqual(list);
    expect(weighted(indices, from, [1.25, 0.33], 43)).not.toEqual(list);
    expect(counts(weighted(indices, from, [2, 1], 1))).toEqual([20, 20]);
    expect(weighted(indices, from, [1, 1], 1)).toEqual(indices);
  });

  it('repeat all before they draw, and draw none twice', () => {
    const list = weighted(indices, from, [2.5, 0.5], 7);
    const times = indices.map((i) => list.filter((other) => other === i).length);
    expect(times.slice(0, 10).every((n) => n === 2 || n === 3)).toBe(true);
    expect(times.slice(10).every((n) => n <= 1)).toBe(true);
    expect(list).toEqual([...list].sort((a, b) => a - b));
  });

  it('change what an epoch has, and not what is held out', async () => {
    const api = createDataApi();
    api.openTokenizer(tokenizerFiles(STORIES));
    const mix = { 'file:b.csv': 0.5, 'file:a.jsonl': 2 };
    const own = { source: 'file:a.jsonl', mix, validation_split: 0.2 };
    await api.parse('mix', packed({ 'a.jsonl': chat, 'b.csv': table }), { ...auto, mix });
    const sft = { type: 'sft', assistant_only_loss: true } as const;
    const { train, validation, stats, rows } = api.tokenize(section(own), sft, 512, 42);
    const sources = stats.sources!;
    expect(sources.map((one) => one.train + one.validation)).toEqual([10, 20]);
    expect(sources.map(({ perEpoch }) => perEpoch)).toEqual([
      2 * sources[0]!.train,
      Math.round(0.5 * sources[1]!.train),
    ]);
    expect(train.length).toBe(stats.trainExamples);
    expect(train.length).toBe(sources[0]!.perEpoch + sources[1]!.perEpoch);
    expect(validation.length).toBe(6);
    const learned = new Set(train.map(({ row }) => row));
    for (const row of rows.validation) expect(learned.has(row)).toBe(false);
    const none = section({ ...own, mix: { 'file:b.csv': 0.001, 'file:a.jsonl': 0.001 } });
    expect(() => api.tokenize(none, sft, 512, 42)).toThrow('an epoch has no example');
  });
});
