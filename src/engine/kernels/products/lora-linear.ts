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
import { adding, defineKernel, type GradientWish, shapeError, sharedGradients, type View } from '../kernel';
import { isFew, recordFewRows } from './few-rows';
import { linearBackwardInput } from './linear';
import { recordInputAndWeights, recordNT, recordTN, type TnProduct } from './matmul';
import { addNN, addNT, addTN } from './matmul-reference';
import { computePlaced, type PlacedAttrs, placedAttrs } from './placed';
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
    if (!xl && isFew(backend, m, attrs.rank)) {
      const w = weightOperand(inputs, attrs);
      const lora = { a: a!, b: b!, rank: attrs.rank, scale: attrs.scale };
      recordFewRows(backend, {
        x: x!,
        m,
        k: attrs.in,
        residual,
        h,
        segments: [{ w, n: attrs.out, lora, bias }],
        ys: [y],
      });
      return;
    }
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
    /** dA and dB, unless they have places, where they came with dx or alone. */
    let factors: tf.Tensor[] | null = null;
    const given = (placeOf: GradientWish['placeOf']) => {
      const { flat, ...place } = placedAttrs([placeOf?.('a'), placeOf?.('b')]);
      return { tensors: { dy: dy!, h: h!, dh: dh(0), x: xl ?? x!, flat }, place };
    };
    const factor = (index: number, placeOf: GradientWish['placeOf']) => {
      if (!factors) {
        const { tensors, place } = given(placeOf);
        factors = backwardWeights(tensors, place);
      }
      return factors[index] ?? null;
    };
    return {
      x: adding(({ plus, wanted, placeOf } = {}) => {
        const weight = weightOf(inputs, attrs);
        if (dropped) return linearBackwardInput(dy!, weight, { plus });
        if (!wanted?.includes('a') || !wanted.includes('b')) {
          return linearBackwardInput(dy!, weight, { lora: { h: dh(0), a: a! }, plus });
        }
        const { tensors, place } = given(placeOf);
        const all = { ...tensors, ...weightInputs(weight), a: a!, plus };
        const [dx, ...made] = backwardAll(all, { ...weightAttrs(weight), ...place });
        factors = made;
        return dx!;
      }),
      xl: adding(({ plus } = {}) => linearBackwardInput(dh(0), denseWeight(a!), { plus })),
      a: ({ placeOf } = {}) => factor(0, placeOf),
      b: ({ placeOf } = {}) => factor(1, placeOf),
      residual: () => dy!.clone(),
    };
  },
});

type Shapes = Record<string, { shape: number[] }>;

const factorShapes = ({ dy, dh, x }: Shapes): [number[], number[]] => [
  [dh!.shape[1]!, x!.shape[1]!],
  [dy!.shape[1]!, dh!.shape[1]!],
];

const factorSpecs = (inputs: Shapes, { offsets }: PlacedAttrs) =>
  offsets ? [] : factorShapes(inputs).map((shape) => ({ shape }));

function addFactors(inputs: Record<string, View>, attrs: PlacedAttrs, made: (Float32Array | Int32Array)[]): void {
  const { dy, h, dh, x } = inputs;
  const [m, r] = dh!.shape as [number, number];
  const sizes = factorShapes(inputs).map(([rows, columns]) => rows! * columns!);
  computePlaced(inputs, attrs, made, sizes, ([da, db]) => {
    addTN(da!, dh!.data, x!.data, m, r, x!.shape[1]!);
    addTN(db!, dy!.data, h!.data, m, dy!.shape[1]!, r);
  });
}

function factorProducts(
  inputs: Record<string, tf.TensorInfo>,
  { offsets, add }: PlacedAttrs,
  [da, db]: tf.TensorInfo[],
): [TnProduct, TnProduct] {
  const { dy, h, dh, x, flat } = inputs;
  const [[r, width], [out]] = factorShapes(inputs) as [[number, number], [number, number]];
  return [
    { u: dh!, v: x!, c: da ?? flat!, p: r, q: width, at: offsets?.[0], add },
    { u: dy!, v: h!, c: db ?? flat!, p: out, q: r, at: offsets?.[1], add },
  ];
}

/** dA [r, in] and dB [out, r] in one dispatch. */
const backwardWeights = defineKernel<PlacedAttrs>({
  name: 'LoraBackwardWeights',
  outputs: factorSpecs,
  cpu: addFactors,
  gpu({ backend, inputs, outputs, attrs }) {
    recordTN(backend, inputs.dh!.shape[0]!, factorProducts(inputs, attrs, outputs));
  },
});

/** dx [M, in], and dA and dB as above, in one dispatch where the device allows it. */
const backwardAll = defineKernel<WeightAttrs & PlacedAttrs>({
  name: 'LoraBackward',
  outputs: (inputs, attrs) => [{ shape: inputs.x!.shape }, ...factorSpecs(inputs, attrs)],
  cpu(inputs, attrs, [dx, ...made]) {
    const { dy, dh, a, plus } = inputs;
    const [m, r] = dh!.shape as [number, number];
    addFactors(inputs, attrs, made);
    if (plus) (dx as Float32Array).set(plus.data);
    addNN(dx as Float32Array, dy!.data, widenWeight(inputs, attrs), m, attrs.out, attrs.in);
    addNN(dx as Float32Array, dh!.data, a!.data, m, r, attrs.in);
  },
  gpu({ backend, inputs, outputs: [dx, ...made], attrs }) {
    const { dy, dh, a, plus } = inputs;
    const [m, rank] = dh!.shape as [number, number];
    const w = weightOperand(inputs, attrs);
    recordInputAndWeights(
      backend,
      { y: dy!, w, z: dx!, m, n: attrs.out, k: attrs.in, lora: { h: dh!, a: a!, rank }, plus },
      factorProducts(inputs, attrs, made),
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
