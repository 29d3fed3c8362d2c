import { expect, test } from 'vitest';
import { philox4x32, Stream } from '../../../src/base/random';
import { type AttentionAttrs, type AttentionDropout, attention } from '../../../src/engine/kernels/attention/attention';
import {
  causalVisible,
  leftPaddedVisible,
  packedVisible,
  slidingWindow,
} from '../../../src/engine/kernels/attention/visible';
import { current } from '../../../src/engine/webgpu/live';
import { checkGradient, expectClose, intValues, type Op, randomValues, runOn, type Values } from '../../kernel-helpers';

const op =
  (attrs: AttentionAttrs): Op =>
  (q, k, v, visible) => [attention(q!, k!, v!, visible!, attrs)];

function inputs(a: AttentionAttrs, visible: Int32Array): Values[] {
  return [
    randomValues([a.batch * a.queryLength, a.heads * a.headDim], 1),
    randomValues([a.batch * a.keyLength, a.kvHeads * a.headDim], 2),
    randomValues([a.batch * a.keyLength, a.kvHeads * a.headDim], 3),
    intValues(visible, [a.batch * a.queryLength, 2]),
  ];
}

const attrs: AttentionAttrs = {
  batch: 2,
  queryLength: 6,
  keyLength: 6,
  heads: 4,
  kvHeads: 2,
  headDim: 3,
  scale: 0.6,
};

/** The mask as attention-tiles.ts describes it: rows of keys padded to a multiple of four, four words per call. */
function keptByPhilox({ p, seed, step, site }: AttentionDropout, row: number, keys: number, key: number): number {
  const quad = row * Math.ceil(keys / 4) + Math.floor(key / 4);
  const word = philox4x32([quad, current(step), site, Stream.attention], [seed, 0])[key % 4]!;
  return (word >>> 8) / 2 ** 24 >= p ? 1 / (1 - p) : 0;
}

/** Textbook attention: the whole matrix of scores, masked with −∞, softmax, and keys repeated for each head of the group. */
function textbook(a: AttentionAttrs, [q, k, v, visible]: Values[]): number[] {
  const out: number[] = [];
  for (let b = 0; b < a.batch; b++) {
    for (let i = 0; i < a.queryLength; i++) {
      const query = b * a.queryLength + i;
      for (let h = 0; h < a.heads; h++) {
        const kvHead = Math.floor(h / (a.heads / a.kvHeads));
        const key = (j: number, d: number) => ((b * a.keyLength + j) * a.kvHeads + kvHead) * a.headDim + d;
        const dims = Array.from({ length: a.headDim }, (_, d) => d);
        const weights = Array.from({ length: a.keyLength }, (_, j) => {
          const [first, end] = [visible!.data[query * 2]!, visible!.data[query * 2 + 1]!];
          if (j < first || j >= end) return 0;
          const score = dims.reduce(
            (s, d) => s + q!.data[(query * a.heads + h) * a.headDim + d]! * k!.data[key(j, d)]!,
            0,
          );
          if (j < end - (a.window ?? end)) return 0;
          const scaled = score * a.scale;
          return Math.exp(a.softcap ? a.softcap * Math.tanh(scaled / a.softcap) : scaled);
        });
        const total = weights.reduce((s, w) => s + w, 0);
        const kept = (j: number) => (a.dropout ? keptByPhilox(a.dropout, query * a.heads + h, a.keyLength, j) : 1);
        for (const d of dims) {
          out.push(total === 0 ? 0 : weights.reduce((s, w, j) => s + (w / total) * kept(j) * v!.data[key(j, d)]!, 0));
        }
      }
    }
  }
  return out;
}

test.each([
  ['causal with padding', causalVisible([6, 3], 6), {}],
  ['packed, with ranges of a window', slidingWindow(packedVisible([[2, 4], [6]], 6), 3), {}],
  ['with a window', causalVisible([6, 5], 6), { window: 2 }],
  ['soft-capped', causalVisible([6, 5], 6), { softcap: 0.8 }],
  ['left padding, a window and a soft cap', leftPaddedVisible([6, 4], 6), { window: 3, softcap: 2 }],
  ['with dropout', causalVisible([6, 5], 6), { dropout: { p: 0.4, seed: 7, step: 3, site: 2 } }],
])('attention, %s: matches the textbook', async (_name, visible, more) => {
  const a = { ...attrs, ...more };
  const given = inputs(a, visible);
  const [o] = await runOn('cpu', op(a), given);
  expectClose(o!, textbook(a, given), { rtol: 1e-6 });
});

test('attention: a window narrows ranges as in visible.ts', async () => {
  for (const [window, visible] of [
    [1, causalVisible([6, 3], 6)],
    [4, packedVisible([[2, 4], [6]], 6)],
    [9, causalVisible([6, 6], 6)],
  ] as const) {
    const [a] = await runOn('cpu', op({ ...attrs, window }), inputs(attrs, visible));
    const [b] = await runOn('cpu', op(attrs), inputs(attrs, slidingWindow(visible, window)));
    expect(a).toEqual(b);
  }
});

test('attention by hand: one key gives its value, equal scores give the mean', async () => {
  const one = { batch: 1, queryLength: 2, keyLength: 2, heads: 1, kvHeads: 1, headDim: 1, scale: 1 };
  const [o] = await runOn('cpu', op(one), [
    { data: Float32Array.of(0, 0), shape: [2, 1] },
    { data: Float32Array.of(5, -3), shape: [2, 1] },
    { data: Float32Array.of(2, 8), shape: [2, 1] },
    intValues(causalVisible([2], 2), [2, 2]),
  ]);
  expect([...o!]).toEqual([2, 5]);
});

test('attention: gradients match finite differences', async () => {
  await checkGradient(op(attrs), inputs(attrs, causalVisible([6, 3], 6)), [0, 1, 2]);
  const afterCache = { ...attrs, batch: 1, queryLength: 2, keyLength: 7 };
  await checkGradient(op(afterCache), inputs(afterCache, Int32Array.of(0, 4, 1, 5)), [0, 1, 2]);
  const narrow = { ...attrs, window: 3, softcap: 1.5 };
  await checkGradient(op(narrow), inputs(narrow, causalVisible([6, 4], 6)), [0, 1, 2]);
});

test('attention: dropout keeps the mean; seed, step and site each change the mask', async () => {
  // One head with many queries that see 40 equal keys: o is the fraction of values kept, divided by 1 − p.
  const wide = { batch: 1, queryLength: 300, keyLength: 40, heads: 1, kvHeads: 1, headDim: 1, scale: 1 };
  const given = [
    { data: new Float32Array(300), shape: [300, 1] },
    { data: new Float32Array(40), shape: [40, 1] },
    { data: new Float32Array(40).fill(1), shape: [40, 1] },
    intValues(Array(300).fill([0, 40]).flat(), [300, 2]),
  ];
  const dropout = { p: 0.3, seed: 1, step: 2, site: 3 };
  const run = async (more: Partial<AttentionDropout>) =>
    (await runOn('cpu', op({ ...wide, dropout: { ...dropout, ...more } }), given))[0]!;
  const o = await run({});
  const kept = o.reduce((sum, x) => sum + x * 0.7, 0) / 300;
  expect(Math.abs(kept - 0.7)).toBeLessThan(4 * Math.sqrt((0.3 * 0.7) / 12_000));
  expect(await run({})).toEqual(o);
  for (const other of [{ seed: 9 }, { step: 9 }, { site: 9 }]) expect(await run(other)).not.toEqual(o);
  expect(await run({ p: 0 })).toEqual((await runOn('cpu', op(wide), given))[0]);
  await expect(run({ p: 1 })).rejects.toThrow('below 1');
});

test('attention: gradients with dropout match finite differences', async () => {
  const dropped = { ...attrs, dropout: { p: 0.3, seed: 5, step: 1, site: 4 } };
  await checkGradient(op(dropped), inputs(dropped, causalVisible([6, 3], 6)), [0, 1, 2]);
  const narrow = { ...dropped, window: 3, softcap: 1.5 };
  await checkGradient(op(narrow), inputs(narrow, causalVisible([6, 4], 6)), [0, 1, 2]);
});

test('attention names the shapes that do not match', async () => {
  const given = inputs(attrs, causalVisible([6, 6], 6));
  await expect(runOn('cpu', op({ ...attrs, heads: 3 }), given)).rejects.toThrow('Attention: expected q [12, 3·3]');
});
