/**
 * Splits a fused projection into its columns in one dispatch: queries, keys and values that one linear layer computed.
 *
 *   x [M, N]   ->   for each part [M, groups·width]: its column c is column offset + ⌊c / width⌋·stride + c mod width of x
 *
 * Adjacent parts (GPT-2, Phi-3) have one group each. GPT-NeoX alternates between queries, keys and values head by head,
 * which makes as many groups as heads. The parts must cover every column exactly once, so that the gradient, which copies
 * the other way, writes all of dx.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { zeros } from '@tensorflow/tfjs-core';
import { dispatch, u, uniformBlock } from '../../webgpu/dispatch';
import { defineKernel, type Inputs, shapeError } from '../kernel';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

/** The columns that one output takes. */
export interface ColumnPart {
  /** First column of the first group. */
  offset: number;
  /** Columns per group. */
  width: number;
  groups: number;
  /** From one group's first column to the next group's; unused for a single group. */
  stride: number;
}

interface SplitAttrs {
  /** N */
  columns: number;
  parts: ColumnPart[];
}

const widthOf = ({ groups, width }: ColumnPart) => groups * width;

/** The column of x that becomes column `c` of a part. */
const source = ({ offset, width, stride }: ColumnPart, c: number) =>
  offset + Math.floor(c / width) * stride + (c % width);

/** Adjacent parts of `widths` columns each. */
export function sideBySide(...widths: number[]): ColumnPart[] {
  let offset = 0;
  return widths.map((width) => {
    const part = { offset, width, groups: 1, stride: width };
    offset += width;
    return part;
  });
}

/** `count` parts that alternate: `width` columns of each in turn, `groups` times. */
export function byTurns(count: number, groups: number, width: number): ColumnPart[] {
  return Array.from({ length: count }, (_, p) => ({ offset: p * width, width, groups, stride: count * width }));
}

function checkCover({ columns, parts }: SplitAttrs): void {
  const taken = new Uint8Array(columns);
  let total = 0;
  for (const part of parts) {
    for (let c = 0; c < widthOf(part); c++) taken[source(part, c)] = 1;
    total += widthOf(part);
  }
  if (total !== columns || taken.includes(0)) {
    throw new Error(`SplitColumns: the parts ${JSON.stringify(parts)} do not cover each of ${columns} columns once.`);
  }
}

/** One thread per element of all parts; each copies between `whole[at]` and `part[i]` of its part. */
function shader(count: number, quads: boolean, back: boolean): string {
  const type = quads ? 'vec4f' : 'f32';
  const each = (body: (p: number) => string) => Array.from({ length: count }, (_, p) => body(p)).join('\n');
  return `struct Uniforms { rows: u32, columns: u32, ${each((p) => `offset${p}: u32, width${p}: u32, total${p}: u32, stride${p}: u32,`)} }
@group(0) @binding(0) var<storage, ${back ? 'read_write' : 'read'}> whole: array<${type}>;
${each((p) => `@group(0) @binding(${p + 1}) var<storage, ${back ? 'read' : 'read_write'}> part${p}: array<${type}>;`)}
@group(0) @binding(${count + 1}) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  var i = globalIndex(wg, local, groups);
${each(
  (p) => `  if (i < u.rows * u.total${p}) {
    let c = i % u.total${p};
    let at = i / u.total${p} * u.columns + u.offset${p} + c / u.width${p} * u.stride${p} + c % u.width${p};
    ${back ? `whole[at] = part${p}[i]` : `part${p}[i] = whole[at]`};
    return;
  }
  i -= u.rows * u.total${p};`,
)}
}`;
}

function record(
  backend: Parameters<typeof dispatch>[0],
  whole: tf.TensorInfo,
  pieces: tf.TensorInfo[],
  { columns, parts }: SplitAttrs,
  back: boolean,
): void {
  const rows = whole.shape[0]!;
  const numbers = parts.flatMap((p) => [p.offset, p.width, widthOf(p), p.stride]);
  const quads = columns % 4 === 0 && numbers.every((n) => n % 4 === 0);
  const step = quads ? 4 : 1;
  dispatch(backend, {
    program: {
      key: `split_columns parts=${parts.length} quads=${quads} back=${back}`,
      wgsl: shader(parts.length, quads, back),
    },
    tensors: [whole, ...pieces],
    writes: back ? [whole] : pieces,
    uniforms: uniformBlock(...[rows, columns / step, ...numbers.map((n) => n / step)].map(u)),
    workgroups: groupsFor((rows * columns) / step),
  });
}

const nameOf = (p: number) => `part${p}`;

const splitKernel = defineKernel<SplitAttrs>({
  name: 'SplitColumns',
  outputs({ x }, { columns, parts }) {
    if (x?.shape.length !== 2 || x.shape[1] !== columns) {
      throw shapeError('SplitColumns', `x [M, ${columns}]`, { x: x?.shape });
    }
    return parts.map((part) => ({ shape: [x.shape[0]!, widthOf(part)] }));
  },
  cpu({ x }, { columns, parts }, outputs) {
    parts.forEach((part, p) => {
      const total = widthOf(part);
      for (let i = 0; i < outputs[p]!.length; i++) {
        outputs[p]![i] = x!.data[Math.floor(i / total) * columns + source(part, i % total)]!;
      }
    });
  },
  gpu({ backend, inputs, outputs, attrs }) {
    record(backend, inputs.x!, outputs, attrs, false);
  },
  savesOutputs: [],
  gradient(dys, { inputs: { x } }, { columns, parts }) {
    return {
      x: () => {
        const rows = x!.shape[0]!;
        // A part that the loss does not depend on has no dy.
        const given = parts.map((part, p): [string, tf.Tensor] => [nameOf(p), dys[p] ?? zeros([rows, widthOf(part)])]);
        return joinKernel(Object.fromEntries(given), { columns, parts })[0]!;
      },
    };
  },
});

const joinKernel: (inputs: Partial<Inputs>, attrs: SplitAttrs) => tf.Tensor[] = defineKernel<SplitAttrs>({
  name: 'SplitColumnsBackward',
  outputs: (inputs, { columns }) => [{ shape: [inputs[nameOf(0)]!.shape[0]!, columns] }],
  cpu(inputs, { columns, parts }, [dx]) {
    parts.forEach((part, p) => {
      const { data } = inputs[nameOf(p)]!;
      const total = widthOf(part);
      for (let i = 0; i < data.length; i++) dx![Math.floor(i / total) * columns + source(part, i % total)] = data[i]!;
    });
  },
  gpu({ backend, inputs, outputs, attrs }) {
    const pieces = attrs.parts.map((_, p) => inputs[nameOf(p)]!);
    record(backend, outputs[0]!, pieces, attrs, true);
  },
});

const checked = new WeakMap<ColumnPart[], number>();

/** x [M, N] -> one [M, groups·width] per part. Make `parts` once per model: a list is checked on first use. */
export function splitColumns(x: tf.Tensor, parts: ColumnPart[]): tf.Tensor[] {
  const columns = x.shape[1]!;
  if (checked.get(parts) !== columns) {
    checkCover({ columns, parts });
    checked.set(parts, columns);
  }
  return splitKernel({ x }, { columns, parts });
}
