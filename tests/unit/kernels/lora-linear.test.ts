import { expect, test } from 'vitest';
import { checkGradient, expectClose, gradientsOn, randomValues, runOn } from '../../kernel-helpers';
import { linearCase, loraCase } from '../../parity/products';

test('LoRA: y = x·Wᵀ + scale·(xl·Aᵀ)·Bᵀ + bias + residual, by hand', async () => {
  const { op } = loraCase({ m: 1, k: 2, n: 2, rank: 1, scale: 0.5, branch: true, bias: true, residual: true });
  const [y] = await runOn('cpu', op, [
    { data: Float32Array.of(1, 2), shape: [1, 2] },
    { data: Float32Array.of(1, 1, 2, -1), shape: [2, 2] },
    { data: Float32Array.of(3, 4), shape: [1, 2] },
    { data: Float32Array.of(10, 20), shape: [2, 1] },
    { data: Float32Array.of(2, 0), shape: [1, 2] }, // xl: h = 0.5·6 = 3
    { data: Float32Array.of(0.5, 0.25), shape: [2] },
    { data: Float32Array.of(100, 200), shape: [1, 2] },
  ]);
  expect([...y!]).toEqual([3 + 30 + 0.5 + 100, 0 + 60 + 0.25 + 200]);
});

test('LoRA: with B zero, only the module is left', async () => {
  const lora = loraCase({ m: 3, k: 5, n: 4, rank: 2, scale: 2 });
  const plain = linearCase({ m: 3, k: 5, n: 4 });
  lora.inputs[3] = { data: new Float32Array(8), shape: [4, 2] };
  expect(await runOn('cpu', lora.op, lora.inputs)).toEqual(await runOn('cpu', plain.op, plain.inputs));
});

test.each([
  { m: 3, k: 6, n: 4, rank: 2, scale: 2 },
  { m: 2, k: 7, n: 5, rank: 3, scale: 0.5, branch: true, bias: true, residual: true },
  { m: 5, k: 8, n: 6, rank: 4, scale: 1.5, format: 'bf16' as const, residual: true },
])('LoRA: gradients match finite differences, %o', async (c) => {
  const { op, inputs, wanted } = loraCase(c);
  await checkGradient(op, inputs, wanted);
});

test('LoRA: the gradients of both branches add up to that of a shared input', async () => {
  const c = { m: 3, k: 5, n: 4, rank: 2, scale: 2 };
  const probe = [randomValues([3, 4], 9)];
  const shared = loraCase(c);
  const apart = loraCase({ ...c, branch: true });
  apart.inputs[4] = apart.inputs[0]!;
  const [dx] = await gradientsOn('cpu', shared.op, shared.inputs, [0], probe);
  const [dBase, dBranch] = await gradientsOn('cpu', apart.op, apart.inputs, [0, 4], probe);
  expectClose(
    dBase!.map((v, i) => v + dBranch![i]!),
    dx!,
    { rtol: 1e-6 },
  );
});

test('LoRA: shapes that do not match are named', async () => {
  const { op, inputs } = loraCase({ m: 3, k: 5, n: 4, rank: 2, scale: 1 });
  inputs[3] = randomValues([4, 3], 1);
  await expect(runOn('cpu', op, inputs)).rejects.toThrow('b [4,3]');
});
