import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cacheFolder, takeProfile } from '../../../scripts/model-cache.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tabtune-cache-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ['/mine', { env: { TABTUNE_CACHE: '/set' }, platform: 'linux', home: '/home/ann' }, '/mine'],
  [null, { env: { TABTUNE_CACHE: '/set' }, platform: 'linux', home: '/home/ann' }, '/set'],
  [null, { env: { XDG_CACHE_HOME: '/xdg' }, platform: 'linux', home: '/home/ann' }, '/xdg/tabtune'],
  [null, { env: {}, platform: 'linux', home: '/home/ann' }, '/home/ann/.cache/tabtune'],
  [undefined, { env: {}, platform: 'darwin', home: '/Users/ann' }, '/Users/ann/Library/Caches/tabtune'],
  ['', { env: { LOCALAPPDATA: '/local' }, platform: 'win32', home: '/ann' }, '/local/tabtune'],
])('--cache %s on %j is %s', (given, system, expected) => {
  expect(cacheFolder(given, system)).toBe(expected);
});

test('a profile serves one run at a time; the next one is free again when it ends', () => {
  const first = takeProfile(folder);
  expect(first).toMatchObject({ profile: path.join(folder, 'browser'), first: true });
  const second = takeProfile(folder);
  expect(second).toMatchObject({ profile: path.join(folder, 'browser-2'), first: false });
  first.release();
  expect(takeProfile(folder).profile).toBe(first.profile);
});

/** Higher than any system counts: the number of a process that was can be given to another one. */
const NO_PROCESS = 2 ** 31 - 1;

test('what a killed run held is taken over', () => {
  for (const content of [String(NO_PROCESS), 'not a number', '']) {
    writeFileSync(path.join(folder, 'browser.lock'), content);
    const taken = takeProfile(folder);
    expect(taken.profile, content).toBe(path.join(folder, 'browser'));
    taken.release();
  }
  expect(readdirSync(folder)).toEqual([]);
});
