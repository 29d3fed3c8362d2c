import { expect, test } from 'vitest';
import { checkLayers } from '../../../../scripts/lint/layers.mjs';
import { temporaryTree } from './tree';

const tree = temporaryTree();
const { write } = tree;

test('downward imports are free', () => {
  write('src/app/App.tsx', "import { useState } from 'react';\nimport { run } from '../stores/runs';\n");
  write('src/stores/runs.ts', "import { create } from 'zustand';\nimport type { Session } from '../session/api';\n");
  write('src/workers/engine/service.ts', "import { device } from '../../engine/webgpu/device';\nimport './local';\n");
  write('src/engine/kernels/matmul.ts', "import { dispatch } from '../webgpu/dispatch';\n");
  write('src/engine/run/loop.ts', "import type { Recipe } from '../../recipe/types';\nimport '../models/llama';\n");
  write('src/engine/webgpu/device.ts', "import { engine } from '@tensorflow/tfjs-core';\n");
  expect(checkLayers(tree.root)).toEqual([]);
});

test('upward and sideways imports are found in every way of writing them', () => {
  write('src/recipe/a.ts', "// first line\nimport type { S } from '../stores/runs';\n");
  write('src/data/b.ts', "export {\n  a,\n  b,\n} from '../session/api';\n");
  write('src/engine/c.ts', "export const late = () => import('../hub/hub');\n");
  write('src/storage/d.ts', "export type S = import('../app/App').S;\n");
  write('src/hub/e.ts', "new Worker(new URL('../workers/entry.ts', import.meta.url));\n");
  write('src/engine/models/f.ts', "import { lora } from '../methods/lora';\n");
  write('src/engine/webgpu/g.ts', "import '../kernels/matmul';\n");
  write('src/engine/h.ts', "import { detect } from '../data/detect';\n");
  write('src/session/i.ts', "import App from '../app/App';\n");
  expect(checkLayers(tree.root)).toEqual([
    'src/data/b.ts:4: data may not import session',
    'src/engine/c.ts:1: engine may not import hub',
    'src/engine/h.ts:1: engine may not import data',
    'src/engine/models/f.ts:1: engine/models may not import engine/methods',
    'src/engine/webgpu/g.ts:1: engine/webgpu may not import engine/kernels',
    'src/hub/e.ts:1: hub may not import workers',
    'src/recipe/a.ts:2: recipe may not import stores',
    'src/session/i.ts:1: session may not import app',
    'src/storage/d.ts:1: storage may not import app',
  ]);
});

test('packages and tests stay where they belong', () => {
  write('src/stores/a.ts', "import * as tf from '@tensorflow/tfjs-core';\n");
  write('src/session/b.ts', "import { useState } from 'react';\nimport fs from 'node:fs';\n");
  write('src/base/c.ts', "import { fixture } from '../../tests/fixtures';\n");
  write('src/elsewhere/d.ts', "import './e';\n");
  expect(checkLayers(tree.root)).toEqual([
    'src/base/c.ts:1: src may not import tests/fixtures',
    'src/elsewhere/d.ts:1: src/elsewhere/d is in no layer: name it in scripts/lint/layers.mjs',
    'src/session/b.ts:1: react may be imported only in src/app, src/main',
    'src/session/b.ts:2: node:fs may be imported only in scripts',
    'src/stores/a.ts:1: @tensorflow/tfjs-core may be imported only in src/engine',
  ]);
});

test('descriptors of methods and objectives know no engine and not each other', () => {
  write('src/methods/lora.ts', "import { field } from '../recipe/spec';\nimport { llama } from '../families/llama';\n");
  write(
    'src/methods/full.ts',
    "import type { Recipe } from '../recipe/types';\nimport { sft } from '../objectives/sft';\n",
  );
  write('src/objectives/sft.ts', "import { createSft } from '../engine/objectives/sft';\n");
  write('src/recipe/catalogue.ts', "import { methods } from '../methods';\nimport { field } from './spec';\n");
  write('src/recipe/spec.ts', "import { defaults } from './defaults';\n");
  write('src/engine/methods/lora.ts', "import { lora } from '../../methods/lora';\n");
  expect(checkLayers(tree.root)).toEqual([
    'src/methods/full.ts:1: methods may not import recipe',
    'src/methods/full.ts:2: methods may not import objectives',
    'src/objectives/sft.ts:1: objectives may not import engine/objectives',
    'src/recipe/spec.ts:1: recipe/spec may not import recipe',
  ]);
});

test('comments and strings are not imports', () => {
  write('src/base/a.ts', "// import '../app/App';\nexport const text = \"import x from '../app/App'\";\n");
  expect(checkLayers(tree.root)).toEqual([]);
});
