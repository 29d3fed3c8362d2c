import { expect, test } from 'vitest';
import { checkCircles } from '../../../../scripts/lint/circles.mjs';
import { temporaryTree } from './tree';

const tree = temporaryTree();
const { write } = tree;

test('files that import one way are no circle', () => {
  write('src/a.ts', "import './b';\nimport './c';\n");
  write('src/b.ts', "export * from './c';\n");
  write('src/c.ts', "import 'react';\nimport './styles.css';\n");
  expect(checkCircles(tree.root)).toEqual([]);
});

test('circles are found through types, re-exports, dynamic imports and index files', () => {
  write('src/a.ts', "// first line\nimport type { B } from './b';\n");
  write('src/b.ts', "export { a } from './a';\n");
  write('src/c.ts', "export const late = () => import('./d');\n");
  write('src/d/index.ts', "import '../e';\n");
  write('src/e.ts', "export type C = import('./c').C;\n");
  expect(checkCircles(tree.root)).toEqual([
    'src/a.ts:2: import circle src/a.ts -> src/b.ts -> src/a.ts',
    'src/c.ts:1: import circle src/c.ts -> src/d/index.ts -> src/e.ts -> src/c.ts',
  ]);
});

test('a circle is reported once, and the shortest of those that share a file', () => {
  write('src/a.ts', "import './b';\n");
  write('src/b.ts', "import './c';\n");
  write('src/c.ts', "import './a';\nimport './b';\n");
  write('src/self.ts', "import './self';\n");
  write('src/user.ts', "import './a';\nimport './self';\n");
  expect(checkCircles(tree.root)).toEqual([
    'src/b.ts:1: import circle src/b.ts -> src/c.ts -> src/b.ts',
    'src/self.ts:1: import circle src/self.ts -> src/self.ts',
  ]);
});

test('starting a worker is not an import', () => {
  write('src/host.ts', "new Worker(new URL('./worker.ts', import.meta.url));\n");
  write('src/worker.ts', "import { names } from './host';\n");
  expect(checkCircles(tree.root)).toEqual([]);
});
