/** Kernels of column factors and row norms (scaleColumns, rowSquares, doraNorm) as functions of tensors, with inputs. */
import { doraNorm } from '../../src/engine/kernels/norms/dora-norm';
import { rowSquares } from '../../src/engine/kernels/norms/row-squares';
import { scaleColumns } from '../../src/engine/kernels/pointwise/scale-columns';
import { linear } from '../../src/engine/kernels/products/linear';
import { denseWeight } from '../../src/engine/kernels/products/weight';
import type { WeightFormat } from '../../src/engine/types';
import { type Op, randomValues, type Values } from '../kernel-helpers';
import { weightOn, weightValues } from './products';

export interface ScaleCase {
  m: number;
  n: number;
  bias?: boolean;
  residual?: boolean;
}

export const SCALE_CASES: ScaleCase[] = [
  { m: 1, n: 1 },
  { m: 3, n: 5, bias: true },
  { m: 4, n: 8, residual: true },
  { m: 7, n: 13, bias: true, residual: true },
  { m: 130, n: 36, bias: true, residual: true },
];

/** The inputs are x, factor, and bias and residual if the case has them. */
export function scaleCase({ m, n, bias, residual }: ScaleCase): { op: Op; inputs: Values[]; wanted: number[] } {
  const inputs = [randomValues([m, n], 1), randomValues([n], 2)];
  if (bias) inputs.push(randomValues([n], 3));
  if (residual) inputs.push(randomValues([m, n], 4));
  const op: Op = (x, factor, ...rest) => [
    scaleColumns(x!, factor!, {
      bias: bias ? rest[0]! : null,
      residual: residual ? rest[bias ? 1 : 0]! : null,
    }),
  ];
  return { op, inputs, wanted: inputs.map((_, i) => i) };
}

export const squaresOp =
  (format: WeightFormat, shape: [number, number]): Op =>
  (weight) => [rowSquares(weightOn(weight!, format, shape))];

export interface NormCase {
  out: number;
  width: number;
  rank: number;
  scale: number;
  format: WeightFormat;
}

export const NORM_CASES: NormCase[] = [
  { out: 1, width: 3, rank: 1, scale: 1, format: 'f32' },
  { out: 5, width: 7, rank: 2, scale: -0.5, format: 'f32' },
  { out: 37, width: 24, rank: 4, scale: 2, format: 'bf16' },
  { out: 70, width: 33, rank: 9, scale: 0.25, format: 'bf16' },
];

/** ‖W + scale·B·A‖ from its parts; the inputs are W, A, B. */
export function normCase({ out, width, rank, scale, format }: NormCase): { op: Op; inputs: Values[] } {
  const op: Op = (w, a, b) => {
    const weight = weightOn(w!, format, [out, width]);
    const wa = linear({ weight, bias: null }, a!);
    const aa = linear({ weight: denseWeight(a!), bias: null }, a!);
    return [doraNorm({ squares: rowSquares(weight), b: b!, wa, aa }, scale)];
  };
  const inputs = [weightValues([out, width], format, 1), randomValues([rank, width], 2), randomValues([out, rank], 3)];
  return { op, inputs };
}
