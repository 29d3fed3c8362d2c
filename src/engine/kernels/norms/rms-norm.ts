/**
 * RMSNorm (Zhang and Sennrich, 2019), as in transformers' LlamaRMSNorm with float32:
 *
 *   x [M, d]   weight [d]   ->   y [M, d] = x · rstd · weight,   rstd [M] = 1 / √(mean(x²) + eps)
 *
 * With g = dy · weight:   dx = rstd · (g − x · rstd² · mean(g · x)) (+ plus)   dweight = Σ_M dy · x · rstd
 */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { adding, defineKernel, shapeError } from '../kernel';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';
import { type Lanes, lanesOf, rowShader, sumColumns } from './rows';

interface RmsNormAttrs {
  eps: number;
}

function forwardShader(lanes: Lanes, quads: boolean): string {
  const r = rowShader(lanes, quads);
  return `struct Uniforms { rows: u32, width: u32, size: f32, eps: f32 }
@group(0) @binding(0) var<storage, read> x: array<${r.element}>;
@group(0) @binding(1) var<storage, read> weight: array<${r.element}>;
@group(0) @binding(2) var<storage, read_write> y: array<${r.element}>;
@group(0) @binding(3) var<storage, read_write> rstd: array<f32>;
@group(0) @binding(4) var<uniform> u: Uniforms;
${r.declare}
${ENTRY} {
  ${r.begin}
  var sum = ${r.zero};
  ${r.each} { let v = x[base + i]; sum += v * v; }
  var part = ${r.total('sum')};
  ${r.fold()}
  let scale = inverseSqrt(part / u.size + u.eps);
  if (lane == 0u) { rstd[row] = scale; }
  ${r.each} { y[base + i] = x[base + i] * scale * weight[i]; }
}`;
}

function backwardInputShader(lanes: Lanes, quads: boolean, plus: boolean): string {
  const r = rowShader(lanes, quads);
  return `struct Uniforms { rows: u32, width: u32, size: f32 }
@group(0) @binding(0) var<storage, read> dy: array<${r.element}>;
@group(0) @binding(1) var<storage, read> x: array<${r.element}>;
@group(0) @binding(2) var<storage, read> weight: array<${r.element}>;
@group(0) @binding(3) var<storage, read> rstd: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<${r.element}>;
${plus ? `@group(0) @binding(5) var<storage, read> plus: array<${r.element}>;` : ''}
@group(0) @binding(${plus ? 6 : 5}) var<uniform> u: Uniforms;
${r.declare}
${ENTRY} {
  ${r.begin}
  var sum = ${r.zero};
  ${r.each} { sum += dy[base + i] * weight[i] * x[base + i]; }
  var part = ${r.total('sum')};
  ${r.fold()}
  let scale = rstd[row];
  let projection = part / u.size * scale * scale;
  ${r.each} { dx[base + i] = scale * (dy[base + i] * weight[i] - x[base + i] * projection)${plus ? ' + plus[base + i]' : ''}; }
}`;
}

const rmsNormKernel = defineKernel<RmsNormAttrs>({
  name: 'RmsNorm',
  outputs({ x, weight }) {
    if (x?.shape.length !== 2 || weight?.shape.length !== 1 || weight.shape[0] !== x.shape[1]) {
      throw shapeError('RmsNorm', 'x [M, d], weight [d]', { x: x?.shape, weight: weight?.shape });
    }
    return [{ shape: x.shape }, { shape: [x.shape[0]!] }];
  },
  cpu({ x, weight }, { eps }, [y, rstd]) {
    const [rows, d] = x!.shape as [number, number];
    for (let i = 0; i < rows; i++) {
      let sum = 0;
      for (let j = 0; j < d; j++) sum += x!.data[i * d + j]! ** 2;
      const scale = 1 / Math.sqrt(sum / d + eps);
      rstd![i] = scale;
      for (let j = 0; j < d; j++) y![i * d + j] = x!.data[i * d + j]! * scale * weight!.data[j]!;
    }
  },
  gpu({ backend, inputs, outputs, attrs }) {
    const { x, weight } = inputs;
    const [rows, d] = x!.shape as [number, number];
    const lanes = lanesOf(backend);
    const quads = d % 4 === 0;
    dispatch(backend, {
      program: { key: `rms_norm lanes=${lanes} quads=${quads}`, wgsl: forwardShader(lanes, quads) },
      tensors: [x!, weight!, outputs[0]!, outputs[1]!],
      writes: outputs,
      uniforms: uniformBlock(u(rows), u(quads ? d / 4 : d), f(d), f(attrs.eps)),
      workgroups: rowShader(lanes, quads).workgroups(rows),
    });
  },
  savesOutputs: [false, true],
  cheap: true,
  gradient([dy], { inputs: { x, weight }, outputs: [rstd] }) {
    return {
      x: adding(({ plus } = {}) => backwardInput({ dy: dy!, x, weight, rstd, plus }, {})[0]!),
      weight: () => backwardWeight({ dy: dy!, x, rstd }, {})[0]!,
    };
  },
});

const backwardInput = defineKernel<Record<string, never>>({
  name: 'RmsNormBackwardInput',
  outputs: ({ x }) => [{ shape: x!.shape }],
  cpu({ dy, x, weight, rstd, plus }, _attrs, [dx]) {
    const [rows, d] = x!.shape as [number, number];
    for (let i = 0; i < rows; i++) {
      const scale = rstd!.data[i]!;
      let sum = 0;
      for (let j = 0; j < d; j++) sum += dy!.data[i * d + j]! * weight!.data[j]! * x!.data[i * d + j]!;
      const projection = (sum / d) * scale * scale;
      for (let j = 0; j < d; j++) {
        const at = i * d + j;
        dx![at] = scale * (dy!.data[at]! * weight!.data[j]! - x!.data[at]! * projection) + (plus?.data[at] ?? 0);
      }
    }
  },
  gpu({ backend, inputs: { dy, x, weight, rstd, plus }, outputs }) {
    const [rows, d] = x!.shape as [number, number];
    const lanes = lanesOf(backend);
    const quads = d % 4 === 0;
    dispatch(backend, {
      program: {
        key: `rms_norm_dx lanes=${lanes} quads=${quads} plus=${plus !== undefined}`,
        wgsl: () => backwardInputShader(lanes, quads, plus !== undefined),
      },
      tensors: [dy!, x!, weight!, rstd!, outputs[0]!, ...(plus ? [plus] : [])],
      writes: outputs,
      uniforms: uniformBlock(u(rows), u(quads ? d / 4 : d), f(d)),
      workgroups: rowShader(lanes, quads).workgroups(rows),
    });
  },
});

const backwardWeight = defineKernel<Record<string, never>>({
  name: 'RmsNormBackwardWeight',
  outputs: ({ x }) => [{ shape: [x!.shape[1]!] }],
  cpu({ dy, x, rstd }, _attrs, [dw]) {
    const [rows, d] = x!.shape as [number, number];
    for (let j = 0; j < d; j++) {
      let sum = 0;
      for (let i = 0; i < rows; i++) sum += dy!.data[i * d + j]! * x!.data[i * d + j]! * rstd!.data[i]!;
      dw![j] = sum;
    }
  },
  gpu({ backend, inputs: { dy, x, rstd }, outputs, temp }) {
    const [rows, d] = x!.shape as [number, number];
    const dw = outputs[0]!;
    // One thread per column and chunk of rows, adding in order: the same sum every time.
    sumColumns(backend, dw, rows, temp, ({ chunk, chunks, sums }) =>
      dispatch(backend, {
        program: {
          key: 'rms_norm_dw',
          wgsl: `struct Uniforms { rows: u32, width: u32, chunk: u32, chunks: u32 }
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> rstd: array<f32>;
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
    sum += dy[at] * x[at] * rstd[i];
  }
  dw[id] = sum;
}`,
        },
        tensors: [dy!, x!, rstd!, sums],
        writes: [sums],
        uniforms: uniformBlock(u(rows), u(d), u(chunk), u(chunks)),
        workgroups: groupsFor(chunks * d),
      }),
    );
  },
});

/** x [M, d], weight [d] -> [M, d]. */
export function rmsNorm(x: tf.Tensor, weight: tf.Tensor, eps: number): tf.Tensor {
  const [y, rstd] = rmsNormKernel({ x, weight }, { eps });
  rstd!.dispose();
  return y!;
}
