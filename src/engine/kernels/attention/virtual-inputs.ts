/**
 * A model's token inputs when P virtual tokens precede every text: positions, visible ranges (visible.ts) and token types,
 * int32 in and out. The T tokens of a text become N rows: P + T if the virtual tokens are rows too (a prompt), T if they
 * are only keys and values (a prefix).
 *
 *   positions  [B·T]     ->  [B·N]      a text's positions start at P; virtual tokens have 0, …, P−1
 *   visible    [B·T, 2]  ->  [B·N, 2]   a range that starts with its text now starts with the virtual tokens; an empty one
 *                                       (padding) stays empty. A virtual token sees those up to itself or, with `both`,
 *                                       everything that its text's tokens see
 *   types      [B·T]     ->  [B·N]      virtual tokens have type 0
 */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch, u, uniformBlock } from '../../webgpu/dispatch';
import { defineKernel, shapeError } from '../kernel';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

export interface VirtualAttrs {
  batch: number;
  /** T */
  length: number;
  /** P */
  virtual: number;
  /** `prompt`: virtual tokens are rows like any token. `prefix`: they are keys and values only. */
  as: 'prompt' | 'prefix';
  /** Attention in both directions: tokens also see what follows them. */
  both: boolean;
}

const rowsOf = ({ length, virtual, as }: VirtualAttrs) => (as === 'prompt' ? virtual + length : length);

const kernel = defineKernel<VirtualAttrs>({
  name: 'VirtualInputs',
  outputs({ positions, visible, types }, a) {
    const tokens = a.batch * a.length;
    if (
      positions?.shape.join() !== `${tokens}` ||
      visible?.shape.join() !== `${tokens},2` ||
      (types && types.shape.join() !== `${tokens}`)
    ) {
      throw shapeError('VirtualInputs', `positions [${tokens}], visible [${tokens}, 2], types [${tokens}]`, {
        positions: positions?.shape,
        visible: visible?.shape,
        types: types?.shape,
      });
    }
    const rows = a.batch * rowsOf(a);
    const int32 = { dtype: 'int32' } as const;
    return [
      { shape: [rows], ...int32 },
      { shape: [rows, 2], ...int32 },
      { shape: [rows], ...int32 },
    ];
  },
  cpu({ positions, visible, types }, a, [places, ranges, kinds]) {
    const { batch, length, virtual, both } = a;
    const rows = rowsOf(a);
    for (let b = 0; b < batch; b++) {
      let reach = 0;
      for (let t = 0; t < length; t++) reach = Math.max(reach, visible!.data[(b * length + t) * 2 + 1]!);
      for (let r = 0; r < rows; r++) {
        const to = b * rows + r;
        const t = r - (rows - length);
        if (t < 0) {
          places![to] = r;
          ranges![to * 2 + 1] = both ? virtual + reach : r + 1;
          continue;
        }
        const from = b * length + t;
        const [first, end] = [visible!.data[from * 2]!, visible!.data[from * 2 + 1]!];
        places![to] = positions!.data[from]! + virtual;
        kinds![to] = types?.data[from] ?? 0;
        if (first >= end) continue;
        ranges![to * 2] = first > 0 ? first + virtual : 0;
        ranges![to * 2 + 1] = end + virtual;
      }
    }
  },
  gpu({ backend, inputs, outputs, attrs: a }) {
    const { positions, visible, types } = inputs;
    const rows = rowsOf(a);
    const given = [positions!, visible!, ...(types ? [types] : [])];
    dispatch(backend, {
      program: {
        key: `virtual_inputs types=${Boolean(types)}`,
        wgsl: `struct Uniforms { count: u32, rows: u32, length: u32, virtualTokens: u32, both: u32 }
@group(0) @binding(0) var<storage, read> positions: array<i32>;
@group(0) @binding(1) var<storage, read> visible: array<vec2i>;
${types ? '@group(0) @binding(2) var<storage, read> types: array<i32>;' : ''}
@group(0) @binding(${given.length}) var<storage, read_write> places: array<i32>;
@group(0) @binding(${given.length + 1}) var<storage, read_write> ranges: array<vec2i>;
@group(0) @binding(${given.length + 2}) var<storage, read_write> kinds: array<i32>;
@group(0) @binding(${given.length + 3}) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let at = globalIndex(wg, local, groups);
  if (at >= u.count) { return; }
  let text = at / u.rows;
  let row = at % u.rows;
  let own = u.rows - u.length;
  let p = i32(u.virtualTokens);
  if (row < own) {
    places[at] = i32(row);
    kinds[at] = 0;
    var reach = i32(row) + 1;
    if (u.both == 1u) {
      reach = p;
      for (var t = 0u; t < u.length; t++) { reach = max(reach, visible[text * u.length + t].y + p); }
    }
    ranges[at] = vec2i(0, reach);
    return;
  }
  let source = text * u.length + row - own;
  let seen = visible[source];
  places[at] = positions[source] + p;
  kinds[at] = ${types ? 'types[source]' : '0'};
  ranges[at] = select(vec2i(select(0, seen.x + p, seen.x > 0), seen.y + p), vec2i(0), seen.x >= seen.y);
}`,
      },
      tensors: [...given, ...outputs],
      writes: outputs,
      uniforms: uniformBlock(...[a.batch * rows, rows, a.length, a.virtual, a.both ? 1 : 0].map(u)),
      workgroups: groupsFor(a.batch * rows),
    });
  },
});

export function virtualInputs(
  given: { positions: tf.Tensor; visible: tf.Tensor; types?: tf.Tensor },
  attrs: VirtualAttrs,
): { positions: tf.Tensor; visible: tf.Tensor; types: tf.Tensor } {
  const inputs = { positions: given.positions, visible: given.visible, types: given.types };
  const [positions, visible, types] = kernel(inputs, attrs) as [tf.Tensor, tf.Tensor, tf.Tensor];
  return { positions, visible, types };
}
