/**
 * Inputs that several nodes read: kernels that add what others have given, and those that give the gradients of an input and of
 * weights at once.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { linearCrossEntropy } from '../../src/engine/kernels/losses/cross-entropy';
import { embedding } from '../../src/engine/kernels/moves/embedding';
import { layerNorm } from '../../src/engine/kernels/norms/layer-norm';
import { rmsNorm } from '../../src/engine/kernels/norms/rms-norm';
import { activation } from '../../src/engine/kernels/pointwise/activation';
import { linear } from '../../src/engine/kernels/products/linear';
import { loraLinear } from '../../src/engine/kernels/products/lora-linear';
import { denseWeight } from '../../src/engine/kernels/products/weight';
import { intValues, type Op, randomValues, type Values } from '../kernel-helpers';

export interface SharedCase {
  name: string;
  op: Op;
  inputs: Values[];
  wanted: number[];
}

const weights = (...shapes: number[][]) => shapes.map((shape, i) => randomValues(shape, 40 + i, 0.5));
const module = (weight: tf.Tensor) => ({ path: 'test', weight: denseWeight(weight), bias: null });

function sizes(m: number, d: number, n: number, r: number): SharedCase[] {
  const name = (what: string) => `${what}, ${m} × ${d} to ${n}, rank ${r}`;
  const x = randomValues([m, d], 7);
  return [
    {
      name: name('two trained products'),
      inputs: [x, ...weights([n, d], [n + 1, d])],
      wanted: [0, 1, 2],
      op: (x, a, b) => [linear(module(a!), x!), linear(module(b!), x!)],
    },
    {
      name: name('one input as x and as residual'),
      inputs: [x, ...weights([d, d])],
      wanted: [0, 1],
      op: (x, w) => [linear(module(w!), x!, x!)],
    },
    {
      name: name('three LoRA products'),
      inputs: [x, ...weights([n, d], [r, d], [n, r], [n + 4, d], [r, d], [n + 4, r])],
      wanted: [0, 2, 3, 5, 6],
      op: (x, w, a, b, v, c, e) => {
        const first = loraLinear(module(w!), x!, { a: a!, b: b!, scale: 0.5 });
        return [first, loraLinear(module(v!), x!, { a: c!, b: e!, scale: 2 }), linear(module(w!), x!)];
      },
    },
    {
      name: name('LoRA of which one factor is learned'),
      inputs: [x, ...weights([d, d], [r, d], [d, r])],
      wanted: [0, 3],
      op: (x, w, a, b) => [loraLinear(module(w!), x!, { a: a!, b: b!, scale: 0.5 }, x!)],
    },
    {
      name: name('norms beside a residual'),
      inputs: [x, ...weights([d], [d], [d], [d, d])],
      wanted: [0, 1, 2, 3, 4],
      op: (x, rms, layer, bias, w) => {
        const after = linear(module(w!), rmsNorm(x!, rms!, 1e-5), x!);
        return [linear(module(w!), layerNorm(after, layer!, bias!, 1e-5), after)];
      },
    },
    {
      // An activation adds nothing itself: its gradient and the others' are added.
      name: name('a kernel that does not add'),
      inputs: [x, ...weights([n, d])],
      wanted: [0, 1],
      op: (x, w) => [linear(module(w!), x!), activation(x!, 'silu'), activation(x!, 'relu')],
    },
    {
      name: name('a table that is the output projection too'),
      inputs: [
        ...weights([n + 3, d]),
        intValues(
          Array.from({ length: m }, (_, i) => (i * 5) % (n + 3)),
          [m],
        ),
        intValues([...Array(m).keys()], [m]),
      ],
      wanted: [0],
      op: (table, ids, rows) => [
        linearCrossEntropy(embedding(ids!, denseWeight(table!)), denseWeight(table!), rows!, ids!, {
          ...{ scale: 0.5, withGradient: true, trainsWeight: true },
        }),
      ],
    },
  ];
}

export const SHARED_CASES = [...sizes(5, 8, 12, 4), ...sizes(3, 6, 7, 3), ...sizes(6, 12, 6, 4), ...sizes(4, 10, 8, 4)];
