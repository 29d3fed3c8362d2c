/** docs/INSPECT.md shows what the command prints. WRITE_DOCS=1 (npm run docs) writes it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { diskFolder } from '../../../scripts/disk-folder.mjs';
import { inspect } from '../../../src/inspect';
import { utf8 } from '../data/helpers';

const page = 'docs/INSPECT.md';
const between = /(```json\n)([\s\S]*?)(```)/;

test('the example is the output for its file', async () => {
  const text = readFileSync(page, 'utf8');
  const [, table] = /```csv\n([\s\S]*?)```/.exec(text)!;
  const { title } = JSON.parse(readFileSync('public/models/index.json', 'utf8'))[0];
  const model = { ...diskFolder('public/models/stories', 'builtin:stories'), title };
  const bytes = utf8(table!).buffer as ArrayBuffer;
  const { report } = await inspect({ name: 'tickets.csv', bytes, model, given: {}, rows: 1 });
  const output = `${JSON.stringify(report, null, 2)}\n`;
  if (process.env.WRITE_DOCS)
    writeFileSync(
      page,
      text.replace(between, (_, open, _old, close) => open + output + close),
    );
  expect(between.exec(readFileSync(page, 'utf8'))?.[2]).toBe(output);
});
