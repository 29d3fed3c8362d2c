/**
 * Whether the comparisons with other trainers (scripts/interop) look at every setting that is written for them. They need Python and many
 * minutes; a setting that nobody told them of is found here.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commonRows } from '../../../src/recipe/conversion/registry';
import type { TrainerId } from '../../../src/recipe/conversion/types';

/** PEFT's file has no training section. */
type Trainer = Exclude<TrainerId, 'peft'>;

const CHECKS: Record<Trainer, string> = {
  axolotl: 'check_axolotl.py',
  llamafactory: 'check_llamafactory.py',
  trl: 'check_trl_files.py',
};

/** What is written for them, whatever the value here is. */
const WITHOUT_VALUE: Record<Trainer, readonly string[]> = {
  axolotl: [],
  llamafactory: [],
  // TRL's command line stops at no step; that it keeps the best is checked.
  trl: ['training.early_stopping_patience'],
};

const source = (file: string) => readFileSync(new URL(`../../../scripts/interop/${file}`, import.meta.url), 'utf8');

/** Keys that Python reads from something: a key of a new dictionary, which has a colon after it, is none. */
const keysRead = (python: string) => new Set([...python.matchAll(/(["'])(\w+)\1(?!\s*:)/g)].map(([, , key]) => key));

test.each(Object.keys(CHECKS) as Trainer[])('the check of %s reads each setting of the recipe', (trainer) => {
  const keys = keysRead(source(CHECKS[trainer]) + source('expected_training.py'));
  const written = commonRows
    .filter(([path, row]) => row[trainer]?.write && /^training\./.test(path))
    .map(([path]) => path);
  expect(written.length).toBeGreaterThan(20);
  const unread = written.filter((path) => !keys.has(path.slice(path.lastIndexOf('.') + 1)));
  expect(unread).toEqual(WITHOUT_VALUE[trainer]);
});

test('a key that a check only names itself is not taken for a setting that it reads', () => {
  expect([...keysRead('want = {"fp16": False, "seed": training["seed"], "a": f"{t[\'b\']}"}')]).toEqual(['seed', 'b']);
});
