/** docs/ADDING.md names files that exist, and answers all of its questions. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = readFileSync('docs/ADDING.md', 'utf8');
const section = (heading: string) => page.slice(page.indexOf(heading));

test('every path exists, in a sentence or as an answer', () => {
  const paths = [...page.matchAll(/`((?:src|tests|docs|scripts)\/[\w./-]+)`/g)].map(([, path]) => path!);
  const written = paths.filter((path) => !path.includes('NAME'));
  expect(written.length).toBeGreaterThan(20);
  expect(written.filter((path) => !existsSync(path))).toEqual([]);
});

test('ten questions have ten answers', () => {
  const numbered = (text: string) => [...text.matchAll(/^(\d+)\. /gm)].map(([, n]) => Number(n));
  const [questions, answers] = section('## Where is it?').split('<details>') as [string, string];
  const ten = Array.from({ length: 10 }, (_, i) => i + 1);
  expect(numbered(questions)).toEqual(ten);
  expect(numbered(answers)).toEqual(ten);
});
