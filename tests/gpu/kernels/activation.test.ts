import { expect, test } from 'vitest';
import { type Activation, activation } from '../../../src/engine/kernels/pointwise/activation';
import { fixtureJson } from '../../fixture-files';
import { checkGradient, expectSameOnGpu, gradientsOn, type Op, randomValues, runOn } from '../../kernel-helpers';

const KINDS: Activation[] = ['gelu', 'gelu_tanh', 'silu', 'relu'];
const opOf =
  (kind: Activation): Op =>
  (x) => [activation(x!, kind)];

for (const kind of KINDS) {
  test(`${kind}: scalars and quads match the reference`, async () => {
    for (const shape of [
      [3, 7],
      [5, 8],
      [70, 33],
    ]) {
      await expectSameOnGpu(opOf(kind), [randomValues(shape, 1, 3)], { wanted: [0], rtol: 5e-7 });
    }
  });

  test(`${kind}: the gradient matches finite differences`, () =>
    checkGradient(opOf(kind), [randomValues([3, 5], 2, 2)], [0], { backend: 'webgpu' }));

  // tests/oracle/make_activation_fixtures.py: torch in float64.
  test.each(['cpu', 'webgpu'] as const)(`${kind} on %s: matches torch's values and derivatives`, async (backend) => {
    const fixture = await fixtureJson<Record<string, { value: number[]; slope: number[] }> & { x: number[] }>(
      'activations/activations.json',
    );
    const { x } = fixture;
    const input = { data: Float32Array.from(x), shape: [x.length] };
    const ones = { data: new Float32Array(x.length).fill(1), shape: [x.length] };
    const [value] = await runOn(backend, opOf(kind), [input]);
    const [slope] = await gradientsOn(backend, opOf(kind), [input], [0], [ones]);
    const wanted = fixture[kind]!;
    x.forEach((at, i) => {
      const allowed = 3e-7 * Math.max(1, Math.abs(at));
      expect(Math.abs(value![i]! - wanted.value[i]!), `${kind}(${at}) = ${value![i]}`).toBeLessThan(allowed);
      expect(Math.abs(slope![i]! - wanted.slope[i]!), `${kind}'(${at}) = ${slope![i]}`).toBeLessThan(1e-6);
    });
  });
}
