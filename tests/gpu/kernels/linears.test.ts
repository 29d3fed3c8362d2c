/** Layers that read the same input: as the reference, and as layers one by one. */
import { expect, test } from 'vitest';
import { dropout } from '../../../src/engine/kernels/pointwise/dropout';
import { loraLinear } from '../../../src/engine/kernels/products/lora-linear';
import {
  checkGradient,
  expectClose,
  expectSameOnGpu,
  gradientsOn,
  type Op,
  probesFor,
  runOn,
  withBuffers,
  withTraits,
} from '../../kernel-helpers';
import { rowsInFours, storedWeights } from '../../parity/blocks';
import { type LinearsCase, linearCase, linearsCase, loraCase, weightOn } from '../../parity/products';

const ranks = (n: number[], r: number[]) => n.map((size, i) => ({ n: size, rank: r[i]!, scale: 0.5 + i }));

const CASES: LinearsCase[] = [
  { m: 1, k: 13, layers: ranks([5, 3, 7], [3, 1, 8]) },
  { m: 7, k: 12, layers: ranks([11, 5, 5], [3, 0, 1]), bias: true },
  { m: 5, k: 12, layers: ranks([12, 4, 4], [8, 4, 16]) },
  { m: 6, k: 16, layers: ranks([8, 8, 8], [0, 0, 0]), bias: true },
  { m: 9, k: 10, layers: ranks([6, 9], [0, 0]) },
  { m: 4, k: 8, layers: ranks([20, 20], [8, 8]), bias: true },
  { m: 33, k: 20, layers: ranks([36, 12, 12], [16, 0, 16]) },
  { m: 6, k: 8, layers: ranks([9, 4, 6], [4, 8, 3]), bias: true },
  { m: 130, k: 64, layers: ranks([96, 32, 32], [16, 16, 16]) },
  { m: 7, k: 12, layers: ranks([8, 4, 4], [4, 4, 8]), dropout: 0.3 },
  { m: 5, k: 7, layers: ranks([6, 3, 5], [3, 0, 2]), dropout: 0.5, bias: true },
  { m: 3, k: 9, layers: ranks([6, 4], [1, 1]), dropout: 0.2 },
  { m: 6, k: 10, layers: ranks([7], [3]), dropout: 0.4, residual: true, bias: true },
  { m: 18, k: 16, layers: ranks([12], [8]), dropout: 0.1, residual: true },
];
const BOTH = CASES.flatMap((c) => [c, { ...c, joined: true }]);

const same = async (c: LinearsCase) => {
  const { op, inputs, wanted } = linearsCase(c);
  await expectSameOnGpu(op, inputs, { wanted, rtol: 6e-6 });
};

test.each(BOTH)('layers match the reference: %o', async (c) => {
  for (const software of [true, false]) {
    await withTraits({ software }, async () => {
      await same(c);
      await same({ ...c, format: 'bf16' });
    });
  }
});

test('gradients match finite differences', async () => {
  for (const [joined, dropout] of [
    [false, 0],
    [true, 0],
    [true, 0.4],
  ] as const) {
    const c = linearsCase({ m: 5, k: 7, layers: ranks([6, 3, 5], [3, 0, 2]), bias: true, joined, dropout });
    await checkGradient(c.op, c.inputs, c.wanted, { backend: 'webgpu' });
  }
});

test('each gradient is the same, whichever others are requested', async () => {
  const { op, inputs, wanted } = linearsCase({ m: 5, k: 8, layers: ranks([8, 4, 4], [4, 4, 8]), joined: true });
  const probes = await probesFor(op, inputs);
  const all = await gradientsOn('webgpu', op, inputs, wanted, probes);
  for (const [i, which] of wanted.entries()) {
    expect(await gradientsOn('webgpu', op, inputs, [which], probes), `input ${which}`).toEqual([all[i]]);
  }
});

test('fewer bindings give the same in more dispatches', async () => {
  for (const c of BOTH) {
    const { op, inputs, wanted } = linearsCase(c);
    const probes = await probesFor(op, inputs);
    const ten = await gradientsOn('webgpu', op, inputs, wanted, probes);
    for (const count of [8, 6]) {
      const fewer = await withBuffers(count, async () => {
        await same(c);
        return gradientsOn('webgpu', op, inputs, wanted, probes);
      });
      fewer.forEach((values, i) => {
        expectClose(values, ten[i]!, { rtol: 2e-6 }, `${count} bindings, gradient ${i}`);
      });
    }
  }
});

test('dropout draws the masks that it draws in a dispatch of its own', async () => {
  const given: LinearsCase = { m: 9, k: 12, layers: ranks([8, 12], [4, 8]), dropout: 0.4 };
  const { op, inputs } = linearsCase(given);
  const alone: Op = (x, ...t) =>
    given.layers.map(({ n, scale }, s) => {
      const [weight, a, b] = t.slice(3 * s);
      const xl = dropout(x!, { p: 0.4, seed: 2 ** 32 - 3, step: 5, tag: 7 + s });
      const module = { path: 'test', weight: weightOn(weight!, 'f32', [n, 12]), bias: null };
      return loraLinear(module, x!, { a: a!, b: b!, scale: scale!, xl });
    });
  const wanted = [0, 2, 3, 5, 6];
  const probes = await probesFor(op, inputs);
  expect(await runOn('webgpu', op, inputs)).toEqual(await runOn('webgpu', alone, inputs));
  const own = await gradientsOn('webgpu', alone, inputs, wanted, probes);
  (await gradientsOn('webgpu', op, inputs, wanted, probes)).forEach((values, i) => {
    expectClose(values, own[i]!, { rtol: 2e-6 }, `gradient ${i}`);
  });
});

test('a layer without a gradient of its own takes none', async () => {
  const { op, inputs, wanted } = linearsCase({ m: 5, k: 8, layers: ranks([8, 4, 4], [4, 4, 8]), joined: true });
  const [first, , third] = await probesFor(op, inputs);
  await expectSameOnGpu(op, inputs, { wanted, probes: [first!, null, third!], rtol: 6e-6 });
});

test.each([{ software: true }, { software: false }])(
  'weights of every format give the bits that they give alone: %o',
  async ({ software }) => {
    await withTraits({ software }, async () => {
      const all = await storedWeights();
      const inFours = all.filter(({ format }) => format !== 'nf4').map(rowsInFours);
      for (const [i, { name, format, shape, stored }] of [...all, ...(software ? inFours : [])].entries()) {
        const [n, k] = shape;
        // Tiles compile slowly on a software adapter: each format is tried with LoRA or without it.
        for (const rank of software ? [0, 4] : [i % 2 === 0 ? 0 : 4]) {
          const c: LinearsCase = {
            m: 17,
            k,
            layers: [0, 1].map(() => ({ n, rank, format, weight: stored })),
            joined: true,
          };
          const { op, inputs, wanted } = linearsCase(c);
          await expectSameOnGpu(op, inputs, { wanted, rtol: 2e-5 });
          const together = await runOn('webgpu', op, inputs);
          const weight = { m: 17, k, n, format, weight: stored };
          const alone = rank > 0 ? loraCase({ ...weight, rank, scale: 1.5 }) : linearCase(weight);
          for (const s of [0, 1]) {
            const own =
              rank > 0 ? [inputs[0]!, stored, inputs[1 + 3 * s + 1]!, inputs[1 + 3 * s + 2]!] : [inputs[0]!, stored];
            const [single] = await runOn('webgpu', alone.op, own);
            expect(together[s], `${name}, rank ${rank}, layer ${s}`).toEqual(single);
          }
        }
      }
    });
  },
);
