/** `npm run self-instruct` with the built-in model, which is too small for more than a try. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@playwright/test';
import type { DatasetRow, SelfInstructDraft } from '../../src/self-instruct';
import { seedTasks } from '../../src/self-instruct/seed-tasks';
import { PATIENCE } from './support/studio';

let folder: string;
test.beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tabtune-e2e-'));
});
test.afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]) =>
  spawnSync(process.execPath, ['scripts/self-instruct.mjs', ...args], { encoding: 'utf8', timeout: PATIENCE });
const read = (...names: string[]) => readFileSync(path.join(folder, ...names), 'utf8');

test('from twenty seeds it writes a dataset, prints its funnel, and goes on where it was', () => {
  const seeds = path.join(folder, 'seeds.jsonl');
  writeFileSync(
    seeds,
    seedTasks
      .slice(0, 20)
      .map(({ classification, ...task }) => `${JSON.stringify({ ...task, is_classification: classification })}\n`)
      .join(''),
  );
  const out = path.join(folder, 'out');
  const writing = ['--seeds', seeds, '--out', out, '--temperature', '1.5', '--top-p', '1', '--max-tokens', '48'];
  const first = run(...writing, '--prompts-per-round', '8', '--count', '1');
  expect(first.stderr).not.toContain('Error');
  expect(first.status).toBe(0);
  const draft: SelfInstructDraft = JSON.parse(read('out', 'draft.json'));
  expect(draft.seeds).toHaveLength(20);
  expect(draft.tasks.length).toBeGreaterThan(0);
  expect(first.stdout).toContain(`Instructions (${draft.tasks.length} of ${draft.funnel.instructions.written} kept`);
  expect(first.stdout).toContain('ROUGE-L above 0.7 with another');
  expect(first.stdout).toContain(read('out', 'funnel.txt'));
  const rows = read('out', 'dataset.jsonl')
    .trim()
    .split('\n')
    .map((line): DatasetRow => JSON.parse(line));
  expect(rows.filter(({ source }) => source === 'seed').length).toBe(
    seedTasks.slice(0, 20).reduce((sum, { instances }) => sum + instances.length, 0),
  );
  // There is enough: nothing more is written.
  const again = run(...writing, '--count', '1');
  expect(again.stdout).toBe(first.stdout);
  expect(JSON.parse(read('out', 'draft.json')).tasks).toEqual(draft.tasks);
});

test('what cannot be used ends it with one line', () => {
  writeFileSync(path.join(folder, 'notes.txt'), 'mine');
  const other = run('--out', folder);
  expect([other.status, other.stderr]).toEqual([1, expect.stringContaining('notes.txt, which is not of this command')]);
  const seeds = path.join(folder, 'seeds.jsonl');
  writeFileSync(seeds, '{"instruction": "Name it."}\n');
  const bad = run('--seeds', seeds, '--out', path.join(folder, 'out'));
  expect([bad.status, bad.stderr]).toEqual([1, expect.stringContaining('seeds.jsonl: This task has no output.')]);
  const usage = run('--count', '0.5', '--out', path.join(folder, 'out'));
  expect([usage.status, usage.stderr]).toEqual([1, expect.stringContaining('--count must be a whole number')]);
});
