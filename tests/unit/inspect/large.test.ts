/**
 * Files of 200,000 rows, by the command as people run it: within 5 seconds of one idle processor's time and 600 MB. Twice that time is
 * allowed, because what else runs on the machine slows down even the seconds that a process is given.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureNodeModule } from '../../../scripts/build.mjs';

const ROWS = 200_000;
const words = 'a lamp by the old harbour keeps watch while boats return with salt on their ropes'.split(' ');
const sentence = (i: number) =>
  Array.from({ length: 9 }, (_, k) => words[(i * 7 + k * (1 + (i % 5))) % words.length]).join(' ');
const lines = (make: (i: number) => string) => Array.from({ length: ROWS }, (_, i) => make(i)).join('\n');

const files: Record<string, string> = {
  'quotes.csv': `text,label\n${lines((i) => `${i % 40 === 7 ? '"' : ''}${sentence(i)} ${i},${i % 2 ? 'on' : 'off'}`)}\n`,
  'plain.csv': `prompt,completion\n${lines((i) => `"${sentence(i)}, ${i}?","${sentence(i + 3)}."`)}\n`,
  'chat.jsonl': lines((i) =>
    JSON.stringify({
      messages: [
        { role: 'user', content: `${sentence(i)} ${i}?` },
        { role: 'assistant', content: sentence(i + 3) },
      ],
    }),
  ),
};

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tabtune-inspect-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  // Building it is not reading.
  await ensureNodeModule('src/inspect/index.ts');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const told = 'process.on("exit", () => console.error(JSON.stringify(process.resourceUsage())))';

test.each(Object.keys(files))('%s', async (name) => {
  const args = [
    '--import',
    `data:text/javascript,${told}`,
    'scripts/inspect.mjs',
    path.join(folder, name),
    '--rows',
    '1',
  ];
  const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((resolve, reject) => {
    execFile(process.execPath, args, (error, out, err) =>
      error ? reject(error) : resolve({ stdout: out, stderr: err }),
    );
  });
  const { rows, split } = JSON.parse(stdout);
  expect({ rows, split }).toMatchObject({
    rows: { total: ROWS, examples: ROWS, lost: 0 },
    split: { train: ROWS * 0.9, validation: ROWS * 0.1 },
  });
  const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(stderr);
  // Microseconds and kilobytes. Of the processor, not of the clock: others may use the machine.
  expect((userCPUTime + systemCPUTime) / 1e6).toBeLessThan(2 * 5);
  expect(maxRSS / 1024).toBeLessThan(600);
});
