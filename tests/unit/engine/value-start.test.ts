import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { VALUE } from '../../../src/engine/run/value-model';
import { beginValueAt } from '../../../src/workers/engine/value-start';
import { judge, options, section } from '../../parity/rollout-run';
import { withRun } from '../../parity/tiny-run';

beforeAll(async () => void (await tf.setBackend('cpu')));

const ppo = () => options(section('ppo', { response_length: 4 }), judge());

test('a value model begins at a reward model of the same shape, and the policy stays as it is', () =>
  withRun(ppo(), async ({ optimizer }) => {
    const before = await optimizer.save();
    const key = `adapter/${VALUE}`;
    const start = new Map(
      [...before].flatMap(([name, { shape, data }]) =>
        name.startsWith(key)
          ? [[name.slice(key.length), { shape, data: data.map((_, i) => Math.sin(i + 1)) }] as const]
          : [],
      ),
    );
    expect([...start.keys()].some((name) => name.includes('score'))).toBe(true);
    expect(await beginValueAt(start, optimizer)).toBe(true);
    const after = await optimizer.save();
    for (const [name, tensor] of before) {
      const given = name.startsWith(key) ? start.get(name.slice(key.length)) : undefined;
      expect(after.get(name), name).toEqual(given ?? tensor);
    }
  }));

test('a reward model of another shape is left alone', () =>
  withRun(ppo(), async ({ optimizer }) => {
    const before = await optimizer.save();
    expect(
      await beginValueAt(new Map([['score.weight', { shape: [1, 2], data: new Float32Array(2) }]]), optimizer),
    ).toBe(false);
    expect(await optimizer.save()).toEqual(before);
  }));
