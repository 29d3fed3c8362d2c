/**
 * Rows of a table by token id.
 *
 *   ids int32 [N]   table [V, d] (logical; float32, or bf16 packed two to a word)   ->   [N, d]
 *
 * Ids are clamped to the table, so that a bad one cannot read beyond it; that they are valid is checked where batches are
 * made, on the CPU, with a message that names the row.
 *
 * Gradient (float32 tables): without atomics and without a pass over the vocabulary. Occurrences of an id are linked in
 * order; the first one sums along its chain and writes the id's row once, so equal runs give equal bits.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Weight, WeightFormat } from '../types';
import { bufferOf, copyEncoder, markWritten } from '../webgpu/backend';
import { dispatch, u, uniformBlock } from '../webgpu/dispatch';
import { defineKernel, shapeError } from './kernel';
import { groupsFor } from './matmul';
import { widen } from './matmul-reference';
import { ENTRY, elementType, GLOBAL_INDEX, matrixLoader } from './matmul-wgsl';

interface EmbeddingAttrs {
  format: WeightFormat;
  vocab: number;
  width: number;
}

const clampId = (id: number, vocab: number) => Math.min(Math.max(id, 0), vocab - 1);

const embeddingKernel = defineKernel<EmbeddingAttrs>({
  name: 'Embedding',
  outputs({ ids, table }, { format, vocab, width }) {
    const size = table?.shape.reduce((a, b) => a * b, 1);
    if (ids?.shape.length !== 1 || size !== (format === 'bf16' ? Math.ceil((vocab * width) / 2) : vocab * width)) {
      throw shapeError('Embedding', `ids [N], table [${vocab}, ${width}] as ${format}`, {
        ids: ids?.shape,
        table: table?.shape,
      });
    }
    return [{ shape: [ids.shape[0]!, width] }];
  },
  cpu({ ids, table }, { format, vocab, width }, [y]) {
    const values = widen(table!, format, vocab * width);
    for (let n = 0; n < ids!.shape[0]!; n++) {
      const at = clampId(ids!.data[n]!, vocab) * width;
      y!.set(values.subarray(at, at + width), n * width);
    }
  },
  gpu({ backend, inputs: { ids, table }, outputs, attrs: { format, vocab, width } }) {
    const quads = width % 4 === 0;
    const columns = quads ? width / 4 : width;
    const count = ids!.shape[0]! * columns;
    dispatch(backend, {
      program: {
        key: `embedding ${format} quads=${quads}`,
        wgsl: `struct Uniforms { count: u32, columns: u32, vocab: u32 }
@group(0) @binding(0) var<storage, read> ids: array<i32>;
@group(0) @binding(1) var<storage, read> rows: array<${elementType(format, quads)}>;
@group(0) @binding(2) var<storage, read_write> y: array<${quads ? 'vec4f' : 'f32'}>;
@group(0) @binding(3) var<uniform> u: Uniforms;
${matrixLoader('load', 'rows', format, quads)}
${GLOBAL_INDEX}
${ENTRY} {
  let at = globalIndex(wg, local, groups);
  if (at >= u.count) { return; }
  let id = min(u32(max(ids[at / u.columns], 0)), u.vocab - 1u);
  y[at] = load(id * u.columns + at % u.columns);
}`,
      },
      tensors: [ids!, table!, outputs[0]!],
      writes: outputs,
      uniforms: uniformBlock(u(count), u(columns), u(vocab)),
      workgroups: groupsFor(count),
    });
  },
  savesOutputs: [false],
  gradient([dy], { inputs: { ids } }, { format, vocab, width }) {
    return {
      table: () => {
        if (format !== 'f32') throw new Error(`Embedding: a table stored as ${format} is frozen and has no gradient.`);
        return backward({ dy: dy!, ids }, { format, vocab, width })[0]!;
      },
    };
  },
});

const backward = defineKernel<EmbeddingAttrs>({
  name: 'EmbeddingBackward',
  outputs: (_inputs, { vocab, width }) => [{ shape: [vocab, width] }],
  cpu({ dy, ids }, { vocab, width }, [dTable]) {
    for (let n = 0; n < ids!.shape[0]!; n++) {
      const at = clampId(ids!.data[n]!, vocab) * width;
      for (let j = 0; j < width; j++) dTable![at + j]! += dy!.data[n * width + j]!;
    }
  },
  gpu({ backend, inputs: { dy, ids }, outputs, attrs: { vocab, width }, temp }) {
    const n = ids!.shape[0]!;
    const dTable = outputs[0]!;
    const table = bufferOf(backend, dTable);
    copyEncoder(backend).clearBuffer(table);
    markWritten(backend, dTable);
    // links[n] = the next occurrence of the same id (N for none), plus N + 1 where n is not the first one.
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
    const quads = width % 4 === 0;
    const columns = quads ? width / 4 : width;
    const type = quads ? 'vec4f' : 'f32';
    dispatch(backend, {
      program: {
        key: `embedding_backward quads=${quads}`,
        wgsl: `struct Uniforms { n: u32, columns: u32, vocab: u32 }
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
  dTable[row * u.columns + column] = sum;
}`,
      },
      tensors: [dy!, ids!, links, dTable],
      writes: [dTable],
      uniforms: uniformBlock(u(n), u(columns), u(vocab)),
      workgroups: groupsFor(n * columns),
    });
  },
});

/** ids int32 [N] -> [N, d]. */
export function embedding(ids: tf.Tensor, table: Weight): tf.Tensor {
  const [vocab, width] = table.shape as [number, number];
  return embeddingKernel({ ids, table: table.tensor }, { format: table.format, vocab, width })[0]!;
}
