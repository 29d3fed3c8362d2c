/** A person's function in its interpreter: what it gets and gives, and the traps. */
import variant from '@jitl/quickjs-wasmfile-release-sync';
import { newQuickJSWASMModuleFromVariant, type QuickJSWASMModule } from 'quickjs-emscripten-core';
import { beforeAll, expect, test } from 'vitest';
import type { ScoredAnswer } from '../../../src/rewards';
import { EXAMPLE_CODE } from '../../../src/rewards/javascript';
import { runCode } from '../../../src/workers/reward/run-code';
import { createRewardApi } from '../../../src/workers/reward/service';

let quickjs: QuickJSWASMModule;
const load = () => newQuickJSWASMModuleFromVariant(variant);
beforeAll(async () => {
  quickjs = await load();
});

const answer: ScoredAnswer = {
  prompt: [{ role: 'user', content: 'Hi' }],
  completion: 'Hello, wörld.',
  columns: { answer: 42 },
  finished: true,
  tokens: Int32Array.of(5, 6, 7),
};
const limits = { milliseconds: 300, bytes: 16 * 2 ** 20 };
const run = (code: string) => runCode(quickjs, code, answer, limits);
const body = (text: string) => run(`function reward(answer) { ${text} }`);

test('it gets all of an answer', () => {
  expect(body('return answer.tokens.reduce((a, b) => a + b)')).toEqual({ value: 18 });
  expect(body('return answer.columns.answer')).toEqual({ value: 42 });
  expect(body('return answer.prompt[0].content === "Hi" && answer.finished ? 1 : 0')).toEqual({ value: 1 });
  expect(body('return answer.completion.match(/\\p{L}+/gu).length')).toEqual({ value: 2 });
  expect(run('const reward = ({ completion }) => completion.length;')).toEqual({ value: 13 });
  expect(run(EXAMPLE_CODE)).toEqual({ value: 1 });
  expect(body('return null')).toEqual({ value: null });
});

test.each([
  ['', 'it returned nothing'],
  ['return NaN', 'it returned NaN'],
  ['return 1 / 0', 'it returned Infinity'],
  ['return "1"', 'it returned the text "1"'],
  ['return true', 'it returned true, and not a number'],
  ['return {}', 'it returned an object'],
  ['return 1n', 'it returned a bigint'],
  ['return Promise.resolve(1)', 'it returned a promise, which nobody waits for'],
  ['throw new Error("oops")', 'line 1, oops'],
  ['\nreturn answer.x.y', "line 2, TypeError: cannot read property 'y' of undefined"],
  ['throw "x"', 'it threw the text "x"'],
  ['throw null', 'it threw an object'],
])('%j is an error that says so', (text, wrong) => {
  expect(body(text)).toEqual({ wrong });
});

test('code that is no code, or has no function', () => {
  expect(run('function reward() {\n  return 1 +;\n}')).toEqual({
    wrong: "line 2, SyntaxError: unexpected token in expression: ';'",
  });
  expect(run('const x = 1')).toEqual({ wrong: 'there is no function called reward in it' });
  expect(run('const reward = 1')).toEqual({ wrong: 'there is no function called reward in it' });
});

test('code without an end is ended, whatever it catches', () => {
  const late = { wrong: 'it did not come to an end within 0.3 seconds' };
  expect(body('for (;;);')).toEqual(late);
  expect(run('for (;;); function reward() {}')).toEqual(late);
  expect(body('for (;;) { try { for (;;); } catch {} }')).toEqual(late);
  expect(body('throw { get message() { for (;;); } }')).toEqual(late);
  expect(body('return /^(a+)+$/.test("a".repeat(40) + "b") ? 1 : 0')).toEqual(late);
  expect(body('return reward(answer) + 1')).toEqual({ wrong: expect.stringMatching(/stack/) });
  // It may leave work behind that nobody ever does.
  expect(body('const f = () => Promise.resolve().then(f); f(); return 1')).toEqual({ value: 1 });
});

test('memory without an end is refused', () => {
  const much = { wrong: 'it took more memory than there is for it' };
  expect(body('const all = []; for (;;) all.push(new Uint8Array(1e6))')).toEqual(much);
  expect(body('let s = "x"; for (;;) s += s')).toEqual({ wrong: 'line 1, string too long' });
  expect(body('return "x".repeat(2 ** 29).length')).toEqual(much);
  expect(body('return 7')).toEqual({ value: 7 });
});

test('what changes from one time to the next is refused', () => {
  for (const now of ['Date.now()', 'new Date().getTime()', 'Date()', 'new (new Date(5).constructor)().getTime()']) {
    expect(body(`return Number(${now})`)).toEqual({ wrong: expect.stringContaining('it asked for the present time') });
  }
  expect(body('return Math.random()')).toEqual({ wrong: expect.stringContaining('it asked for a random number') });
  expect(body('return new Date(2020, 0, 1).getFullYear()')).toEqual({ value: 2020 });
  // One answer leaves nothing behind for the next.
  const counting = 'globalThis.n = (globalThis.n ?? 0) + 1; let m = 0; function reward() { return ++n + ++m; }';
  expect([run(counting), run(counting)]).toEqual([{ value: 3 }, { value: 3 }]);
});

test('it has the language and nothing else', () => {
  const names = body('throw new Error(Object.getOwnPropertyNames(globalThis).join(" "))') as { wrong: string };
  const language = Object.getOwnPropertyNames(globalThis);
  const extra = names.wrong
    .replace('line 1, ', '')
    .split(' ')
    .filter((name) => !language.includes(name));
  // QuickJS's own name of the errors of its limits, Iterator where this Node has none, and the function itself.
  expect(extra.filter((name) => !['InternalError', 'Iterator', 'Float16Array', 'reward'].includes(name))).toEqual([]);
  for (const name of [
    ...['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'importScripts', 'Worker', 'postMessage', 'onmessage'],
    ...[
      'self',
      'window',
      'document',
      'navigator',
      'location',
      'indexedDB',
      'caches',
      'BroadcastChannel',
      'MessageChannel',
    ],
    ...[
      'process',
      'require',
      'console',
      'print',
      'std',
      'os',
      'bjson',
      'WebAssembly',
      'setTimeout',
      'performance',
      'crypto',
    ],
  ]) {
    expect(body(`return typeof ${name} === "undefined" ? 1 : 0`), name).toEqual({ value: 1 });
  }
  // Code made from text has no more than that either.
  expect(body('return new Function("return typeof fetch")() === "undefined" ? 1 : 0')).toEqual({ value: 1 });
  expect(run('import "https://example.com/x.js"; function reward() { return 1 }')).toEqual({
    wrong: expect.stringContaining('SyntaxError'),
  });
  expect(body('return import("https://example.com/x.js")')).toEqual({
    wrong: 'it returned a promise, which nobody waits for',
  });
});

test('many answers leave no memory behind', () => {
  const heap = () => quickjs.getWasmMemory().buffer.byteLength;
  for (let i = 0; i < 50; i++) run(EXAMPLE_CODE);
  const before = heap();
  for (let i = 0; i < 1000; i++) expect(run(EXAMPLE_CODE)).toEqual({ value: 1 });
  expect(heap()).toBe(before);
});

test('the worker scores up to the first answer without a reward, and goes on afterwards', async () => {
  const api = createRewardApi(load);
  const asked: number[] = [];
  const answers = ['a', 'b', 'c'].map((completion) => ({ ...answer, completion }));
  const code = 'function reward({ completion }) { if (completion !== "b") return completion.length; }';
  expect(await api.run(code, answers, (at) => asked.push(at))).toEqual([
    { value: 1 },
    { wrong: 'it returned nothing' },
  ]);
  expect(asked).toEqual([0, 1]);
  expect(await api.run(EXAMPLE_CODE, [answer], () => {})).toEqual([{ value: 1 }]);
});
