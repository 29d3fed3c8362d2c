import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { budget, firstLoad, reportFirstLoad } from '../../../scripts/first-load.mjs';

let dist: string;
beforeEach(() => {
  dist = mkdtempSync(path.join(tmpdir(), 'tabtune-dist-'));
  mkdirSync(path.join(dist, 'assets'));
});
afterEach(() => rmSync(dist, { recursive: true, force: true }));

const write = (name: string, text: string) => writeFileSync(path.join(dist, name), text);

test('what index.html loads at once: entry, static imports and preloads, each once', () => {
  write(
    'index.html',
    `<link rel="modulepreload" crossorigin href="./assets/ahead.js"><link rel="stylesheet" href="./assets/a.css">
     <script type="module" crossorigin src="./assets/index.js"></script>`,
  );
  write(
    'assets/index.js',
    "import './shared.js';export*from'./more.js';import('./later.js');new Worker('./worker.js');",
  );
  write('assets/ahead.js', "import{a}from'./shared.js';a();");
  write('assets/shared.js', "export const a=()=>import('./later.js');");
  write('assets/more.js', `export const text=${JSON.stringify('abcdefghijklmnopqrstuvwxyz'.repeat(3))};`);
  const files = firstLoad(dist);
  expect(files.map(({ name }) => name).sort()).toEqual(
    ['ahead', 'index', 'more', 'shared'].map((name) => `assets/${name}.js`),
  );
  const shared = files.find(({ name }) => name === 'assets/shared.js');
  expect(shared?.bytes).toBe(gzipSync("export const a=()=>import('./later.js');").length);
});

test('the budget is of gzipped bytes, and the sum is said', () => {
  write('index.html', '<script type="module" src="/assets/index.js"></script>');
  const lines: string[] = [];
  const log = (line: string) => lines.push(line);
  write('assets/index.js', `/*${'a'.repeat(budget * 2000)}*/`);
  expect(reportFirstLoad(dist, log)).toBe(true);
  const noise = Array.from({ length: budget * 250 }, (_, i) => Math.sin(i + 1).toString(36)).join('');
  write('assets/index.js', `/*${noise}*/`);
  expect(reportFirstLoad(dist, log)).toBe(false);
  expect(lines.at(-1)).toMatch(/^ *\d+\.\d kB {2}before the engine, gzipped; 250 kB are allowed$/);
});
