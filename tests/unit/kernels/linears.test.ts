import { expect, test } from 'vitest';
import { dropout } from '../../../src/engine/kernels/pointwise/dropout';
import { linear } from '../../../src/engine/kernels/products/linear';
import { loraLinear } from '../../../src/engine/kernels/products/lora-linear';
import { checkGradient, expectClose, gradientsOn, type Op, probesFor, randomValues, runOn } from '../../kernel-helpers';
import { type LinearsCase, linearsCase, weightOn } from '../../parity/products';

const layers = (n: number[], r: number[]) => n.map((size, i) => ({ n: size, rank: r[i]!, scale: 0.5 + i }));

const CASES: LinearsCase[] = [
  { m: 3, k: 6, layers: layers([4, 2, 3], [2, 1, 3]) },
  { m: 5, k: 7, layers: layers([6, 3, 5], [3, 0, 2]), bias: true },
  { m: 4, k: 5, layers: layers([3, 6], [0, 0]) },
  { m: 3, k: 6, layers: layers([4, 5], [2, 2]), dropout: 0.4 },
  { m: 3, k: 5, layers: layers([4], [3]), dropout: 0.3, residual: true },
];

test.each(CASES)('layers of one input: gradients match finite differences, %o', async (c) => {
  for (const joined of [false, true]) {
    const { op, inputs, wanted } = linearsCase({ ...c, joined });
    await checkGradient(op, inputs, wanted);
  }
});

test('layers of one input are what each is alone', async () => {
  const k = 6;
  const c: LinearsCase = { m: 4, k, layers: layers([4, 3, 5], [2, 0, 3]), bias: true, dropout: 0.5 };
  const { op, inputs, wanted } = linearsCase(c);
  const alone: Op = (x, w0, a0, b0, bias0, w1, bias1, w2, a2, b2, bias2) => {
    const module = (weight: typeof x, bias: typeof x, n: number) => ({
      ...{ path: 'test', weight: weightOn(weight!, 'f32', [n, k]), bias: bias! },
    });
    const drop = (tag: number) => dropout(x!, { p: 0.5, seed: 2 ** 32 - 3, step: 5, tag });
    return [
      loraLinear(module(w0, bias0, 4), x!, { a: a0!, b: b0!, scale: 0.5, xl: drop(7) }),
      linear(module(w1, bias1, 3), x!),
      loraLinear(module(w2, bias2, 5), x!, { a: a2!, b: b2!, scale: 2.5, xl: drop(9) }),
    ];
  };
  expect(await runOn('cpu', op, inputs)).toEqual(await runOn('cpu', alone, inputs));
  const probes = await probesFor(op, inputs);
  const own = await gradientsOn('cpu', alone, inputs, wanted, probes);
  (await gradientsOn('cpu', op, inputs, wanted, probes)).forEach((values, i) => {
    expectClose(values, own[i]!, { rtol: 1e-6 }, `gradient ${i}`);
  });
});

test('layers of one input: shapes that do not match are named', async () => {
  const { op, inputs } = linearsCase({ m: 3, k: 5, layers: layers([4, 2], [2, 1]) });
  inputs[3] = randomValues([4, 3], 1);
  await expect(runOn('cpu', op, inputs)).rejects.toThrow('b0 [4,3]');
});
