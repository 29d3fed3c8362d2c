import { expect, test } from 'vitest';
import { type VirtualAttrs, virtualInputs } from '../../../src/engine/kernels/attention/virtual-inputs';
import { causalVisible, fullVisible } from '../../../src/engine/kernels/attention/visible';
import { prepend, rowsWithin } from '../../../src/engine/kernels/moves/front-rows';
import { checkGradient, intValues, randomValues, runOn } from '../../kernel-helpers';

test('rows are put before each text and taken out again', async () => {
  const front = { data: Float32Array.of(1, 2), shape: [1, 2] };
  const x = { data: Float32Array.of(3, 4, 5, 6), shape: [2, 2] };
  const [y] = await runOn('cpu', (f, t) => [prepend(f!, t!, 2)], [front, x]);
  expect([...y!]).toEqual([1, 2, 3, 4, 1, 2, 5, 6]);
  const [z] = await runOn('cpu', (t) => [rowsWithin(t!, { batch: 2, from: 1, count: 1 })], [
    { data: y!, shape: [4, 2] },
  ]);
  expect([...z!]).toEqual([3, 4, 5, 6]);
});

test('the gradients of both match finite differences', async () => {
  await checkGradient((f, t) => [prepend(f!, t!, 3)], [randomValues([2, 3], 1), randomValues([3 * 2, 3], 2)], [0, 1]);
  await checkGradient((t) => [rowsWithin(t!, { batch: 3, from: 1, count: 2 })], [randomValues([3 * 4, 3], 3)], [0]);
});

test('shapes that do not match are named', () => {
  const wrong = () => runOn('cpu', (f, t) => [prepend(f!, t!, 2)], [randomValues([1, 3], 1), randomValues([4, 2], 2)]);
  return expect(wrong()).rejects.toThrow('Prepend: expected front [P, w], x [2·T, w]');
});

/** Positions, ranges and types of two texts of 2 and 1 tokens, padded to 2, after 2 virtual tokens. */
async function inputsWith(how: Pick<VirtualAttrs, 'as' | 'both'>, visible: Int32Array) {
  const attrs = { batch: 2, length: 2, virtual: 2, ...how };
  const out = await runOn(
    'cpu',
    (p, v, t) => {
      const { positions, visible: ranges, types } = virtualInputs({ positions: p!, visible: v!, types: t! }, attrs);
      return [positions, ranges, types];
    },
    [intValues([0, 1, 0, 1], [4]), intValues(visible, [4, 2]), intValues([0, 1, 1, 1], [4])],
  );
  return out.map((values) => [...values]);
}

test('a prompt: its tokens see what precedes them or, in both directions, the whole text', async () => {
  expect(await inputsWith({ as: 'prompt', both: false }, causalVisible([2, 1], 2))).toEqual([
    [0, 1, 2, 3, 0, 1, 2, 3],
    [0, 1, 0, 2, 0, 3, 0, 4, 0, 1, 0, 2, 0, 3, 0, 0],
    [0, 0, 0, 1, 0, 0, 1, 1],
  ]);
  const [, ranges] = await inputsWith({ as: 'prompt', both: true }, fullVisible([2, 1], 2));
  expect(ranges).toEqual([0, 4, 0, 4, 0, 4, 0, 4, 0, 3, 0, 3, 0, 3, 0, 0]);
});

test('a prefix: as many tokens as before, at later positions and with more to see', async () => {
  expect(await inputsWith({ as: 'prefix', both: false }, causalVisible([2, 1], 2))).toEqual([
    [2, 3, 2, 3],
    [0, 3, 0, 4, 0, 3, 0, 0],
    [0, 1, 1, 1],
  ]);
});
