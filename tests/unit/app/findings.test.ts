/** The findings of the Data page: one line for each kind, and what a press does about it. */
import { expect, test } from 'vitest';
import '../stores/fake-session';
import { parseDataset } from '../../../src/data/parse';
import { LIMIT_PER_CODE } from '../../../src/data/problems';
import type { ReadingSection } from '../../../src/recipe/sections';

const { groupFindings } = await import('../../../src/app/components/data/groupFindings');
const { listFindings, useFindings } = await import('../../../src/stores/findings');
const { useData } = await import('../../../src/stores/data');

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (name: string, text: string, section: Partial<ReadingSection> = {}) =>
  parseDataset(name, bytes(text), { format: 'auto', columns: null, ...section });
const found = (name: string, text: string, section: Partial<ReadingSection> = {}) => {
  const dataset = read(name, text, section);
  return groupFindings(dataset.problems, { dataset, columns: null, editable: true });
};
const rated = (row: number, kto_tag: boolean) =>
  JSON.stringify({ instruction: `Question ${row}`, output: `Answer ${row}`, kto_tag });

test('rows of one kind are one line, which counts them and says what became of them', () => {
  const text = Array.from({ length: 30 }, (_, i) => rated(i + 1, i % 3 > 0)).join('\n');
  const [bad] = found('a.jsonl', text, { format: 'alpaca' });
  expect(bad).toMatchObject({
    kind: 'unwanted_answer',
    count: 10,
    rows: [1, 4, 7, 10, 13, 16, 19, 22, 25, 28],
    sentence: '10 answers are marked as bad: left out.',
  });
  expect(bad!.details[1]).toMatchObject({ row: 4, message: 'Row 4 is marked as a bad answer (kto_tag: false).' });
});

test('keeping the bad answers keeps every row', () => {
  const text = Array.from({ length: 30 }, (_, i) => rated(i + 1, i % 3 > 0)).join('\n');
  const [fix] = found('a.jsonl', text, { format: 'alpaca' })[0]!.fixes;
  expect(fix!.label).toBe('Keep them');
  const { set } = fix as { set: Record<string, Record<string, string>> };
  expect(read('a.jsonl', text, { columns: set['dataset.columns']! }).examples).toHaveLength(30);
});

test('every row is known, however many there are', () => {
  const copies = LIMIT_PER_CODE + 100;
  const [copied] = found('a.csv', `prompt,completion\n${'a,b\n'.repeat(copies + 1)}`);
  expect(copied).toMatchObject({ kind: 'duplicate kept', count: copies });
  expect(copied!.rows).toEqual(Array.from({ length: copies }, (_, i) => i + 2));
  expect(copied!.sentence).toBe('300 rows are copies of another: kept, and count twice.');
});

test('a single problem is said in its own words', () => {
  const [copy] = found('a.csv', 'prompt,completion\na,b\nc,d\na,b\n');
  expect(copy).toMatchObject({ count: 1, rows: [3], sentence: 'Row 3 is the same as row 1.', details: [] });
});

test('the answers that a problem offers are its fixes', () => {
  const rows = ['Positive', 'positive', 'negative', 'Positive'].map((label, i) => `text ${i},${label}`);
  const alike = found('a.csv', ['text,label', ...rows].join('\n')).find(({ kind }) => kind.startsWith('alike_labels'));
  expect(alike!.fixes).toEqual([{ label: 'Read as one', set: { 'dataset.merge_labels': true } }]);
});

test('other checks add theirs, until the dataset changes', () => {
  const own = found('a.csv', 'prompt,completion\na,b\na,b\n');
  const secret = { kind: 'keys', severity: 'error', count: 2, rows: [1, 2], sentence: 'x', advice: '' } as const;
  useFindings.getState().put('personal data', [{ ...secret, details: [], fixes: [] }]);
  expect(listFindings(own, useFindings.getState().from).map(({ kind }) => kind)).toEqual(['keys', 'duplicate kept']);
  useData.setState({ dataset: read('a.csv', 'prompt,completion\na,b\n') });
  expect(listFindings(own, useFindings.getState().from)).toEqual(own);
});
