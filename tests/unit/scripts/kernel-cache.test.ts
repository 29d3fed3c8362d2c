import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keepKernels, keptKernels } from '../../../scripts/kernel-cache.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tabtune-kernels-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('keeps what was timed first, of each card and class', () => {
  const inside = path.join(folder, 'cache');
  expect(keptKernels(inside)).toEqual({});
  keepKernels(inside, { one: { version: '1', since: 1, classes: { a: 1, b: 1 } } });
  keepKernels(inside, { one: { version: '1', since: 2, classes: { b: 2, c: 2 } }, two: { version: '1', classes: {} } });
  expect(keptKernels(inside)).toEqual({
    one: { version: '1', since: 1, classes: { a: 1, b: 1, c: 2 } },
    two: { version: '1', classes: {} },
  });
  expect(readdirSync(inside)).toEqual(['kernels.json']);
});

it('replaces what another version of the app has timed', () => {
  keepKernels(folder, { one: { version: '1', classes: { a: 1 } } });
  keepKernels(folder, { one: { version: '2', classes: { b: 2 } } });
  expect(keptKernels(folder)).toEqual({ one: { version: '2', classes: { b: 2 } } });
});

it('makes nothing of a damaged file, and nothing where nothing was timed', () => {
  keepKernels(folder, {});
  expect(readdirSync(folder)).toEqual([]);
  for (const text of ['', '{', '7', 'null']) {
    writeFileSync(path.join(folder, 'kernels.json'), text);
    expect(keptKernels(folder), text).toEqual({});
  }
});
