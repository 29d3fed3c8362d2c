import { expect, test } from 'vitest';
import { type AttentionAttrs, attention } from '../../../src/engine/kernels/attention';
import {
  cacheVisible,
  causalVisible,
  fullVisible,
  leftPaddedVisible,
  packedVisible,
  slidingWindow,
} from '../../../src/engine/kernels/visible';
import type { Op, Values } from '../../kernel-helpers';
import {
  checkGradient,
  expectSameOnGpu,
  gradientsOn,
  intValues,
  probesFor,
  randomValues,
  runOn,
  withTraits,
} from '../../kernel-helpers';

type Shape = Omit<AttentionAttrs, 'scale'>;

const op =
  (shape: Shape): Op =>
  (q, k, v, visible) => [attention(q!, k!, v!, visible!, { ...shape, scale: 1 / Math.sqrt(shape.headDim) })];

function inputs(s: Shape, visible: Int32Array): Values[] {
  return [
    randomValues([s.batch * s.queryLength, s.heads * s.headDim], 1, 1.5),
    randomValues([s.batch * s.keyLength, s.kvHeads * s.headDim], 2, 1.5),
    randomValues([s.batch * s.keyLength, s.kvHeads * s.headDim], 3),
    intValues(visible, [s.batch * s.queryLength, 2]),
  ];
}

const self = (batch: number, length: number, heads: number, kvHeads: number, headDim: number): Shape => ({
  batch,
  queryLength: length,
  keyLength: length,
  heads,
  kvHeads,
  headDim,
});

/** No query sees a later key, and the kernel is told so. */
const told = (shape: Shape): Shape => ({ ...shape, causal: true });

const cases: [name: string, shape: Shape, visible: Int32Array][] = [
  ['one token', self(1, 1, 1, 1, 4), causalVisible([1], 1)],
  ['causal, as many key heads', self(2, 9, 2, 2, 8), causalVisible([9, 9], 9)],
  ['causal, grouped', self(1, 33, 6, 2, 32), causalVisible([33], 33)],
  ['causal, grouped, and told so', told(self(2, 13, 6, 2, 8)), causalVisible([13, 6], 13)],
  ['packed, and told so', told(self(1, 17, 3, 1, 4)), packedVisible([[6, 9]], 17)],
  ['odd width', self(2, 13, 3, 1, 10), causalVisible([13, 13], 13)],
  ['width 7', self(1, 6, 2, 1, 7), causalVisible([6], 6)],
  ['padding behind, one row of it', self(3, 11, 4, 2, 16), causalVisible([11, 4, 0], 11)],
  ['padding in front', self(2, 10, 2, 1, 12), leftPaddedVisible([10, 3], 10)],
  ['packed documents', self(1, 24, 2, 2, 16), packedVisible([[5, 1, 12]], 24)],
  ['sliding window', self(1, 40, 2, 1, 8), slidingWindow(causalVisible([40], 40), 7)],
  ['both directions', self(2, 8, 2, 2, 8), fullVisible([8, 5], 8)],
  ['width 64', self(1, 20, 2, 1, 64), causalVisible([20], 20)],
  ['width 128', self(1, 9, 2, 1, 128), causalVisible([9], 9)],
  ['width 256', self(1, 7, 2, 1, 256), causalVisible([7], 7)],
  [
    'one query behind a cache',
    { batch: 1, queryLength: 1, keyLength: 64, heads: 6, kvHeads: 2, headDim: 32 },
    cacheVisible(37, 1),
  ],
  [
    'several queries behind a cache',
    { batch: 1, queryLength: 5, keyLength: 20, heads: 2, kvHeads: 2, headDim: 8 },
    cacheVisible(9, 5),
  ],
];

for (const software of [true, false]) {
  const variant = software ? 'tiles for a CPU' : 'tiles for a GPU';
  // A software adapter needs seconds to compile the unrolled code of a wide head: one narrow, one in slices is enough.
  const some = software ? cases : cases.filter(([name]) => name !== 'width 64' && name !== 'width 128');
  test.each(some)(`attention, ${variant}: %s, as the reference`, (_name, shape, visible) =>
    withTraits({ software }, () =>
      expectSameOnGpu(op(shape), inputs(shape, visible), { wanted: [0, 1, 2], rtol: 1e-5, atol: 1e-6 }),
    ),
  );

  test(`attention, ${variant}: gradients against finite differences`, () =>
    withTraits({ software }, async () => {
      for (const [shape, visible] of [
        [self(1, 4, 2, 1, 4), causalVisible([4], 4)],
        [self(2, 7, 4, 2, 10), slidingWindow(causalVisible([7, 5], 7), 4)],
        [self(1, 17, 2, 1, 16), packedVisible([[6, 9]], 17)],
      ] as const) {
        await checkGradient(op(shape), inputs(shape, visible), [0, 1, 2], { backend: 'webgpu' });
      }
    }));
}

test('attention: each gradient may be asked for alone', async () => {
  const shape = self(1, 9, 4, 2, 8);
  const given = inputs(shape, causalVisible([9], 9));
  const probes = await probesFor(op(shape), given);
  const all = await gradientsOn('webgpu', op(shape), given, [0, 1, 2], probes);
  for (const i of [0, 1, 2]) {
    expect(await gradientsOn('webgpu', op(shape), given, [i], probes)).toEqual([all[i]]);
  }
});

test('attention: a query that sees nothing gives zeros and takes no gradient', async () => {
  const shape = self(1, 6, 2, 1, 8);
  const given = inputs(shape, causalVisible([2], 6));
  const [o] = await runOn('webgpu', op(shape), given);
  expect(o!.subarray(2 * 16).every((v) => v === 0)).toBe(true);
  expect(o!.subarray(0, 2 * 16).every((v) => v !== 0)).toBe(true);
  const probes = await probesFor(op(shape), given);
  const [dq, dk, dv] = await gradientsOn('webgpu', op(shape), given, [0, 1, 2], probes);
  for (const d of [dq!.subarray(2 * 16), dk!.subarray(2 * 8), dv!.subarray(2 * 8)]) {
    expect(d.every((v) => v === 0)).toBe(true);
  }
});

test('attention: scores of hundreds neither overflow nor lose a row', async () => {
  const shape = self(1, 12, 2, 1, 8);
  const given = inputs(shape, causalVisible([12], 12));
  given[0]!.data.forEach((x, i, data) => {
    data[i] = x * 60;
  });
  await expectSameOnGpu(op(shape), given, { wanted: [0, 1, 2], rtol: 1e-4 });
});
