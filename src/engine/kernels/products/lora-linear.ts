/**
 * LoRA in activation space on top of a frozen linear layer (Hu et al., 2021; PEFT's `lora.Linear`):
 *
 *   h = scale · xl·Aᵀ            [M, r]     xl is x, or dropout(x)
 *   y = x·Wᵀ + h·Bᵀ (+ bias) (+ residual)   [M, out]
 *
 * Neither a delta of the weight's size nor a gradient of the frozen weight ever exists. With dh = scale · dy·B:
 *   dA = dhᵀ·xl   dB = dyᵀ·h   dx = dy·W (+ dh·A)   dxl = dh·A
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { LinearModule } from '../../types';
import { adding, defineKernel, shapeError } from '../kernel';
import { sharedGradients } from '../tape';
import { linearBackwardInput } from './linear';
import { recordInputAndWeights, recordNT, recordTN, type TnProduct } from './matmul';
import { addNN, addNT, addTN } from './matmul-reference';
import {
  denseOperand,
  denseWeight,
  type WeightAttrs,
  weightAttrs,
  weightInputs,
  weightOf,
  weightOperand,
  widenWeight,
} from './weight';

interface LoraAttrs extends WeightAttrs {
  rank: number;
  scale: number;
}

const loraLinearKernel = defineKernel<LoraAttrs>({
  name: 'LoraLinear',
  outputs({ x, xl, a, b, residual }, { out, in: width, rank }) {
    const rows = x?.shape[0];
    const fits =
      x?.shape[1] === width &&
      a?.shape[0] === rank &&
      a.shape[1] === width &&
      b?.shape[0] === out &&
      b.shape[1] === rank &&
      (!xl || (xl.shape[0] === rows && xl.shape[1] === width)) &&
      (!residual || (residual.shape[0] === rows && residual.shape[1] === out));
    if (!fits) {
      throw shapeError(
        'LoraLinear',
        `x [M, ${width}], a [${rank}, ${width}], b [${out}, ${rank}], residual [M, ${out}]`,
        {
          x: x?.shape,
          xl: xl?.shape,
          a: a?.shape,
          b: b?.shape,
          residual: residual?.shape,
        },
      );
    }
    return [{ shape: [rows!, out] }, { shape: [rows!, rank] }];
  },
  cpu(inputs, attrs, [y, h]) {
    const { x, xl, a, b, bias, residual } = inputs;
    const { out, in: width, rank, scale } = attrs;
    const rows = x!.shape[0]!;
    const result = y as Float32Array;
    addNT(h as Float32Array, (xl ?? x!).data, a!.data, rows, rank, width, scale);
    if (residual) result.set(residual.data);
    addNT(result, x!.data, widenWeight(inputs, attrs), rows, out, width);
    addNT(result, h!, b!.data, rows, out, rank);
    if (bias) for (let i = 0; i < result.length; i++) result[i]! += bias.data[i % out]!;
  },
  gpu({ backend, inputs, outputs, attrs }) {
    const { x, xl, a, b, bias, residual } = inputs;
    const [y, h] = outputs as [tf.TensorInfo, tf.TensorInfo];
    const m = x!.shape[0]!;
    recordNT(backend, {
      x: xl ?? x!,
      w: denseOperand(a!),
      y: h,
      m,
      n: attrs.rank,
      k: attrs.in,
      alpha: attrs.scale,
    });
    recordNT(backend, {
      x: x!,
      w: weightOperand(inputs, attrs),
      y,
      m,
      n: attrs.out,
      k: attrs.in,
      lora: { h, b: b!, rank: attrs.rank },
      bias,
      residual,
    });
  },
  savesOutputs: [false, true],
  gradient([dy], { inputs, outputs: [h] }, attrs) {
    const { x, xl, a, b } = inputs;
    const dropped = xl !== undefined;
    const dh = sharedGradients(() => [linearBackwardInput(dy!, denseWeight(b!), { alpha: attrs.scale })]);
    /** dA, dB and dx where that comes along. */
    let all: tf.Tensor[] | null = null;
    const weights = (index: number) => {
      all ??= backwardWeights({ dy: dy!, h: h!, dh: dh(0), x: xl ?? x! }, {});
      return all[index]!;
    };
    return {
      x: adding(({ plus, wanted } = {}) => {
        const weight = weightOf(inputs, attrs);
        if (dropped) return linearBackwardInput(dy!, weight, { plus });
        if (!wanted?.includes('a') || !wanted.includes('b')) {
          return linearBackwardInput(dy!, weight, { lora: { h: dh(0), a: a! }, plus });
        }
        all = backwardAll(
          { dy: dy!, h: h!, dh: dh(0), x: x!, ...weightInputs(weight), a: a!, plus },
          weightAttrs(weight),
        );
        return all[2]!;
      }),
      xl: adding(({ plus } = {}) => linearBackwardInput(dh(0), denseWeight(a!), { plus })),
      a: () => weights(0),
      b: () => weights(1),
      residual: () => dy!.clone(),
    };
  },
});

/** dA [r, in] and dB [out, r] in one dispatch. */
const backwardWeights = defineKernel<Record<string, never>>({
  name: 'LoraBackwardWeights',
  outputs: ({ dy, dh, x }) => [{ shape: [dh!.shape[1]!, x!.shape[1]!] }, { shape: [dy!.shape[1]!, dh!.shape[1]!] }],
  cpu({ dy, h, dh, x }, _attrs, [da, db]) {
    const [m, r] = dh!.shape as [number, number];
    addTN(da as Float32Array, dh!.data, x!.data, m, r, x!.shape[1]!);
    addTN(db as Float32Array, dy!.data, h!.data, m, dy!.shape[1]!, r);
  },
  gpu({ backend, inputs, outputs }) {
    recordTN(backend, inputs.dh!.shape[0]!, factorProducts(inputs, outputs));
  },
});

function factorProducts(
  { dy, h, dh, x }: Record<string, tf.TensorInfo>,
  [da, db]: tf.TensorInfo[],
): [TnProduct, TnProduct] {
  const r = dh!.shape[1]!;
  return [
    { u: dh!, v: x!, c: da!, p: r, q: x!.shape[1]! },
    { u: dy!, v: h!, c: db!, p: dy!.shape[1]!, q: r },
  ];
}

/** dA and dB as above, and dx [M, in], in one dispatch where the device allows it. */
const backwardAll = defineKernel<WeightAttrs>({
  name: 'LoraBackward',
  outputs: ({ dy, dh, x }) => [
    { shape: [dh!.shape[1]!, x!.shape[1]!] },
    { shape: [dy!.shape[1]!, dh!.shape[1]!] },
    { shape: x!.shape },
  ],
  cpu(inputs, attrs, [da, db, dx]) {
    const { dy, h, dh, x, a, plus } = inputs;
    const [m, r] = dh!.shape as [number, number];
    addTN(da as Float32Array, dh!.data, x!.data, m, r, attrs.in);
    addTN(db as Float32Array, dy!.data, h!.data, m, attrs.out, r);
    if (plus) (dx as Float32Array).set(plus.data);
    addNN(dx as Float32Array, dy!.data, widenWeight(inputs, attrs), m, attrs.out, attrs.in);
    addNN(dx as Float32Array, dh!.data, a!.data, m, r, attrs.in);
  },
  gpu({ backend, inputs, outputs, attrs }) {
    const { dy, dh, a, plus } = inputs;
    const [m, rank] = dh!.shape as [number, number];
    const w = weightOperand(inputs, attrs);
    recordInputAndWeights(
      backend,
      { y: dy!, w, z: outputs[2]!, m, n: attrs.out, k: attrs.in, lora: { h: dh!, a: a!, rank }, plus },
      factorProducts(inputs, outputs),
    );
  },
});

/** Applies a linear module with a LoRA branch. `xl` is the branch's own input when dropout is on. */
export function loraLinear(
  module: LinearModule,
  x: tf.Tensor,
  lora: { a: tf.Tensor; b: tf.Tensor; scale: number; xl?: tf.Tensor },
  residual: tf.Tensor | null = null,
): tf.Tensor {
  const [y, h] = loraLinearKernel(
    {
      x,
      xl: lora.xl,
      ...weightInputs(module.weight),
      a: lora.a,
      b: lora.b,
      bias: module.bias ?? undefined,
      residual: residual ?? undefined,
    },
    { ...weightAttrs(module.weight), rank: lora.a.shape[0]!, scale: lora.scale },
  );
  h!.dispose(); // the tape holds its own reference if a gradient needs it
  return y!;
}
