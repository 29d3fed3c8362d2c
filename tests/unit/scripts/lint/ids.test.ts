import { beforeEach, describe, expect, test } from 'vitest';
import { checkIds } from '../../../../scripts/lint/ids.mjs';
import { temporaryTree } from './tree';

const tree = temporaryTree();
const { write } = tree;
const broken = (exceptions: Parameters<typeof checkIds>[2] = []) => checkIds(tree.root, undefined, exceptions);
const places = () => broken().map((line) => line.replace(/writes the .* id (.*): .*/, '$1'));

beforeEach(() => {
  write('src/methods/lora.ts', "export const lora = { type: 'lora', fields: { r: { type: 'integer' } } } as const;\n");
  write('src/methods/prefix-tuning.ts', "export const prefix = describe({ type: 'prefix_tuning' });\n");
  write('src/methods/opened.ts', "export const full = { type: 'full' };\nexport const head = { type: 'head' };\n");
  write('src/methods/index.ts', "import * as all from './all';\n");
  write(
    'src/methods/all.ts',
    "export { lora } from './lora';\nexport { prefix } from './prefix-tuning';\nexport { full, head } from './opened';\n",
  );
  write('src/objectives/sft.ts', "export const sft = { type: 'sft' } satisfies Objective;\n");
  write('src/objectives/index.ts', "import * as all from './all';\n");
  write('src/objectives/all.ts', "export { sft } from './sft';\n");
  write('src/families/gemma3.ts', "export const gemma3: Family = { modelType: 'gemma3_text' };\n");
  write('src/families/gpt2.ts', "export const gpt2: Family = { modelType: 'gpt2' };\n");
  write('src/families/all.ts', "export { gemma3 } from './gemma3';\nexport { gpt2 } from './gpt2';\n");
});

test('the registries and the files of an id may write it', () => {
  write('src/engine/methods/lora.ts', "if (section.type !== 'lora') throw new Error();\n");
  write('src/engine/methods/prefix-tuning.ts', "const type = 'prefix_tuning';\n");
  write('src/engine/methods/opened.ts', "const type: 'full' | 'head' = 'full';\n");
  write('src/engine/methods/all.ts', "export { createLora as lora, createPrefix as prefix_tuning } from './lora';\n");
  write('src/engine/models/gemma3.ts', "const family = 'gemma3_text';\n");
  write('src/engine/models/gpt2/blocks.ts', "const family = 'gpt2';\n");
  expect(broken()).toEqual([]);
});

test('other files may not, in every way of writing it', () => {
  write(
    'src/app/a.ts',
    "const a = type === 'lora';\nconst b = `prefix_tuning`;\nswitch (objective.type) {\n  case 'sft':\n}\n" +
      "type D = { type: 'lora' };\nconst e = ['gpt2', x];\nconst f = { prefix_tuning: 1 };\nconst g = { ['sft']: 2 };\n",
  );
  write('src/engine/methods/prefix-tuning.ts', "const other = 'lora';\n");
  write('src/engine/methods/index.ts', "switch (type) {\n  case 'lora':\n}\n");
  expect(broken()).toEqual([
    "src/app/a.ts:1: writes the method id 'lora': ask its descriptor",
    "src/app/a.ts:2: writes the method id 'prefix_tuning': ask its descriptor",
    "src/app/a.ts:4: writes the objective id 'sft': ask its descriptor",
    "src/app/a.ts:6: writes the method id 'lora': ask its descriptor",
    "src/app/a.ts:7: writes the family id 'gpt2': ask its descriptor",
    "src/app/a.ts:8: writes the method id 'prefix_tuning': ask its descriptor",
    "src/app/a.ts:9: writes the objective id 'sft': ask its descriptor",
    "src/engine/methods/index.ts:2: writes the method id 'lora': ask its descriptor",
    "src/engine/methods/prefix-tuning.ts:1: writes the method id 'lora': ask its descriptor",
  ]);
});

test('only the text counts, not names, comments, other cases or parts of a text', () => {
  write(
    'src/app/a.ts',
    "// 'lora'\nimport { lora } from '../methods/lora';\nconst a = 'LORA';\nconst b = 'lora adapters';\n" +
      'const c = { lora };\nconst d = `lora-` + a;\nimport gpt2 from "gpt2";\n',
  );
  expect(broken()).toEqual([]);
});

describe('keys that are one word', () => {
  test('count in a table of ids', () => {
    write('src/app/a.ts', "const names = { lora: 'LoRA', full: 'All weights' };\n");
    write('src/app/b.ts', 'interface Rates {\n  lora: number;\n  head: number;\n}\n');
    expect(places()).toEqual([
      "src/app/a.ts:1: 'full'",
      "src/app/a.ts:1: 'lora'",
      "src/app/b.ts:2: 'lora'",
      "src/app/b.ts:3: 'head'",
    ]);
  });

  test('do not count alone, where they are names of something else', () => {
    write('src/app/a.ts', 'product({ x, lora: { a, b } });\nconst rope = { full: 1, sliding: 2 };\n');
    write('src/app/b.ts', 'interface Model {\n  head: Head;\n  gpt2: boolean;\n}\n');
    expect(broken()).toEqual([]);
  });
});

describe('everyday words', () => {
  test('count next to a name that says method or type', () => {
    write(
      'src/app/a.ts',
      "if (method.type === 'head') go();\nif ('full' !== methodType) go();\nswitch (section.type) {\n  case 'head':\n}\n" +
        "const b = { type: 'full' };\nconst c = { when: { 'method.type': ['head'] } };\ntype D = { type: 'full' };\n" +
        "const methodType = x ? 'head' : undefined;\nfunction f(type = 'full') {}\n",
    );
    expect(places()).toEqual([
      "src/app/a.ts:10: 'full'",
      "src/app/a.ts:1: 'head'",
      "src/app/a.ts:2: 'full'",
      "src/app/a.ts:4: 'head'",
      "src/app/a.ts:6: 'full'",
      "src/app/a.ts:7: 'head'",
      "src/app/a.ts:8: 'full'",
      "src/app/a.ts:9: 'head'",
    ]);
  });

  test('count in a list or a union with another id', () => {
    write('src/app/a.ts', "const opened = new Set(['full', 'head']);\ntype Opened = 'full' | 'lora';\n");
    expect(places()).toEqual([
      "src/app/a.ts:1: 'full'",
      "src/app/a.ts:1: 'head'",
      "src/app/a.ts:2: 'full'",
      "src/app/a.ts:2: 'lora'",
    ]);
  });

  test('do not count anywhere else', () => {
    write(
      'src/app/a.ts',
      "const width = 'full';\nif (size === 'full') go();\ncall('head');\nconst parts = ['head', 'body'];\n" +
        "switch (size) {\n  case 'full':\n}\ntype Size = 'full' | 'half';\nconst a = { width: 'full' };\n",
    );
    expect(broken()).toEqual([]);
  });
});

test('an exception is for a file and the ids that it names, and must be needed', () => {
  write('src/hub/shelf.ts', "const config = { model_type: 'gpt2' };\nconst type = 'lora';\n");
  const why = 'a copy of a config.json';
  expect(broken([{ file: 'src/hub/shelf.ts', why }])).toEqual([]);
  expect(broken([{ file: 'src/hub/shelf.ts', ids: ['gpt2'], why }])).toEqual([
    "src/hub/shelf.ts:2: writes the method id 'lora': ask its descriptor",
  ]);
  expect(broken([{ file: 'src/hub/other.ts', why }])).toContain(
    'src/hub/other.ts:1: its exception in scripts/lint/ids.mjs is not needed',
  );
});

test('a registry in which no id is found is an error, not a pass', () => {
  write('src/objectives/all.ts', "export { sft } from './elsewhere';\n");
  expect(broken()).toEqual(['src/objectives/all.ts:1: exports no constant that has a `type`']);
});
