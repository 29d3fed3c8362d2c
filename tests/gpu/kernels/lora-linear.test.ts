import { expect, test } from 'vitest';
import { checkGradient, expectSameOnGpu, gradientsOn, randomValues, withTraits } from '../../kernel-helpers';
import { type LoraCase, loraCase } from '../../parity/products';

const CASES: LoraCase[] = [
  { m: 1, k: 13, n: 5, rank: 3, scale: 2 },
  { m: 7, k: 13, n: 11, rank: 3, scale: 0.5, residual: true },
  { m: 5, k: 12, n: 10, rank: 4, scale: 2, bias: true },
  { m: 6, k: 10, n: 8, rank: 1, scale: 1, branch: true },
  { m: 4, k: 8, n: 12, rank: 8, scale: 0.25, branch: true, bias: true, residual: true },
  { m: 16, k: 12, n: 40, rank: 3, scale: 2, branch: true, residual: true },
  { m: 130, k: 64, n: 96, rank: 8, scale: 2, residual: true },
  { m: 1, k: 64, n: 136, rank: 16, scale: 2 },
];

const same = async (c: LoraCase) => {
  const { op, inputs, wanted } = loraCase(c);
  await expectSameOnGpu(op, inputs, { wanted, rtol: 4e-6 });
};

test.each(CASES)('LoRA matches the reference: %o', async (c) => {
  await same(c);
  await same({ ...c, format: 'bf16' });
});

test('LoRA matches the reference with the tiles for either kind of adapter', async () => {
  for (const software of [true, false]) {
    await withTraits({ software }, async () => {
      for (const c of CASES) await same(c);
    });
  }
});

test('LoRA: gradients match finite differences', async () => {
  for (const branch of [false, true]) {
    const c = loraCase({ m: 5, k: 7, n: 6, rank: 3, scale: 1.5, bias: true, residual: true, branch });
    await checkGradient(c.op, c.inputs, c.wanted, { backend: 'webgpu' });
  }
});

test('LoRA: each gradient is the same, whichever others are requested', async () => {
  const { op, inputs, wanted } = loraCase({ m: 5, k: 8, n: 6, rank: 4, scale: 2, branch: true, residual: true });
  const probe = [randomValues([5, 6], 9)];
  const all = await gradientsOn('webgpu', op, inputs, wanted, probe);
  for (const [i, which] of wanted.entries()) {
    expect(await gradientsOn('webgpu', op, inputs, [which], probe), `input ${which}`).toEqual([all[i]]);
  }
});
