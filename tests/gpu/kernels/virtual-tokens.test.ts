import { expect, test } from 'vitest';
import { type VirtualAttrs, virtualInputs } from '../../../src/engine/kernels/attention/virtual-inputs';
import { causalVisible, fullVisible } from '../../../src/engine/kernels/attention/visible';
import { prepend, rowsWithin } from '../../../src/engine/kernels/moves/front-rows';
import { checkGradient, expectSameOnGpu, intValues, type Op, randomValues, runOn } from '../../kernel-helpers';

const front: Op = (rows, x) => [prepend(rows!, x!, 3)];
const within =
  (from: number, count: number): Op =>
  (x) => [rowsWithin(x!, { batch: 3, from, count })];

test.each([4, 5, 12])('prepend and rowsWithin of width %i match the reference', async (width) => {
  await expectSameOnGpu(front, [randomValues([2, width], 1), randomValues([3 * 5, width], 2)], { wanted: [0, 1] });
  for (const [from, count] of [
    [2, 5],
    [0, 5],
    [6, 1],
    [0, 7],
  ] as const) {
    await expectSameOnGpu(within(from, count), [randomValues([3 * 7, width], 3)], { wanted: [0] });
  }
});

test('prepend and rowsWithin: gradients match finite differences', async () => {
  await checkGradient(front, [randomValues([2, 3], 1), randomValues([3 * 2, 3], 2)], [0, 1], { backend: 'webgpu' });
  await checkGradient(within(1, 2), [randomValues([3 * 4, 3], 3)], [0], { backend: 'webgpu' });
});

const inputs =
  (attrs: VirtualAttrs): Op =>
  (positions, visible, types) => {
    const out = virtualInputs({ positions: positions!, visible: visible!, types: types! }, attrs);
    return [out.positions, out.visible, out.types];
  };

test.each([
  ['a prompt, one direction', { as: 'prompt', both: false }, causalVisible([5, 2, 0], 5)],
  ['a prompt, both directions', { as: 'prompt', both: true }, fullVisible([5, 2, 0], 5)],
  ['a prefix', { as: 'prefix', both: false }, causalVisible([5, 2, 0], 5)],
] as const)('positions, ranges and types of %s match the reference', async (_name, how, visible) => {
  const attrs: VirtualAttrs = { batch: 3, length: 5, virtual: 4, ...how };
  const positions = intValues(
    Array.from({ length: 15 }, (_, i) => i % 5),
    [15],
  );
  const types = intValues(
    Array.from({ length: 15 }, (_, i) => i % 2),
    [15],
  );
  const given = [positions, intValues(visible, [15, 2]), types];
  await expectSameOnGpu(inputs(attrs), given);
  const untyped: Op = (p, v) => [virtualInputs({ positions: p!, visible: v! }, attrs).types];
  const [kinds] = await runOn('webgpu', (p, v) => untyped(p!, v!), given.slice(0, 2));
  expect(kinds!.every((kind) => kind === 0)).toBe(true);
});
