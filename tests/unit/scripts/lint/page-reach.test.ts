import { expect, test } from 'vitest';
import { checkPageReach } from '../../../../scripts/lint/page-reach.mjs';
import { temporaryTree } from './tree';

const tree = temporaryTree();
const { write } = tree;

test('the page may know the types of the engine and start its workers', () => {
  write('src/main.tsx', "import { start } from './session/host';\nimport './app/styles.css';\n");
  write(
    'src/session/host.ts',
    "import type { Api } from '../workers/engine/api';\nimport Plan from '../workers/plan/plan-worker?worker';\n" +
      "export const start = () => new Worker(new URL('../workers/engine/engine-worker.ts', import.meta.url));\n" +
      "export type Model = import('../engine/models/model').Model;\n",
  );
  write('src/workers/engine/engine-worker.ts', "import '../../engine/run/loop';\n");
  write('src/workers/engine/api.ts', "import '../../engine/run/loop';\n");
  write('src/workers/plan/plan-worker.ts', "import '../../engine/run/loop';\n");
  write('src/engine/run/loop.ts', "import '@tensorflow/tfjs-core';\n");
  write('src/engine/models/model.ts', 'export interface Model {}\n');
  expect(checkPageReach(tree.root)).toEqual([]);
});

test('engine, workers and tfjs are found at the end of a chain, however it is written', () => {
  write('src/main.tsx', "import { a } from './a';\nimport { type Api } from './workers/engine/api';\n");
  write('src/a.ts', "export * from './b';\nexport const late = () => import('./late');\n");
  write('src/b.ts', "import * as tf from '@tensorflow/tfjs-core';\n");
  write('src/late.ts', "import { loss } from './engine/run/loop';\n");
  write('src/engine/run/loop.ts', "import '@tensorflow/tfjs-core';\n");
  write('src/workers/engine/api.ts', 'export interface Api {}\n');
  expect(checkPageReach(tree.root)).toEqual([
    'src/b.ts:1: the page may not load @tensorflow/tfjs-core: src/main.tsx -> src/a.ts -> src/b.ts -> @tensorflow/tfjs-core',
    'src/late.ts:1: the page may not load src/engine/run/loop.ts: src/main.tsx -> src/a.ts -> src/late.ts -> src/engine/run/loop.ts',
    'src/main.tsx:2: the page may not load src/workers/engine/api.ts: src/main.tsx -> src/workers/engine/api.ts',
  ]);
});

test('a tree without a page has nothing to reach', () => {
  write('src/other.ts', "import './engine/run/loop';\n");
  expect(checkPageReach(tree.root)).toEqual([]);
});
