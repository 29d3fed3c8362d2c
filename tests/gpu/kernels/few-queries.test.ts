import { expect, test } from 'vitest';
import { cacheVisible, causalVisible } from '../../../src/engine/kernels/attention/visible';
import { checkGradient, expectSameOnGpu, runOn, withTraits } from '../../kernel-helpers';
import { inputs, op, type Shape } from './attention-case';

const CASES: [name: string, shape: Shape, visible: ArrayLike<number>][] = [
  [
    'grouped heads of SmolLM2, several blocks of keys',
    { batch: 1, queryLength: 1, keyLength: 640, heads: 9, kvHeads: 3, headDim: 64 },
    cacheVisible(600, 1),
  ],
  [
    'exactly one block of keys',
    { batch: 1, queryLength: 1, keyLength: 256, heads: 2, kvHeads: 1, headDim: 8 },
    cacheVisible(255, 1),
  ],
  [
    'rows of different lengths, one of which has ended',
    { batch: 3, queryLength: 1, keyLength: 320, heads: 4, kvHeads: 2, headDim: 12 },
    [0, 300, 0, 0, 3, 17],
  ],
  [
    'four queries, odd width, a window that begins within a block',
    { batch: 2, queryLength: 4, keyLength: 300, heads: 3, kvHeads: 1, headDim: 7, window: 270 },
    [...cacheVisible(290, 4), ...cacheVisible(3, 4)],
  ],
  [
    'a soft cap',
    { batch: 1, queryLength: 2, keyLength: 270, heads: 2, kvHeads: 2, headDim: 10, softcap: 1.5 },
    cacheVisible(265, 2),
  ],
  [
    'the widest heads',
    { batch: 1, queryLength: 1, keyLength: 40, heads: 2, kvHeads: 1, headDim: 256 },
    cacheVisible(33, 1),
  ],
  [
    'a width of more than a third of the lanes',
    { batch: 1, queryLength: 3, keyLength: 20, heads: 2, kvHeads: 1, headDim: 130 },
    cacheVisible(9, 3),
  ],
];

test.each(CASES)('attention of few queries: %s', (_name, shape, visible) =>
  withTraits({ software: false }, () => expectSameOnGpu(op(shape), inputs(shape, visible), { rtol: 1e-5, atol: 1e-6 })),
);

test('attention of few queries: gradients match finite differences', () =>
  withTraits({ software: false }, () => {
    const shape = { batch: 2, queryLength: 3, keyLength: 3, heads: 2, kvHeads: 1, headDim: 6, causal: true };
    return checkGradient(op(shape), inputs(shape, causalVisible([3, 2], 3)), [0, 1, 2], { backend: 'webgpu' });
  }));

test('attention of few queries: two runs give the same bits, and scores in the hundreds do not overflow', () =>
  withTraits({ software: false }, async () => {
    const [, shape, visible] = CASES[0]!;
    const given = inputs(shape, visible);
    given[0]!.data.forEach((x, i, data) => {
      data[i] = x * 60;
    });
    await expectSameOnGpu(op(shape), given, { rtol: 1e-4 });
    expect(await runOn('webgpu', op(shape), given)).toEqual(await runOn('webgpu', op(shape), given));
  }));
