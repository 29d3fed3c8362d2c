/**
 * y = x·Wᵀ (+ bias) (+ residual), with W frozen in any format or trainable in f32.
 *
 *   x [M, in]   weight [out, in] (logical)   bias [out]   residual [M, out]   ->   y [M, out]
 *
 * The epilogue adds the residual: its gradient is dy itself, and the addition costs no dispatch.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LinearModule, Weight } from '../../types';
import { adding, defineKernel, type GradientWish, shapeError } from '../kernel';
import { isFew, recordFewRows } from './few-rows';
import { recordInputAndWeights, recordNN, recordNT, recordTN } from './matmul';
import { addNN, addNT, addTN } from './matmul-reference';
import { computePlaced, type PlacedAttrs, placedAttrs } from './placed';
import {
  denseOperand,
  requireTrainable,
  type WeightAttrs,
  weightAttrs,
  weightInputs,
  weightOf,
  weightOperand,
  widenWeight,
} from './weight';

const linearKernel = defineKernel<WeightAttrs>({
  name: 'Linear',
  outputs({ x, bias, residual }, { out, in: width }) {
    const rows = x?.shape[0];
    if (
      x?.shape.length !== 2 ||
      x.shape[1] !== width ||
      (bias && bias.shape[0] !== out) ||
      (residual && (residual.shape[0] !== rows || residual.shape[1] !== out))
    ) {
      throw shapeError('Linear', `x [M, ${width}], bias [${out}], residual [M, ${out}]`, {
        x: x?.shape,
        bias: bias?.shape,
        residual: residual?.shape,
      });
    }
    return [{ shape: [rows!, out] }];
  },
  cpu(inputs, attrs, [y]) {
    const { x, bias, residual } = inputs;
    const { out, in: width } = attrs;
    const rows = x!.shape[0]!;
    const result = y as Float32Array;
    if (residual) result.set(residual.data);
    addNT(result, x!.data, widenWeight(inputs, attrs), rows, out, width);
    if (bias) for (let i = 0; i < result.length; i++) result[i]! += bias.data[i % out]!;
  },
  gpu({ backend, inputs, outputs, attrs }) {
    const m = inputs.x!.shape[0]!;
    const [w, y] = [weightOperand(inputs, attrs), outputs[0]!];
    const { bias, residual } = inputs;
    const call = { x: inputs.x!, m, k: attrs.in, residual };
    if (isFew(backend, m)) recordFewRows(backend, { ...call, segments: [{ w, n: attrs.out, bias }], ys: [y] });
    else recordNT(backend, { ...call, w, n: attrs.out, bias, y });
  },
  savesOutputs: [false],
  gradient([dy], { inputs }, attrs) {
    /** dx, and dW unless it has a place. */
    let both: tf.Tensor[] | null = null;
    const placeOfWeight = (placeOf: GradientWish['placeOf']) => {
      const { flat, ...place } = placedAttrs([placeOf?.('weight')]);
      return { given: { dy: dy!, x: inputs.x!, flat }, place };
    };
    return {
      x: adding(({ plus, wanted, placeOf } = {}) => {
        if (!wanted?.includes('weight')) return linearBackwardInput(dy!, weightOf(inputs, attrs), { plus });
        requireTrainable('Linear', attrs);
        const { given, place } = placeOfWeight(placeOf);
        both = backwardBoth({ ...given, plus, weight: inputs.weight! }, { ...attrs, ...place });
        return both[0]!;
      }),
      weight: ({ placeOf } = {}) => {
        requireTrainable('Linear', attrs);
        if (both) return both[1] ?? null;
        const { given, place } = placeOfWeight(placeOf);
        return transposed({ a: given.dy, b: given.x, flat: given.flat }, place)[0] ?? null;
      },
      bias: () => tf.sum(dy!, 0),
      residual: () => dy!.clone(),
    };
  },
});

const backwardInput = defineKernel<WeightAttrs & { alpha: number }>({
  name: 'LinearBackwardInput',
  outputs: ({ dy }, { in: width }) => [{ shape: [dy!.shape[0]!, width] }],
  cpu(inputs, attrs, [dx]) {
    const { dy, h, a, plus } = inputs;
    const { out, in: width, alpha } = attrs;
    const rows = dy!.shape[0]!;
    if (plus) (dx as Float32Array).set(plus.data);
    addNN(dx as Float32Array, dy!.data, widenWeight(inputs, attrs), rows, out, width, alpha);
    if (h && a) addNN(dx as Float32Array, h.data, a.data, rows, h.shape[1]!, width, alpha);
  },
  gpu({ backend, inputs, outputs, attrs }) {
    const { h, a, plus } = inputs;
    recordNN(backend, {
      y: inputs.dy!,
      w: weightOperand(inputs, attrs),
      z: outputs[0]!,
      m: inputs.dy!.shape[0]!,
      n: attrs.out,
      k: attrs.in,
      alpha: attrs.alpha,
      lora: h && a ? { h, a, rank: h.shape[1]! } : undefined,
      plus,
    });
  },
});

/** The gradients of x and of a trained weight, in one dispatch where the device allows it. */
const backwardBoth = defineKernel<WeightAttrs & PlacedAttrs>({
  name: 'LinearBackward',
  outputs: ({ dy }, { in: width, out, offsets }) => [
    { shape: [dy!.shape[0]!, width] },
    ...(offsets ? [] : [{ shape: [out, width] }]),
  ],
  cpu(inputs, attrs, [dx, ...made]) {
    const { dy, x, weight, plus } = inputs;
    const { in: width, out } = attrs;
    const rows = dy!.shape[0]!;
    if (plus) (dx as Float32Array).set(plus.data);
    addNN(dx as Float32Array, dy!.data, weight!.data as Float32Array, rows, out, width);
    computePlaced(inputs, attrs, made, [out * width], ([dw]) => addTN(dw!, dy!.data, x!.data, rows, out, width));
  },
  gpu({ backend, inputs: { dy, x, weight, plus, flat }, outputs, attrs: { in: width, out, offsets, add } }) {
    const [dx, dw] = outputs as [tf.TensorInfo, tf.TensorInfo?];
    recordInputAndWeights(
      backend,
      { y: dy!, w: denseOperand(weight!), z: dx, m: dy!.shape[0]!, n: out, k: width, plus },
      [{ u: dy!, v: x!, c: dw ?? flat!, p: out, q: width, at: offsets?.[0], add }],
    );
  },
});

const transposed = defineKernel<PlacedAttrs>({
  name: 'TransposedProduct',
  outputs: ({ a, b }, { offsets }) => (offsets ? [] : [{ shape: [a!.shape[1]!, b!.shape[1]!] }]),
  cpu(inputs, attrs, made) {
    const { a, b } = inputs;
    const [m, p] = a!.shape as [number, number];
    const q = b!.shape[1]!;
    computePlaced(inputs, attrs, made, [p * q], ([c]) => addTN(c!, a!.data, b!.data, m, p, q));
  },
  gpu({ backend, inputs, outputs, attrs: { offsets, add } }) {
    const [a, b] = [inputs.a!, inputs.b!];
    const c = outputs[0] ?? inputs.flat!;
    recordTN(backend, a.shape[0]!, [{ u: a, v: b, c, p: a.shape[1]!, q: b.shape[1]!, at: offsets?.[0], add }]);
  },
});

/** aᵀ·b: a [M, P], b [M, Q] -> [P, Q]. */
export function transposedProduct(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return transposed({ a, b }, placedAttrs(null))[0]!;
}

/**
 * alpha · (dy·W + h·a) + plus: dy [M, out], weight [out, in] and, if given, LoRA's h [M, r] and a [r, in], and plus [M, in]
 * -> [M, in].
 */
export function linearBackwardInput(
  dy: tf.Tensor,
  weight: Weight,
  { lora, alpha = 1, plus }: { lora?: { h: tf.Tensor; a: tf.Tensor }; alpha?: number; plus?: tf.Tensor } = {},
): tf.Tensor {
  const inputs = { dy, ...weightInputs(weight), h: lora?.h, a: lora?.a, plus };
  return backwardInput(inputs, { ...weightAttrs(weight), alpha })[0]!;
}

/** Applies a linear module: x [M, in] -> [M, out]. */
export function linear(
  module: Pick<LinearModule, 'weight' | 'bias'>,
  x: tf.Tensor,
  residual: tf.Tensor | null = null,
): tf.Tensor {
  return linearKernel(
    { x, ...weightInputs(module.weight), bias: module.bias ?? undefined, residual: residual ?? undefined },
    weightAttrs(module.weight),
  )[0]!;
}
