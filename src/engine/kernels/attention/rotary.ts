/**
 * Rotary position embeddings (Su et al., 2021), paired as in Hugging Face's rotate_half.
 *
 *   q [N, Hq·D]   k [N, Hk·D]   cos, sin [P, R/2]   positions int32 [N]   ->   q' [N, Hq·D], k' [N, Hk·D]
 *
 * The first R dimensions of a head are rotated, i together with i + R/2; the others stay as they are. Usually R = D.
 *
 * One dispatch rotates both q and k. The gradient is the inverse rotation. Angles come from a table, because WGSL's cos and
 * sin guarantee only an absolute error of 2⁻¹¹. Positions beyond the table use its last row; callers check the context
 * length beforehand.
 */
import * as tf from '@tensorflow/tfjs-core';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { defineKernel, type Inputs, shapeError, sharedGradients } from '../kernel';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

interface RotaryAttrs {
  headDim: number;
  inverse: boolean;
}

/** `second` may be absent: for the gradient of only one of the two. */
const rotaryKernel: (inputs: Partial<Inputs>, attrs: RotaryAttrs) => tf.Tensor[] = defineKernel<RotaryAttrs>({
  name: 'Rotary',
  outputs({ first, second, cos, sin, positions }, { headDim }) {
    const rows = first?.shape[0];
    const fits =
      headDim % 2 === 0 &&
      positions?.shape[0] === rows &&
      cos?.shape.length === 2 &&
      cos.shape[1]! <= headDim / 2 &&
      tf.util.arraysEqual(cos.shape, sin?.shape ?? []) &&
      [first, second ?? first].every(
        (t) => t?.shape.length === 2 && t.shape[0] === rows && t.shape[1]! % headDim === 0,
      );
    if (!fits) {
      throw shapeError('Rotary', `q, k [N, heads·${headDim}], cos and sin [P, up to ${headDim / 2}], positions [N]`, {
        q: first?.shape,
        k: second?.shape,
        cos: cos?.shape,
        sin: sin?.shape,
        positions: positions?.shape,
      });
    }
    return [first!, ...(second ? [second] : [])].map(({ shape }) => ({ shape }));
  },
  cpu({ first, second, cos, sin, positions }, { headDim, inverse }, outputs) {
    const [tableRows, half] = cos!.shape as [number, number];
    const last = tableRows - 1;
    [first!, ...(second ? [second] : [])].forEach(({ data, shape }, t) => {
      const [rows, width] = shape as [number, number];
      for (let n = 0; n < rows; n++) {
        const table = Math.min(Math.max(positions!.data[n]!, 0), last) * half;
        for (let head = 0; head < width / headDim; head++) {
          for (let i = 0; i < half; i++) {
            const at = n * width + head * headDim + i;
            const [a, b] = [data[at]!, data[at + half]!];
            const c = cos!.data[table + i]!;
            const s = inverse ? -sin!.data[table + i]! : sin!.data[table + i]!;
            outputs[t]![at] = a * c - b * s;
            outputs[t]![at + half] = b * c + a * s;
          }
          const end = n * width + (head + 1) * headDim;
          const rest = end - headDim + 2 * half;
          outputs[t]!.set(data.subarray(rest, end), rest);
        }
      }
    });
  },
  gpu({ backend, inputs, outputs, attrs: { headDim, inverse } }) {
    const { first, second, cos, sin, positions } = inputs;
    const rows = first!.shape[0]!;
    const half = headDim / 2;
    const pairs = cos!.shape[1]!;
    const quads = half % 4 === 0 && pairs % 4 === 0;
    const step = quads ? 4 : 1;
    const heads = (t: tf.TensorInfo | undefined) => (t ? t.shape[1]! / headDim : 0);
    const count = (rows * (heads(first) + heads(second)) * half) / step;
    dispatch(backend, {
      program: {
        key: `rotary both=${second !== undefined} quads=${quads} part=${pairs < half}`,
        wgsl: shader(second !== undefined, quads, pairs < half),
      },
      tensors: [first!, ...(second ? [second] : []), cos!, sin!, positions!, ...outputs],
      writes: outputs,
      uniforms: uniformBlock(
        u(count),
        u(half / step),
        u(pairs / step),
        u(heads(first)),
        u(heads(second)),
        u(cos!.shape[0]!),
        f(inverse ? -1 : 1),
      ),
      workgroups: groupsFor(count),
    });
  },
  savesOutputs: [false, false],
  shapesOnly: ['first', 'second'],
  gradient([dFirst, dSecond], { inputs: { first, second, cos, sin, positions } }, { headDim, inverse }) {
    const tables = { cos, sin, positions };
    const back = { headDim, inverse: !inverse };
    // An output that the loss does not depend on has no dy; its input then gets zeros without a rotation.
    if (dFirst && dSecond) {
      const both = sharedGradients(() => rotaryKernel({ first: dFirst, second: dSecond, ...tables }, back));
      return { first: () => both(0), second: () => both(1) };
    }
    const turn = (dy: tf.Tensor | null | undefined, like: tf.Tensor) =>
      dy ? rotaryKernel({ first: dy, ...tables }, back)[0]! : tf.zeros(like.shape);
    return { first: () => turn(dFirst, first!), second: () => turn(dSecond, second!) };
  },
});

function shader(both: boolean, quads: boolean, part: boolean): string {
  const type = quads ? 'vec4f' : 'f32';
  let binding = 0;
  const declare = (access: string, name: string, element: string) =>
    `@group(0) @binding(${binding++}) var<storage, ${access}> ${name}: array<${element}>;`;
  const base = (heads: string) => `(row * ${heads} + head) * 2u * u.half`;
  const stay = (name: string, heads: string) => `let at = ${base(heads)} + 2u * i;
    ${name}Out[at] = ${name}[at];
    ${name}Out[at + 1u] = ${name}[at + 1u];`;
  const turn = (name: string, heads: string) => `let at = ${base(heads)} + i;
    let a = ${name}[at];
    let b = ${name}[at + u.pairs];
    ${name}Out[at] = a * c - b * s;
    ${name}Out[at + u.pairs] = b * c + a * s;`;
  const each = (body: (name: string, heads: string) => string) =>
    both
      ? `if (head < u.qHeads) {
    ${body('q', 'u.qHeads')}
  } else {
    head -= u.qHeads;
    ${body('k', 'u.kHeads')}
  }`
      : body('q', 'u.qHeads');
  const declarations = [
    declare('read', 'q', type),
    ...(both ? [declare('read', 'k', type)] : []),
    declare('read', 'cosines', type),
    declare('read', 'sines', type),
    declare('read', 'positions', 'i32'),
    declare('read_write', 'qOut', type),
    ...(both ? [declare('read_write', 'kOut', type)] : []),
  ];
  return `struct Uniforms { count: u32, half: u32, pairs: u32, qHeads: u32, kHeads: u32, tableRows: u32, direction: f32 }
${declarations.join('\n')}
@group(0) @binding(${binding}) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.count) { return; }
  let i = id % u.half;
  let heads = u.qHeads + u.kHeads;
  var head = id / u.half % heads;
  let row = id / u.half / heads;
  ${part ? `if (i >= u.pairs) { ${each(stay)} return; }` : ''}
  let table = min(u32(max(positions[row], 0)), u.tableRows - 1u) * u.pairs + i;
  let c = cosines[table];
  let s = sines[table] * u.direction;
  ${each(turn)}
}`;
}

/**
 * cos and sin [positions, R/2] of position · frequency, times `scale`, which some RoPE scalings use instead of scaling the
 * scores. As in transformers, the angle is rounded to float32 before its cosine and sine are taken.
 */
export function rotaryTables(
  positions: number,
  inverseFrequencies: Float32Array,
  scale = 1,
): { cos: tf.Tensor2D; sin: tf.Tensor2D } {
  const half = inverseFrequencies.length;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let p = 0; p < positions; p++) {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(p * inverseFrequencies[i]!);
      cos[p * half + i] = scale * Math.cos(angle);
      sin[p * half + i] = scale * Math.sin(angle);
    }
  }
  return { cos: tf.tensor2d(cos, [positions, half]), sin: tf.tensor2d(sin, [positions, half]) };
}

/** q [N, Hq·D] and k [N, Hk·D], rotated by their positions. */
export function rotary(
  q: tf.Tensor,
  k: tf.Tensor,
  { cos, sin, positions, headDim }: { cos: tf.Tensor; sin: tf.Tensor; positions: tf.Tensor; headDim: number },
): [q: tf.Tensor, k: tf.Tensor] {
  const [qOut, kOut] = rotaryKernel({ first: q, second: k, cos, sin, positions }, { headDim, inverse: false });
  return [qOut!, kOut!];
}
