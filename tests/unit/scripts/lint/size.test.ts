import { expect, test } from 'vitest';
import { checkSize } from '../../../../scripts/lint/size.mjs';
import { temporaryTree } from './tree';

const tree = temporaryTree();
const { write } = tree;

test('code of 400 lines is too long, wherever it is', () => {
  write('src/app/long.tsx', 'x;\n'.repeat(400));
  write('src/app/short.tsx', 'x;\n'.repeat(399));
  write('scripts/long.mjs', 'x;\n'.repeat(512));
  write('tests/fixtures/long.ts', 'x;\n'.repeat(500));
  write('tests/unit/long.json', '\n'.repeat(500));
  expect(checkSize(tree.root)).toEqual([
    'scripts/long.mjs:400: 512 lines; split it into files under 400',
    'src/app/long.tsx:400: 400 lines; split it into files under 400',
  ]);
});
