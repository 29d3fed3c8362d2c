/** What is done with answers to compare once they are read: imitated, split, edited, searched and looked at. */
import { describe, expect, test } from 'vitest';
import { cellsOf, editOf, headersOf } from '../../../src/app/components/data/cells';
import { finish, nearDuplicates } from '../../../src/data/near-duplicates';
import { inspect } from '../../../src/inspect';
import { showExamples } from '../../../src/stores/table-view';
import { editDataset } from '../../../src/workers/data/edit-dataset';
import { errorOf, jsonl, parse, utf8 } from './helpers';

const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
const read = (rows: unknown[]) => parse('a.jsonl', jsonl(rows));
const looked = async (rows: unknown[], given: Record<string, string> = {}) => {
  const bytes = utf8(jsonl(rows)).buffer as ArrayBuffer;
  return (await inspect({ name: 'a.jsonl', bytes, model: null, given, rows: 2 })).report as Record<string, never>;
};
const trained = (report: { examples?: { spans: { part: string; trained: boolean }[] }[] }) =>
  report.examples?.map(({ spans }) => spans.flatMap((span) => (span.trained ? [span.part] : [])));

const pair = (i: number) => ({ prompt: `p${i}?`, chosen: `good ${i}`, rejected: `bad ${i}` });
const judged = (i: number) => ({ prompt: `p${i}?`, completion: `c${i}`, label: i % 2 === 0 });

describe('which answers are learned', () => {
  test('of pairs both where they are compared, the better one where it is imitated', async () => {
    const compared = await looked(times(8, pair));
    expect([compared.objective, trained(compared)]).toEqual([
      'dpo',
      [
        ['chosen', 'rejected'],
        ['chosen', 'rejected'],
      ],
    ]);
    const imitated = await looked(times(8, pair), { objective: 'sft' });
    expect(trained(imitated)).toEqual([['chosen'], ['chosen']]);
  });

  test('bad answers are learned from where they are judged, and left out where answers are imitated', async () => {
    const kto = await looked(times(8, judged));
    expect([kto.objective, trained(kto)]).toEqual(['kto', [['completion'], ['completion']]]);
    const imitated = await looked(times(8, judged), { objective: 'sft' });
    // Rows 2, 4, 6 and 8 are bad.
    expect(imitated.problems).toMatchObject([{ code: 'unwanted_answer', rows_lost: 4, first_rows: [2, 4, 6, 8] }]);
    expect(trained(imitated)).toEqual([['completion'], []]);
  });

  test('prompts alone are nothing to imitate', async () => {
    const rows = times(8, (i) => ({ prompt: `p${i}?`, ground_truth: `${i}` }));
    expect((await looked(rows)).error).toBeUndefined();
    expect((await looked(rows, { objective: 'sft' })).error).toMatchObject({
      code: 'bad_data',
      message: 'These are prompts without answers, and there is nothing in them to imitate.',
    });
  });
});

test('answers to one prompt stay on one side of the split, whatever the goal', async () => {
  // Each prompt has four pairs.
  const rows = times(32, (i) => ({ ...pair(i), prompt: `p${Math.floor(i / 4)}?` }));
  for (const objective of ['sft', 'dpo']) {
    const { split } = (await looked(rows, { objective, validation_split: '0.2' })) as never as {
      split: { validation: number };
    };
    // A fifth of 32 is 6.4; only whole prompts are held out.
    expect(split.validation % 4).toBe(0);
    expect(split.validation).toBeGreaterThan(0);
  }
});

describe('in the table', () => {
  test('each shape has its columns', () => {
    const shown = (rows: unknown[]) => {
      const dataset = read(rows);
      return [headersOf(dataset), cellsOf(dataset.examples[0]!).map(({ text }) => text)];
    };
    expect(shown(times(3, pair))).toEqual([
      ['Prompt', 'Better answer', 'Worse answer'],
      ['p0?', 'good 0', 'bad 0'],
    ]);
    expect(shown(times(4, judged))).toEqual([
      ['Prompt', 'Answer', 'Judged'],
      ['p0?', 'c0', 'good'],
    ]);
    expect(shown(times(3, (i) => ({ prompt: `p${i}?`, ground_truth: `${i}`, tests: ['x'] })))).toEqual([
      ['Prompt', 'For rewards'],
      ['p0?', 'ground_truth: 0\ntests: ["x"]'],
    ]);
  });

  test('good and bad answers are counted and can be filtered', async () => {
    const dataset = read(times(5, judged));
    const query = { text: '', finding: null, side: null, sample: null, sort: 'row', down: false } as const;
    const { order, balance } = await showExamples(
      dataset,
      { ...query, label: 'bad' },
      { byExample: null, findingRows: [] },
    );
    expect(balance?.labels).toEqual([
      { label: 'good', count: 3 },
      { label: 'bad', count: 2 },
    ]);
    expect([...order!]).toEqual([1, 3]);
  });

  test('the space between a prompt and its answer is no space to take off', async () => {
    const rows = times(3, (i) => ({ chosen: `p${i}? good`, rejected: `p${i}? worse` }));
    const query = { text: '', finding: null, label: null, side: null, sample: null, sort: 'row', down: false } as const;
    const { spaced } = await showExamples(read(rows), query, { byExample: null, findingRows: [] });
    expect(spaced).toEqual([]);
  });

  test('plain answers are edited in their own columns; a prompt inside both answers is not', () => {
    const rows = times(3, pair);
    const dataset = read(rows);
    const fields = editOf(dataset, dataset.examples[1]!, 2, 'worse still');
    expect(fields).toEqual({ rejected: 'worse still' });
    const section = { format: 'auto', columns: null } as const;
    const edit = (file: unknown[], row: number, changed: Record<string, string>) =>
      editDataset('a.jsonl', utf8(jsonl(file)).buffer as ArrayBuffer, section, { kind: 'cells', row, fields: changed });
    const after = parse('a.jsonl', new TextDecoder().decode(edit(rows, 2, fields!)));
    expect(after.examples[1]).toMatchObject({ prompt: 'p1?', chosen: 'good 1', rejected: 'worse still' });

    const implicit = read(times(3, (i) => ({ chosen: `p${i}? good`, rejected: `p${i}? worse` })));
    expect([0, 1, 2].map((cell) => editOf(implicit, implicit.examples[0]!, cell, 'x'))).toEqual([null, null, null]);
    const repeated = times(3, (i) => ({ prompt: `p${i}?`, chosen: `p${i}? good`, rejected: `p${i}? worse` }));
    expect(errorOf(() => edit(repeated, 1, { chosen: 'best' })).message).toMatch(/written in both of its answers/);
  });
});

test('a good and a bad copy of an answer are near, and said to be judged differently', () => {
  const answer = 'The river rises in the northern hills and ends in the long lake below the old mill';
  const { examples } = read([
    { prompt: 'Where does it end?', completion: `${answer}.`, label: true },
    { prompt: 'Where does it end?', completion: `${answer}!!`, label: false },
  ]);
  expect(finish(nearDuplicates(examples))).toMatchObject([{ kept: 1, others: [{ row: 2, otherLabel: true }] }]);
});
