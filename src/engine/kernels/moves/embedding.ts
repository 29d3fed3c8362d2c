/**
 * Looks up rows of a table by token id.
 *
 *   ids int32 [N]   table [V, d] (logical; any format)   ->   [N, d]
 *
 * Ids are clamped to the table, so a bad one cannot read beyond it. Whether they are valid is checked on the CPU when a
 * batch is made, with a message that names the row.
 *
 * Gradient (float32 tables): no atomics and no pass over the vocabulary. Occurrences of an id are linked in
 * order; the first one sums along its chain and writes the id's row once, so equal runs give equal bits.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Weight } from '../../types';
import { dispatch, u, uniformBlock } from '../../webgpu/dispatch';
import { adding, defineKernel, shapeError } from '../kernel';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';
import { computePlaced, type PlacedAttrs, placedAttrs } from '../products/placed';
import {
  requireTrainable,
  type WeightAttrs,
  weightAttrs,
  weightFits,
  weightInputs,
  weightOperand,
  widenWeight,
} from '../products/weight';
import { elementType, matrixLoader } from '../products/weight-wgsl';
import { clear, copyAll } from './row-moves';

const clampId = (id: number, vocab: number) => Math.min(Math.max(id, 0), vocab - 1);

const embeddingKernel = defineKernel<WeightAttrs>({
  name: 'Embedding',
  outputs(inputs, attrs) {
    const { out: vocab, in: width, format } = attrs;
    const { ids } = inputs;
    if (ids?.shape.length !== 1 || !weightFits(inputs, attrs)) {
      throw shapeError('Embedding', `ids [N], table [${vocab}, ${width}] as ${format}`, {
        ids: ids?.shape,
        table: inputs.weight?.shape,
      });
    }
    return [{ shape: [ids.shape[0]!, width] }];
  },
  cpu(inputs, attrs, [y]) {
    const { out: vocab, in: width } = attrs;
    const values = widenWeight(inputs, attrs);
    for (let n = 0; n < inputs.ids!.shape[0]!; n++) {
      const at = clampId(inputs.ids!.data[n]!, vocab) * width;
      y!.set(values.subarray(at, at + width), n * width);
    }
  },
  gpu({ backend, inputs, outputs, attrs }) {
    const { format, out: vocab, in: width } = attrs;
    const { parts } = weightOperand(inputs, attrs);
    const quads = width % 4 === 0;
    const columns = quads ? width / 4 : width;
    const count = inputs.ids!.shape[0]! * columns;
    const part = parts.length > 1;
    let first = 0;
    for (const { tensor, rows } of parts) {
      dispatch(backend, {
        program: {
          key: `embedding ${format} quads=${quads} part=${part}`,
          wgsl: `struct Uniforms { count: u32, columns: u32, vocab: u32, first: u32, rows: u32 }
@group(0) @binding(0) var<storage, read> ids: array<i32>;
@group(0) @binding(1) var<storage, read> W: array<${elementType(format, quads)}>;
@group(0) @binding(2) var<storage, read_write> y: array<${quads ? 'vec4f' : 'f32'}>;
@group(0) @binding(3) var<uniform> u: Uniforms;
${matrixLoader('load', 'W', format, quads, `(u.rows * u.columns${quads ? ' * 4u' : ''})`)}
${GLOBAL_INDEX}
${ENTRY} {
  let at = globalIndex(wg, local, groups);
  if (at >= u.count) { return; }
  var id = min(u32(max(ids[at / u.columns], 0)), u.vocab - 1u);
  ${part ? 'if (id < u.first || id >= u.first + u.rows) { return; }\n  id -= u.first;' : ''}
  y[at] = load(id * u.columns + at % u.columns);
}`,
        },
        tensors: [inputs.ids!, tensor, outputs[0]!],
        writes: outputs,
        uniforms: uniformBlock(u(count), u(columns), u(vocab), u(first), u(rows)),
        workgroups: groupsFor(count),
      });
      first += rows;
    }
  },
  savesOutputs: [false],
  gradient([dy], { inputs: { ids } }, attrs) {
    return {
      weight: adding(({ plus, placeOf } = {}) => {
        requireTrainable('Embedding', attrs);
        const size = { vocab: attrs.out, width: attrs.in };
        const { flat, offsets, add } = placedAttrs([placeOf?.('weight')]);
        if (!flat) return backward({ dy: dy!, ids, plus }, { ...size, offsets, add })[0]!;
        backward({ dy: dy!, ids, flat }, { ...size, offsets, add });
        return null;
      }),
    };
  },
});

const backward = defineKernel<{ vocab: number; width: number } & PlacedAttrs>({
  name: 'EmbeddingBackward',
  outputs: (_inputs, { vocab, width, offsets }) => (offsets ? [] : [{ shape: [vocab, width] }]),
  cpu(inputs, attrs, made) {
    const { dy, ids, plus } = inputs;
    const { vocab, width } = attrs;
    computePlaced(inputs, attrs, made, [vocab * width], ([dTable]) => {
      if (plus) dTable!.set(plus.data);
      for (let n = 0; n < ids!.shape[0]!; n++) {
        const at = clampId(ids!.data[n]!, vocab) * width;
        for (let j = 0; j < width; j++) dTable![at + j]! += dy!.data[n * width + j]!;
      }
    });
  },
  gpu({ backend, inputs: { dy, ids, plus, flat }, outputs, attrs: { vocab, width, offsets, add }, temp }) {
    const n = ids!.shape[0]!;
    const dTable = outputs[0] ?? flat!;
    const base = offsets?.[0] ?? 0;
    const adds = add || plus !== undefined;
    if (plus) copyAll(backend, plus, dTable);
    else if (!add) clear(backend, dTable, base, vocab * width);
    // links[n] = the next occurrence of the same id (N if none), plus N + 1 if n is not the first one.
    const links = temp([Math.max(1, n)], 'int32');
    dispatch(backend, {
      program: {
        key: 'embedding_links',
        wgsl: `struct Uniforms { n: u32, vocab: u32 }
@group(0) @binding(0) var<storage, read> ids: array<i32>;
@group(0) @binding(1) var<storage, read_write> links: array<u32>;
@group(0) @binding(2) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let at = globalIndex(wg, local, groups);
  if (at >= u.n) { return; }
  let top = i32(u.vocab) - 1;
  let own = clamp(ids[at], 0, top);
  var link = 0u;
  for (var i = 0u; i < at; i++) {
    if (clamp(ids[i], 0, top) == own) { link = u.n + 1u; break; }
  }
  var next = at + 1u;
  while (next < u.n && clamp(ids[min(next, u.n - 1u)], 0, top) != own) { next++; }
  links[at] = link + next;
}`,
      },
      tensors: [ids!, links],
      writes: [links],
      uniforms: uniformBlock(u(n), u(vocab)),
      workgroups: groupsFor(n),
    });
    const quads = width % 4 === 0 && base % 4 === 0;
    const columns = quads ? width / 4 : width;
    const type = quads ? 'vec4f' : 'f32';
    dispatch(backend, {
      program: {
        key: `embedding_backward quads=${quads} add=${adds}`,
        wgsl: `struct Uniforms { n: u32, columns: u32, vocab: u32, base: u32 }
@group(0) @binding(0) var<storage, read> dy: array<${type}>;
@group(0) @binding(1) var<storage, read> ids: array<i32>;
@group(0) @binding(2) var<storage, read> links: array<u32>;
@group(0) @binding(3) var<storage, read_write> dTable: array<${type}>;
@group(0) @binding(4) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  let column = id % u.columns;
  var at = id / u.columns;
  if (at >= u.n || links[min(at, u.n - 1u)] > u.n) { return; }
  let row = min(u32(max(ids[at], 0)), u.vocab - 1u);
  var sum = dy[at * u.columns + column];
  at = links[at];
  while (at < u.n) {
    sum += dy[at * u.columns + column];
    at = links[at] - (u.n + 1u);
  }
  dTable[u.base + row * u.columns + column] ${adds ? '+=' : '='} sum;
}`,
      },
      tensors: [dy!, ids!, links, dTable],
      writes: [dTable],
      uniforms: uniformBlock(u(n), u(columns), u(vocab), u(quads ? base / 4 : base)),
      workgroups: groupsFor(n * columns),
    });
  },
});

/** ids int32 [N] -> [N, d]. */
export function embedding(ids: tf.Tensor, table: Weight): tf.Tensor {
  return embeddingKernel({ ids, ...weightInputs(table) }, weightAttrs(table))[0]!;
}
