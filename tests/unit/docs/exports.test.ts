/** docs/EXPORTS.md lists the ids of all exports; scripts that name one must go on working. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { exports, isExportId } from '../../../src/exports';

const IDS = [
  ...['peft', 'gguf-adapter', 'mlx'],
  ...['merged-f32', 'merged-bf16', 'merged-f16'],
  ...['gguf-f32', 'gguf-f16', 'gguf-bf16', 'gguf-q8_0', 'gguf-q4_0', 'gguf-q4_k_m'],
  ...['ollama', 'page', 'trl', 'axolotl', 'llamafactory'],
].sort();

/** The second column of the page's table, under `--export`. */
function documented(): string[] {
  const rows = readFileSync('docs/EXPORTS.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const heading = rows.findIndex((cells) => cells[2] === '`--export`');
  expect(heading).toBe(0);
  return rows.slice(2).flatMap((cells) => [...cells[2]!.matchAll(/`([^`]+)`/g)].map(([, id]) => id!));
}

it('every export has the id that it always had, and no other', () => {
  expect(exports.map(({ id }) => id).sort()).toEqual(IDS);
  for (const id of IDS) expect(isExportId(id)).toBe(true);
  expect(isExportId('gguf')).toBe(false);
});

it('docs/EXPORTS.md names each of them once', () => {
  expect(documented().sort()).toEqual(IDS);
});
