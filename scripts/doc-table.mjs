// The tables in docs that a script writes: each is between a comment that names the script and one that ends it.
import { readFileSync, writeFileSync } from 'node:fs';

const end = '\n\n<!-- end of table -->';

/** The page's text before, in and after the table of `script`, its markers left out. */
export function readTable(page, script) {
  const begin = `<!-- table: ${script} -->\n\n`;
  const [before, rest] = readFileSync(page, 'utf8').split(begin);
  const [table, ...after] = rest?.split(end) ?? [];
  if (after.length === 0) throw new Error(`${page} has no table between ${begin.trim()} and ${end.trim()}.`);
  return { before, table, after: after.join(end), begin };
}

export function writeTable(page, script, table) {
  const { before, begin, after } = readTable(page, script);
  writeFileSync(page, `${before}${begin}${table}${end}${after}`);
}
