import { expect, test } from 'vitest';
import { attentionMemory, attentionPath, flashLimits } from '../../../src/engine/kernels/attention/attention-tiles';
import {
  cacheVisible,
  causalVisible,
  fullVisible,
  leftPaddedVisible,
  packedVisible,
  slidingWindow,
} from '../../../src/engine/kernels/attention/visible';
import { gpuBackend } from '../../../src/engine/webgpu/backend';
import {
  checkGradient,
  expectClose,
  expectSameOnGpu,
  gradientsOn,
  probesFor,
  randomValues,
  runOn,
  withBuffers,
  withTraits,
} from '../../kernel-helpers';
import { inputs, op, type Shape } from './attention-case';

const self = (batch: number, length: number, heads: number, kvHeads: number, headDim: number): Shape => ({
  batch,
  queryLength: length,
  keyLength: length,
  heads,
  kvHeads,
  headDim,
});

/** Declares to the kernel that no query sees a later key. */
const causal = (shape: Shape): Shape => ({ ...shape, causal: true });

const cases: [name: string, shape: Shape, visible: Int32Array][] = [
  ['one token', self(1, 1, 1, 1, 4), causalVisible([1], 1)],
  ['causal, as many key heads', self(2, 9, 2, 2, 8), causalVisible([9, 9], 9)],
  ['causal, grouped', self(1, 33, 6, 2, 32), causalVisible([33], 33)],
  ['causal, grouped, declared causal', causal(self(2, 13, 6, 2, 8)), causalVisible([13, 6], 13)],
  ['packed, declared causal', causal(self(1, 17, 3, 1, 4)), packedVisible([[6, 9]], 17)],
  ['odd width', self(2, 13, 3, 1, 10), causalVisible([13, 13], 13)],
  ['width 7', self(1, 6, 2, 1, 7), causalVisible([6], 6)],
  ['right padding, with a row of nothing else', self(3, 11, 4, 2, 16), causalVisible([11, 4, 0], 11)],
  ['left padding', self(2, 10, 2, 1, 12), leftPaddedVisible([10, 3], 10)],
  ['packed documents', self(1, 24, 2, 2, 16), packedVisible([[5, 1, 12]], 24)],
  ['ranges of a sliding window', self(1, 40, 2, 1, 8), slidingWindow(causalVisible([40], 40), 7)],
  ['a window', { ...causal(self(2, 23, 4, 2, 8)), window: 5 }, causalVisible([23, 11], 23)],
  ['a window, left padding', { ...causal(self(2, 13, 2, 1, 12)), window: 3 }, leftPaddedVisible([13, 5], 13)],
  ['soft-capped', { ...causal(self(1, 19, 4, 2, 8)), softcap: 2 }, causalVisible([19], 19)],
  [
    'a window and a soft cap after a cache, odd width',
    { batch: 1, queryLength: 3, keyLength: 20, heads: 3, kvHeads: 1, headDim: 10, window: 4, softcap: 1.5 },
    cacheVisible(9, 3),
  ],
  ['both directions', self(2, 8, 2, 2, 8), fullVisible([8, 5], 8)],
  ['width 64', self(1, 20, 2, 1, 64), causalVisible([20], 20)],
  ['width 128', self(1, 9, 2, 1, 128), causalVisible([9], 9)],
  ['width 132', self(1, 6, 2, 1, 132), causalVisible([6], 6)],
  ['width 256', self(1, 7, 2, 1, 256), causalVisible([7], 7)],
  [
    'one query after a cache',
    { batch: 1, queryLength: 1, keyLength: 64, heads: 6, kvHeads: 2, headDim: 32 },
    cacheVisible(37, 1),
  ],
  [
    'several queries after a cache',
    { batch: 1, queryLength: 5, keyLength: 20, heads: 2, kvHeads: 2, headDim: 8 },
    cacheVisible(9, 5),
  ],
];

/** Texts after a prefix of `past` keys, as in prefix tuning; the padding of a text that is too short sees nothing. */
function afterPrefix(past: number, lengths: number[], length: number): Int32Array {
  return causalVisible(lengths, length).map((end, i) => (i % 2 === 1 && end > 0 ? end + past : end));
}

const prefixed = (shape: Shape, past: number): Shape => ({ ...causal(shape), keyLength: shape.queryLength + past });

cases.push(
  ['after a prefix, a batch', prefixed(self(3, 7, 4, 2, 8), 5), afterPrefix(5, [7, 4, 0], 7)],
  ['after a prefix of odd sizes', prefixed(self(2, 5, 3, 1, 10), 3), afterPrefix(3, [5, 3], 5)],
  ['after a prefix longer than its text', prefixed(self(2, 3, 2, 2, 4), 18), afterPrefix(18, [3, 2], 3)],
  [
    'after a prefix, through a window, soft-capped',
    { ...prefixed(self(2, 9, 4, 2, 8), 6), window: 5, softcap: 2 },
    afterPrefix(6, [9, 5], 9),
  ],
);

const dropout = { p: 0.3, seed: 2 ** 32 - 5, step: 2 ** 31 + 3, site: 4 };
const dropping = (shape: Shape): Shape => ({ ...shape, dropout });

/** Every place that draws a mask, including key ranges that start and end within a group of four. */
const dropped: typeof cases = [
  ['dropout, causal, grouped, declared causal', dropping(causal(self(2, 13, 6, 2, 8))), causalVisible([13, 6], 13)],
  ['dropout, packed, odd width', dropping(causal(self(1, 17, 3, 1, 7))), packedVisible([[6, 9]], 17)],
  [
    'dropout, a window, left padding',
    dropping({ ...causal(self(2, 13, 2, 1, 12)), window: 3 }),
    leftPaddedVisible([13, 5], 13),
  ],
  ['dropout, soft-capped', dropping({ ...causal(self(1, 10, 4, 2, 8)), softcap: 2 }), causalVisible([10], 10)],
  ['dropout, both directions', dropping(self(2, 9, 2, 2, 8)), fullVisible([9, 5], 9)],
];

/** Runs `body` with room for this many bytes of scores. */
async function withScores(bytes: number, body: () => Promise<void>): Promise<void> {
  const own = attentionMemory.scores;
  attentionMemory.scores = bytes;
  try {
    await body();
  } finally {
    attentionMemory.scores = own;
  }
}

/** Runs `body` on the flash path whatever the size, with this much workgroup memory. */
async function withFlash(storage: number, body: () => Promise<void>): Promise<void> {
  const own = { ...flashLimits };
  Object.assign(flashLimits, { keys: 0, rows: 0, storage });
  try {
    await withTraits({ software: false }, body);
  } finally {
    Object.assign(flashLimits, own);
  }
}

/**
 * Several tiles of rows and keys, which end within a tile, for the path that has tiles of 64. Few widths, since SwiftShader compiles its
 * shaders for three seconds each.
 */
const tiled: typeof cases = [
  ['several tiles, causal, grouped', causal(self(2, 75, 6, 2, 8)), causalVisible([75, 50], 75)],
  ['several tiles, a window', { ...causal(self(1, 150, 2, 1, 8)), window: 20 }, causalVisible([150], 150)],
  ['several tiles, packed, odd width', causal(self(1, 140, 1, 1, 7)), packedVisible([[70, 3, 60]], 140)],
  ['several tiles, both directions', self(2, 90, 2, 2, 8), fullVisible([90, 66], 90)],
  [
    'several tiles after a prefix, soft-capped',
    { ...prefixed(self(2, 70, 2, 1, 8), 70), softcap: 2 },
    afterPrefix(70, [70, 5], 70),
  ],
  ['several tiles, dropout', dropping(causal(self(1, 90, 6, 2, 8))), packedVisible([[70, 20]], 90)],
];

/** Short texts on the flash path: every kind of range at width 8, and widths that are odd, of several quads a thread, and in slices. */
const short = [...cases, ...dropped].filter(
  ([name, { headDim, dropout: drops }]) =>
    (headDim === 8 && !drops) ||
    ['width 7', 'width 64', 'width 132', 'width 256', 'dropout, soft-capped'].includes(name),
);

/** The paths that a device may take, each as it is chosen there. */
const ways: { way: string; run(body: () => Promise<void>): Promise<void>; all: typeof cases; slopes: typeof cases }[] =
  [
    ...[true, false].flatMap((software) =>
      (['scores', 'online'] as const).map((way) => {
        // A CPU adapter needs seconds to compile the unrolled code of a wide head: a few narrow ones and one in slices suffice.
        const slow =
          way === 'online' && !software
            ? ['width 64', 'width 128', 'width 256', 'dropout, a window, left padding', 'dropout, both directions']
            : [];
        return {
          way: `${way}, tiles for a ${software ? 'CPU' : 'GPU'}`,
          run: (body: () => Promise<void>) =>
            withTraits({ software }, () => withScores(way === 'scores' ? attentionMemory.scores : 0, body)),
          all: [...cases, ...dropped].filter(([name]) => !slow.includes(name)),
          slopes: [
            ['causal', self(1, 4, 2, 1, 4), causalVisible([4], 4)],
            ['a window', self(2, 7, 4, 2, 10), slidingWindow(causalVisible([7, 5], 7), 4)],
            ['packed', self(1, 17, 2, 1, 16), packedVisible([[6, 9]], 17)],
            ['soft-capped', { ...causal(self(1, 7, 2, 1, 4)), window: 3, softcap: 1.5 }, causalVisible([7], 7)],
            ['a prefix', prefixed(self(2, 5, 2, 1, 6), 4), afterPrefix(4, [5, 3], 5)],
            ['dropout', dropping(self(1, 7, 2, 1, 4)), packedVisible([[2, 5]], 7)],
          ] as typeof cases,
        };
      }),
    ),
    // With the workgroup memory of a good card and of a weak one, which has smaller tiles.
    ...[32, 16].map((kilobytes) => ({
      way: `flash, ${kilobytes} KB`,
      run: (body: () => Promise<void>) => withFlash(kilobytes * 1024, body),
      all: kilobytes === 32 ? [...short, ...tiled] : tiled,
      slopes: [
        ['a window', self(2, 7, 4, 2, 8), slidingWindow(causalVisible([7, 5], 7), 4)],
        ['packed, several tiles', causal(self(1, 70, 1, 1, 7)), packedVisible([[60, 10]], 70)],
        ['soft-capped', { ...causal(self(1, 7, 2, 1, 8)), window: 3, softcap: 1.5 }, causalVisible([7], 7)],
        ['dropout', dropping(self(1, 7, 2, 1, 8)), packedVisible([[2, 5]], 7)],
      ] as typeof cases,
    })),
  ];

for (const { way, run, all, slopes } of ways) {
  test.each(all)(`attention, ${way}: %s: matches the reference`, (_name, shape, visible) =>
    run(() => expectSameOnGpu(op(shape), inputs(shape, visible), { wanted: [0, 1, 2], rtol: 1e-5, atol: 1e-6 })),
  );

  test(`attention, ${way}: gradients match finite differences`, () =>
    run(async () => {
      for (const [, shape, visible] of slopes) {
        await checkGradient(op(shape), inputs(shape, visible), [0, 1, 2], { backend: 'webgpu' });
      }
    }));
}

test('attention: the three paths agree at a length at which a GPU takes the flash path, and equal runs give equal bits', async () => {
  const shape = causal(self(1, 520, 2, 1, 8));
  const attrs = { ...shape, scale: 1 };
  const given = inputs(shape, causalVisible([520], 520));
  const probes = [randomValues([520, 16], 9)];
  const all = async () => [
    ...(await runOn('webgpu', op(shape), given)),
    ...(await gradientsOn('webgpu', op(shape), given, [0, 1, 2], probes)),
  ];
  const flash: Float32Array[][] = [];
  for (let i = 0; i < 2; i++) {
    await withTraits({ software: false }, async () => {
      expect(attentionPath(gpuBackend(), attrs)).toBe('flash');
      flash.push(await all());
    });
  }
  expect(flash[1]).toEqual(flash[0]);
  for (const [path, bytes] of [
    ['scores', attentionMemory.scores],
    ['online', 0],
  ] as const) {
    await withTraits({ software: true }, () =>
      withScores(bytes, async () => {
        expect(attentionPath(gpuBackend(), attrs)).toBe(path);
        for (const [i, values] of (await all()).entries()) {
          expectClose(flash[0]![i]!, values, { rtol: 1e-5, atol: 1e-6 }, `${path} ${i}`);
        }
      }),
    );
  }
});

test('attention: computing the scores of one or two pairs at a time gives the same as all at once', async () => {
  const shape = self(3, 10, 2, 1, 8);
  const given = inputs(shape, causalVisible([10, 7, 3], 10));
  const pair = 2 * 10 * 12 * 4;
  for (const bytes of [pair, 2 * pair]) {
    for (const s of [shape, dropping(shape)]) {
      await withScores(bytes, () => expectSameOnGpu(op(s), given, { wanted: [0, 1, 2], rtol: 1e-5 }));
    }
  }
});

test('attention: a device that binds eight buffers gives the same bits in more dispatches', async () => {
  for (const s of [self(3, 10, 2, 1, 8), dropping(causal(self(2, 13, 6, 2, 10)))]) {
    const given = inputs(s, causalVisible(Array(s.batch).fill(s.queryLength - 1), s.queryLength));
    const probes = await probesFor(op(s), given);
    const ten = await gradientsOn('webgpu', op(s), given, [0, 1, 2], probes);
    expect(await withBuffers(8, () => gradientsOn('webgpu', op(s), given, [0, 1, 2], probes))).toEqual(ten);
  }
});

test('attention: each gradient can be requested alone', async () => {
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

test('attention: scores in the hundreds neither overflow nor lose a row', async () => {
  const shape = self(1, 12, 2, 1, 8);
  const given = inputs(shape, causalVisible([12], 12));
  given[0]!.data.forEach((x, i, data) => {
    data[i] = x * 60;
  });
  await expectSameOnGpu(op(shape), given, { wanted: [0, 1, 2], rtol: 1e-4 });
  const capped = { ...shape, softcap: 50 };
  await expectSameOnGpu(op(capped), given, { wanted: [0, 1, 2], rtol: 1e-4 });
});
