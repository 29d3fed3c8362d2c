/** Attention on random values, as its tests call it. */
import { type AttentionAttrs, attention } from '../../../src/engine/kernels/attention/attention';
import { intValues, type Op, randomValues, type Values } from '../../kernel-helpers';

export type Shape = Omit<AttentionAttrs, 'scale'>;

export const op =
  (shape: Shape): Op =>
  (q, k, v, visible) => [attention(q!, k!, v!, visible!, { ...shape, scale: 1 / Math.sqrt(shape.headDim) })];

export const inputs = (s: Shape, visible: ArrayLike<number>): Values[] => [
  randomValues([s.batch * s.queryLength, s.heads * s.headDim], 1, 1.5),
  randomValues([s.batch * s.keyLength, s.kvHeads * s.headDim], 2, 1.5),
  randomValues([s.batch * s.keyLength, s.kvHeads * s.headDim], 3),
  intValues(visible, [s.batch * s.queryLength, 2]),
];
