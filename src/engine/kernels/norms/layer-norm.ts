/**
 * LayerNorm (Ba et al., 2016), as in torch with float32:
 *
 *   x [M, d]   weight, bias [d]   ->   y [M, d] = x̂ · weight + bias,   x̂ = (x − mean) · rstd,   rstd = 1 / √(var(x) + eps)
 *
 * With g = dy · weight:   dx = rstd · (g − mean(g) − x̂ · mean(g · x̂)) (+ plus)   dweight = Σ_M dy · x̂   dbias = Σ_M dy
 *
 * The bias is optional. `stats` [M, 2] keeps each row's mean and rstd for the gradients. The variance is computed about
 * the mean in a second pass, because a difference of squares would cancel.
 */
import * as tf from '@tensorflow/tfjs-core';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { adding, defineKernel, shapeError, type View } from '../kernel';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';
import { type Lanes, lanesOf, rowShader, sumColumns } from './rows';

interface LayerNormAttrs {
  eps: number;
}

function forwardShader(lanes: Lanes, quads: boolean, bias: boolean): string {
  const r = rowShader(lanes, quads);
  return `struct Uniforms { rows: u32, width: u32, size: f32, eps: f32 }
@group(0) @binding(0) var<storage, read> x: array<${r.element}>;
@group(0) @binding(1) var<storage, read> weight: array<${r.element}>;
${bias ? `@group(0) @binding(2) var<storage, read> bias: array<${r.element}>;` : ''}
@group(0) @binding(${bias ? 3 : 2}) var<storage, read_write> y: array<${r.element}>;
@group(0) @binding(${bias ? 4 : 3}) var<storage, read_write> stats: array<f32>;
@group(0) @binding(${bias ? 5 : 4}) var<uniform> u: Uniforms;
${r.declare}
${ENTRY} {
  ${r.begin}
  var sum = ${r.zero};
  ${r.each} { sum += x[base + i]; }
  var part = ${r.total('sum')};
  ${r.fold()}
  let mean = part / u.size;
  sum = ${r.zero};
  ${r.each} { let v = x[base + i] - mean; sum += v * v; }
  part = ${r.total('sum')};
  ${r.fold()}
  let rstd = inverseSqrt(part / u.size + u.eps);
  if (lane == 0u) { stats[row * 2u] = mean; stats[row * 2u + 1u] = rstd; }
  ${r.each} { y[base + i] = (x[base + i] - mean) * rstd * weight[i]${bias ? ' + bias[i]' : ''}; }
}`;
}

function backwardInputShader(lanes: Lanes, quads: boolean, plus: boolean): string {
  const r = rowShader(lanes, quads);
  return `struct Uniforms { rows: u32, width: u32, size: f32 }
@group(0) @binding(0) var<storage, read> dy: array<${r.element}>;
@group(0) @binding(1) var<storage, read> x: array<${r.element}>;
@group(0) @binding(2) var<storage, read> weight: array<${r.element}>;
@group(0) @binding(3) var<storage, read> stats: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<${r.element}>;
${plus ? `@group(0) @binding(5) var<storage, read> plus: array<${r.element}>;` : ''}
@group(0) @binding(${plus ? 6 : 5}) var<uniform> u: Uniforms;
${r.declare}
${ENTRY} {
  ${r.begin}
  let mean = stats[row * 2u];
  let rstd = stats[row * 2u + 1u];
  var sum = ${r.zero};
  var along = ${r.zero};
  ${r.each} {
    let g = dy[base + i] * weight[i];
    sum += g;
    along += g * (x[base + i] - mean) * rstd;
  }
  var shift = ${r.total('sum')};
  ${r.fold('shift')}
  var projection = ${r.total('along')};
  ${r.fold('projection')}
  shift = shift / u.size;
  projection = projection / u.size;
  ${r.each} {
    dx[base + i] = rstd * (dy[base + i] * weight[i] - shift - (x[base + i] - mean) * rstd * projection)${plus ? ' + plus[base + i]' : ''};
  }
}`;
}

const layerNormKernel = defineKernel<LayerNormAttrs>({
  name: 'LayerNorm',
  outputs({ x, weight, bias }) {
    const fits = (t: { shape: number[] }) => t.shape.length === 1 && t.shape[0] === x?.shape[1];
    if (x?.shape.length !== 2 || !weight || !fits(weight) || (bias && !fits(bias))) {
      throw shapeError('LayerNorm', 'x [M, d], weight [d], bias [d]', {
        x: x?.shape,
        weight: weight?.shape,
        bias: bias?.shape,
      });
    }
    return [{ shape: x.shape }, { shape: [x.shape[0]!, 2] }];
  },
  cpu({ x, weight, bias }, { eps }, [y, stats]) {
    const [rows, d] = x!.shape as [number, number];
    for (let i = 0; i < rows; i++) {
      const row = x!.data.subarray(i * d, (i + 1) * d);
      let mean = 0;
      for (const v of row) mean += v / d;
      let variance = 0;
      for (const v of row) variance += (v - mean) ** 2 / d;
      const rstd = 1 / Math.sqrt(variance + eps);
      stats!.set([mean, rstd], i * 2);
      row.forEach((v, j) => {
        y![i * d + j] = (v - mean) * rstd * weight!.data[j]! + (bias?.data[j] ?? 0);
      });
    }
  },
  gpu({ backend, inputs, outputs, attrs }) {
    const { x, weight, bias } = inputs;
    const [rows, d] = x!.shape as [number, number];
    const lanes = lanesOf(backend);
    const quads = d % 4 === 0;
    dispatch(backend, {
      program: {
        key: `layer_norm lanes=${lanes} quads=${quads} bias=${bias !== undefined}`,
        wgsl: forwardShader(lanes, quads, bias !== undefined),
      },
      tensors: [x!, weight!, ...(bias ? [bias] : []), ...outputs],
      writes: outputs,
      uniforms: uniformBlock(u(rows), u(quads ? d / 4 : d), f(d), f(attrs.eps)),
      workgroups: rowShader(lanes, quads).workgroups(rows),
    });
  },
  savesOutputs: [false, true],
  gradient([dy], { inputs: { x, weight }, outputs: [stats] }) {
    return {
      x: adding(({ plus } = {}) => backwardInput({ dy: dy!, x, weight, stats, plus }, {})[0]!),
      weight: () => backwardWeight({ dy: dy!, x, stats }, {})[0]!,
      bias: () => tf.sum(dy!, 0),
    };
  },
});

/** x̂ of one value. */
const normed = (x: View, stats: View, i: number, j: number) =>
  (x.data[i * x.shape[1]! + j]! - stats.data[i * 2]!) * stats.data[i * 2 + 1]!;

const backwardInput = defineKernel<Record<string, never>>({
  name: 'LayerNormBackwardInput',
  outputs: ({ x }) => [{ shape: x!.shape }],
  cpu({ dy, x, weight, stats, plus }, _attrs, [dx]) {
    const [rows, d] = x!.shape as [number, number];
    for (let i = 0; i < rows; i++) {
      let shift = 0;
      let projection = 0;
      for (let j = 0; j < d; j++) {
        const g = dy!.data[i * d + j]! * weight!.data[j]!;
        shift += g / d;
        projection += (g * normed(x!, stats!, i, j)) / d;
      }
      for (let j = 0; j < d; j++) {
        const g = dy!.data[i * d + j]! * weight!.data[j]!;
        const own = stats!.data[i * 2 + 1]! * (g - shift - normed(x!, stats!, i, j) * projection);
        dx![i * d + j] = own + (plus?.data[i * d + j] ?? 0);
      }
    }
  },
  gpu({ backend, inputs: { dy, x, weight, stats, plus }, outputs }) {
    const [rows, d] = x!.shape as [number, number];
    const lanes = lanesOf(backend);
    const quads = d % 4 === 0;
    dispatch(backend, {
      program: {
        key: `layer_norm_dx lanes=${lanes} quads=${quads} plus=${plus !== undefined}`,
        wgsl: () => backwardInputShader(lanes, quads, plus !== undefined),
      },
      tensors: [dy!, x!, weight!, stats!, outputs[0]!, ...(plus ? [plus] : [])],
      writes: outputs,
      uniforms: uniformBlock(u(rows), u(quads ? d / 4 : d), f(d)),
      workgroups: rowShader(lanes, quads).workgroups(rows),
    });
  },
});

const backwardWeight = defineKernel<Record<string, never>>({
  name: 'LayerNormBackwardWeight',
  outputs: ({ x }) => [{ shape: [x!.shape[1]!] }],
  cpu({ dy, x, stats }, _attrs, [dw]) {
    const [rows, d] = x!.shape as [number, number];
    for (let j = 0; j < d; j++) {
      let sum = 0;
      for (let i = 0; i < rows; i++) sum += dy!.data[i * d + j]! * normed(x!, stats!, i, j);
      dw![j] = sum;
    }
  },
  gpu({ backend, inputs: { dy, x, stats }, outputs, temp }) {
    const [rows, d] = x!.shape as [number, number];
    // One thread per column and chunk of rows, adding in order: the same sum every time.
    sumColumns(backend, outputs[0]!, rows, temp, ({ chunk, chunks, sums }) =>
      dispatch(backend, {
        program: {
          key: 'layer_norm_dw',
          wgsl: `struct Uniforms { rows: u32, width: u32, chunk: u32, chunks: u32 }
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> stats: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;
@group(0) @binding(4) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.chunks * u.width) { return; }
  let column = id % u.width;
  let first = id / u.width * u.chunk;
  var sum = 0.0;
  for (var i = first; i < min(first + u.chunk, u.rows); i++) {
    let at = i * u.width + column;
    sum += dy[at] * (x[at] - stats[i].x) * stats[i].y;
  }
  dw[id] = sum;
}`,
        },
        tensors: [dy!, x!, stats!, sums],
        writes: [sums],
        uniforms: uniformBlock(u(rows), u(d), u(chunk), u(chunks)),
        workgroups: groupsFor(chunks * d),
      }),
    );
  },
});

/** x [M, d], weight and bias [d] -> [M, d]. */
export function layerNorm(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor | null, eps: number): tf.Tensor {
  const [y, stats] = layerNormKernel({ x, weight, bias: bias ?? undefined }, { eps });
  stats!.dispose();
  return y!;
}
