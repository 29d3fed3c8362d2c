import { expect, test } from 'vitest';
import type { GluActivation } from '../../../src/engine/kernels/pointwise/glu';
import { fewRows } from '../../../src/engine/kernels/products/few-rows';
import { linear } from '../../../src/engine/kernels/products/linear';
import type { WeightFormat } from '../../../src/engine/types';
import {
  expectClose,
  expectSameOnGpu,
  type Op,
  randomValues,
  runOn,
  type Values,
  withTraits,
} from '../../kernel-helpers';
import { storedWeights } from '../../parity/blocks';
import { weightOn, weightValues } from '../../parity/products';

interface Segment {
  n: number;
  format?: WeightFormat;
  rank?: number;
  bias?: boolean;
}

interface Case {
  m: number;
  k: number;
  segments: Segment[];
  norm?: boolean;
  residual?: boolean;
  activation?: GluActivation;
}

function caseOf({ m, k, segments, norm, residual, activation }: Case): { op: Op; inputs: Values[] } {
  const inputs: Values[] = [];
  const add = (shape: number[], scale = 1) => inputs.push(randomValues(shape, inputs.length + 1, scale)) - 1;
  const x = add([m, k]);
  const weight = norm ? add([k]) : -1;
  const before = residual ? add([m, segments[0]!.n]) : -1;
  const places = segments.map(({ n, format = 'f32', rank = 0, bias }) => ({
    w: inputs.push(weightValues([n, k], format, inputs.length + 1)) - 1,
    a: rank > 0 ? add([rank, k], 0.5) : -1,
    b: rank > 0 ? add([n, rank], 0.5) : -1,
    bias: bias ? add([n]) : -1,
  }));
  const op: Op = (...t) =>
    fewRows(
      t[x]!,
      segments.map(({ n, format = 'f32', rank = 0 }, i) => ({
        weight: weightOn(t[places[i]!.w]!, format, [n, k]),
        bias: t[places[i]!.bias] ?? null,
        lora: rank > 0 ? { a: t[places[i]!.a]!, b: t[places[i]!.b]!, scale: 0.5 + i } : null,
      })),
      { norm: norm ? { weight: t[weight]!, eps: 1e-5 } : null, residual: t[before] ?? null, activation },
    );
  return { op, inputs };
}

const CASES: Case[] = [
  { m: 1, k: 13, segments: [{ n: 5 }] },
  { m: 1, k: 64, segments: [{ n: 136, rank: 16, format: 'bf16' }], norm: true },
  { m: 2, k: 132, segments: [{ n: 9, rank: 3, bias: true }], norm: true, residual: true },
  { m: 3, k: 7, segments: [{ n: 11, rank: 5, format: 'bf16', bias: true }], norm: true, residual: true },
  // More ranks than columns are summed at a time.
  { m: 4, k: 40, segments: [{ n: 70, rank: 36 }], residual: true },
  // So many columns that a lane has several, in one row and in four.
  { m: 1, k: 36, segments: [{ n: 4099, rank: 8, format: 'bf16' }], norm: true },
  { m: 4, k: 12, segments: [{ n: 2050, rank: 2 }] },
  // q, k and v: more buffers than a dispatch binds, so two dispatches.
  {
    ...{ m: 1, k: 64, norm: true },
    segments: [
      { n: 64, rank: 8, format: 'bf16', bias: true },
      { n: 33, rank: 4, format: 'bf16', bias: true },
      { n: 33, format: 'f32', bias: true },
    ],
  },
  {
    ...{ m: 3, k: 64 },
    segments: [{ n: 30 }, { n: 17, format: 'f16' as const }, { n: 40, rank: 6 }],
  },
  {
    ...{ m: 1, k: 64, norm: true, activation: 'silu' },
    segments: [
      { n: 100, rank: 8, format: 'bf16' },
      { n: 100, rank: 8, format: 'bf16' },
    ],
  },
  {
    m: 4,
    k: 23,
    norm: true,
    activation: 'gelu_tanh',
    segments: [
      { n: 37, rank: 3 },
      { n: 37, bias: true },
    ],
  },
  { m: 2, k: 32, activation: 'silu', segments: [{ n: 2500 }, { n: 2500, rank: 4 }] },
  // Blocks of four rows, the last one of one and of three.
  { m: 5, k: 24, norm: true, residual: true, segments: [{ n: 40, rank: 3, format: 'bf16', bias: true }] },
  { m: 31, k: 9, norm: true, segments: [{ n: 7, rank: 4 }, { n: 20 }] },
  { m: 7, k: 16, activation: 'silu', segments: [{ n: 30, rank: 4 }, { n: 30 }] },
];

test.each(CASES)('products of few rows match the reference: %o', (c) =>
  withTraits({ software: false }, async () => {
    const { op, inputs } = caseOf(c);
    await expectSameOnGpu(op, inputs, { rtol: 4e-6 });
  }),
);

test('two runs give the same bits, and so does a row among others', () =>
  withTraits({ software: false }, async () => {
    const { op, inputs } = caseOf(CASES[7]!);
    expect(await runOn('webgpu', op, inputs)).toEqual(await runOn('webgpu', op, inputs));
    const many = caseOf({ m: 11, k: 40, norm: true, segments: [{ n: 1100, rank: 8, format: 'bf16', bias: true }] });
    const [all] = await runOn('webgpu', many.op, many.inputs);
    for (const [first, rows] of [
      [0, 1],
      [6, 3],
      [10, 1],
    ] as const) {
      const x = { data: many.inputs[0]!.data.slice(first * 40, (first + rows) * 40), shape: [rows, 40] };
      const [some] = await runOn('webgpu', many.op, [x, ...many.inputs.slice(1)]);
      expect(some).toEqual(all!.slice(first * 1100, (first + rows) * 1100));
    }
  }));

test('in every format, alone and as two segments of different formats', () =>
  withTraits({ software: false }, async () => {
    const all = await storedWeights();
    for (const [i, { name, format, shape, stored, values }] of all.entries()) {
      const [n, k] = shape;
      const other = all.find((w, j) => j !== i && w.format !== format && w.shape[1] === k);
      for (const m of [1, 3]) {
        const x = randomValues([m, k], 1);
        const factors = [randomValues([4, k], 2), randomValues([n, 4], 3)];
        const op: Op = (rows, w, a, b, second) =>
          fewRows(rows!, [
            { weight: weightOn(w!, format, shape), bias: null, lora: { a: a!, b: b!, scale: 1 } },
            ...(other ? [{ weight: weightOn(second!, other.format, other.shape), bias: null, lora: null }] : []),
          ]);
        const given = [x, stored, ...factors, ...(other ? [other.stored] : [])];
        const [y, z] = await runOn('webgpu', op, given);
        const dense: Op = (rows, w, a, b) =>
          fewRows(rows!, [{ weight: weightOn(w!, 'f32', shape), bias: null, lora: { a: a!, b: b!, scale: 1 } }]);
        const [wanted] = await runOn('cpu', dense, [x, { data: values, shape }, ...factors]);
        expectClose(y!, wanted!, { rtol: 1e-5 }, `${name}, ${m} rows`);
        if (!other) continue;
        const plain: Op = (rows, w) => [linear({ weight: weightOn(w!, 'f32', other.shape), bias: null }, rows!)];
        const [beside] = await runOn('cpu', plain, [x, { data: other.values, shape: other.shape }]);
        expectClose(z!, beside!, { rtol: 1e-5 }, `${other.name} beside ${name}, ${m} rows`);
      }
    }
  }));

test('a weight in parts', () =>
  withTraits({ software: false }, async () => {
    const inputs = [
      randomValues([2, 20], 1),
      ...[10, 7].map((n, i) => randomValues([n, 20], 2 + i)),
      randomValues([3, 20], 4),
      randomValues([17, 3], 5),
      randomValues([17], 6),
      randomValues([2, 17], 7),
    ];
    const op: Op = (x, w0, w1, a, b, bias, residual) =>
      fewRows(
        x!,
        [
          {
            weight: {
              parts: [
                { tensor: w0!, rows: 10 },
                { tensor: w1!, rows: 7 },
              ],
              format: 'f32',
              shape: [17, 20],
            },
            ...{ bias: bias!, lora: { a: a!, b: b!, scale: 2 } },
          },
        ],
        { residual },
      );
    await expectSameOnGpu(op, inputs, { rtol: 4e-6 });
  }));

test('what does not fit is refused by its shapes', async () => {
  const { op, inputs } = caseOf({ m: 2, k: 4, activation: 'silu', segments: [{ n: 3 }, { n: 5 }] });
  await expect(runOn('cpu', op, inputs)).rejects.toThrow('FewRows: expected x [M, in]');
});
