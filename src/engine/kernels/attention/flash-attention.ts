/** Attention by tiles in workgroup memory (flash-attention-wgsl.ts): one dispatch forward, two backward, whatever the batch and heads. */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch } from '../../webgpu/dispatch';
import type { GpuCall } from '../kernel';
import { groupsFor } from '../products/matmul';
import { type AttentionAttrs, attentionUniforms, flashTiles, hasDropout, rowsOf } from './attention-tiles';
import { type FlashTile, flashForwardShader, flashKeyValueShader, flashQueryShader, OWN } from './flash-attention-wgsl';

/** One workgroup for each tile of `own` rows or keys of every pair, and slice. */
const groupsOf = (a: AttentionAttrs, own: number, { slices }: FlashTile) =>
  groupsFor(64 * a.batch * a.kvHeads * Math.ceil(own / OWN) * slices);

export function flashForward({ backend, inputs, outputs, attrs: a }: GpuCall<AttentionAttrs>): void {
  const { q, k, v, visible } = inputs;
  const { forward } = flashTiles(backend, a);
  dispatch(backend, {
    program: { key: `attention_flash ${JSON.stringify(forward)}`, wgsl: () => flashForwardShader(forward) },
    tensors: [q!, k!, v!, visible!, ...outputs],
    writes: outputs,
    uniforms: attentionUniforms(a),
    volatile: hasDropout(a),
    workgroups: groupsOf(a, rowsOf(a), forward),
  });
}

/** dq, dk and dv from `stats`, each row's lse and δ. */
export function flashBackward(
  { backend, inputs, outputs, attrs: a }: GpuCall<AttentionAttrs>,
  stats: tf.TensorInfo,
): void {
  const { q, k, v, visible, dO } = inputs;
  const [dq, dk, dv] = outputs as [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo];
  const { query, keyValue } = flashTiles(backend, a);
  const shared = { uniforms: attentionUniforms(a), volatile: hasDropout(a) };
  const given = [q!, k!, v!, visible!, dO!, stats];
  dispatch(backend, {
    program: { key: `attention_flash_dq ${JSON.stringify(query)}`, wgsl: () => flashQueryShader(query) },
    tensors: [...given, dq],
    writes: [dq],
    ...shared,
    workgroups: groupsOf(a, rowsOf(a), query),
  });
  dispatch(backend, {
    program: { key: `attention_flash_dkv ${JSON.stringify(keyValue)}`, wgsl: () => flashKeyValueShader(keyValue) },
    tensors: [...given, dk, dv],
    writes: [dk, dv],
    ...shared,
    workgroups: groupsOf(a, a.keyLength, keyValue),
  });
}
