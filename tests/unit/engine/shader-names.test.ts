/**
 * No variable of a product's shader hides another: NT, alone and joined, and NN, in the three schemes that put formats into loops or load
 * them. Generators put code of different files together (a scheme's loop, a format's words), and a
 * name that both use would change its meaning halfway without an error of the compiler.
 */
import { expect, test } from 'vitest';
import { columnsAStep, nnShader, ntShader } from '../../../src/engine/kernels/products/matmul-wgsl';
import { quads } from '../../../src/engine/kernels/products/quad-scheme';
import { registers } from '../../../src/engine/kernels/products/register-scheme';
import { ntSegmentsShader } from '../../../src/engine/kernels/products/segments-wgsl';
import { tiles } from '../../../src/engine/kernels/products/tile-scheme';
import type { WeightFormat } from '../../../src/engine/types';
import { GGUF_FORMATS } from '../../parity/blocks';

/** Names that are declared where an enclosing block of the same function has one already. */
function hidden(wgsl: string): string[] {
  const found: string[] = [];
  const scopes: Set<string>[] = [];
  // A loop's counter belongs to its block.
  let next = new Set<string>();
  const words = wgsl.replace(/\/\/.*/g, '').matchAll(/[{}]|\bfor\s*\(\s*var\s+(\w+)|\b(?:let|var)(?:<\w+>)?\s+(\w+)/g);
  for (const [word, counter, name] of words) {
    if (word === '{') {
      scopes.push(next);
      next = new Set();
    } else if (word === '}') scopes.pop();
    else if (scopes.length > 0) {
      const own = counter ?? name!;
      const outer = counter ? scopes : scopes.slice(0, -1);
      if (outer.some((scope) => scope.has(own))) found.push(own);
      (counter ? next : scopes.at(-1)!).add(own);
    }
  }
  return [...new Set(found)];
}

test('finds a name that hides another, and no other', () => {
  expect(hidden('fn f() { let a = 1; { let a = 2; } }')).toEqual(['a']);
  expect(hidden('fn f() { let i = 1; for (var i = 0; i < 2; i++) { } }')).toEqual(['i']);
  expect(
    hidden('fn f() { for (var i = 0; i < 2; i++) { let b = i; } for (var i = 0; i < 2; i++) { let b = i; } }'),
  ).toEqual([]);
  expect(hidden('var<private> a: u32; fn f() { let b = 1; } fn g() { let b = 2; }')).toEqual([]);
});

const schemes = { quads, registers, tiles };
const cases = Object.keys(schemes).flatMap((name) =>
  (['f32', 'bf16', 'nf4', ...GGUF_FORMATS] as const).map((format) => [name as keyof typeof schemes, format] as const),
);

test.each(cases)('%s of %s', (name, format: WeightFormat) => {
  const scheme = schemes[name];
  const spans = scheme !== tiles && !['f32', 'bf16'].includes(format);
  const lora = { quads: true };
  const nt = { tm: 4, tn: scheme === tiles ? 4 : 8, format, spans, quads: true, quadStore: true, lora, residual: true };
  expect(hidden(ntShader({ ...nt, bias: true, part: false }, scheme))).toEqual([]);
  const arrays = { x: [0, 0], w: [0, 0], y: [0, 1], b: [0, 0] };
  expect(hidden(ntSegmentsShader({ ...nt, residual: false, arrays }, scheme))).toEqual([]);
  const tk = scheme === tiles ? 4 : columnsAStep(format);
  const nn = { tm: 4, tk, format, spans, quads: true, leftQuads: true, lora: { leftQuads: true } };
  expect(hidden(nnShader({ ...nn, part: false, add: false, plus: true, split: false }, scheme))).toEqual([]);
});
