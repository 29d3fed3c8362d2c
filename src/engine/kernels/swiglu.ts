/**
 * The gated activation of SwiGLU feed-forwards (Shazeer, 2020):
 *
 *   gate [M, f]   up [M, f]   ->   silu(gate) · up [M, f],   silu(g) = g · σ(g)
 *
 *   dgate = dy · up · σ · (1 + g · (1 − σ))   dup = dy · silu(g)   both from one dispatch
 *
 * σ(g) and 1 − σ(g) come from exp(−|g|), which neither overflows nor cancels.
 */
import * as tf from '@tensorflow/tfjs-core';
import { dispatch, u, uniformBlock } from '../webgpu/dispatch';
import { defineKernel, shapeError, sharedGradients } from './kernel';
import { groupsFor } from './matmul';
import { ENTRY, GLOBAL_INDEX } from './matmul-wgsl';

type NoAttrs = Record<string, never>;

const sigmoid = (g: number): number => {
  const e = Math.exp(-Math.abs(g));
  return (g >= 0 ? 1 : e) / (1 + e);
};

/** WGSL for σ(g) and σ(−g) = 1 − σ(g) of a scalar or vector type. */
const wgslSigmoid = (type: string) => `  let e = exp(-abs(g));
  let positive = g >= ${type}(0.0);
  let s = select(e, ${type}(1.0), positive) / (1.0 + e);`;

/** Elements a thread handles, and their type. */
const widthFor = (size: number) => (size % 4 === 0 ? { type: 'vec4f', step: 4 } : { type: 'f32', step: 1 });

const swigluKernel = defineKernel<NoAttrs>({
  name: 'Swiglu',
  outputs({ gate, up }) {
    if (!gate || !up || !tf.util.arraysEqual(gate.shape, up.shape)) {
      throw shapeError('Swiglu', 'gate and up of one shape', { gate: gate?.shape, up: up?.shape });
    }
    return [{ shape: gate.shape }];
  },
  cpu({ gate, up }, _attrs, [y]) {
    for (let i = 0; i < y!.length; i++) y![i] = gate!.data[i]! * sigmoid(gate!.data[i]!) * up!.data[i]!;
  },
  gpu({ backend, inputs: { gate, up }, outputs }) {
    const size = tf.util.sizeFromShape(gate!.shape);
    const { type, step } = widthFor(size);
    dispatch(backend, {
      program: {
        key: `swiglu ${type}`,
        wgsl: `struct Uniforms { count: u32 }
@group(0) @binding(0) var<storage, read> gate: array<${type}>;
@group(0) @binding(1) var<storage, read> up: array<${type}>;
@group(0) @binding(2) var<storage, read_write> y: array<${type}>;
@group(0) @binding(3) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.count) { return; }
  let g = gate[id];
${wgslSigmoid(type)}
  y[id] = g * s * up[id];
}`,
      },
      tensors: [gate!, up!, outputs[0]!],
      writes: outputs,
      uniforms: uniformBlock(u(size / step)),
      workgroups: groupsFor(size / step),
    });
  },
  savesOutputs: [false],
  gradient([dy], { inputs: { gate, up } }) {
    const both = sharedGradients(() => backward({ dy: dy!, gate, up }, {}));
    return { gate: () => both(0), up: () => both(1) };
  },
});

const backward = defineKernel<NoAttrs>({
  name: 'SwigluBackward',
  outputs: ({ gate }) => [{ shape: gate!.shape }, { shape: gate!.shape }],
  cpu({ dy, gate, up }, _attrs, [dGate, dUp]) {
    for (let i = 0; i < dGate!.length; i++) {
      const g = gate!.data[i]!;
      const s = sigmoid(g);
      dGate![i] = dy!.data[i]! * up!.data[i]! * s * (1 + g * sigmoid(-g));
      dUp![i] = dy!.data[i]! * g * s;
    }
  },
  gpu({ backend, inputs: { dy, gate, up }, outputs }) {
    const size = tf.util.sizeFromShape(gate!.shape);
    const { type, step } = widthFor(size);
    dispatch(backend, {
      program: {
        key: `swiglu_backward ${type}`,
        wgsl: `struct Uniforms { count: u32 }
@group(0) @binding(0) var<storage, read> dy: array<${type}>;
@group(0) @binding(1) var<storage, read> gate: array<${type}>;
@group(0) @binding(2) var<storage, read> up: array<${type}>;
@group(0) @binding(3) var<storage, read_write> dGate: array<${type}>;
@group(0) @binding(4) var<storage, read_write> dUp: array<${type}>;
@group(0) @binding(5) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.count) { return; }
  let g = gate[id];
${wgslSigmoid(type)}
  let rest = select(${type}(1.0), e, positive) / (1.0 + e);
  let d = dy[id];
  dGate[id] = d * up[id] * s * (1.0 + g * rest);
  dUp[id] = d * g * s;
}`,
      },
      tensors: [dy!, gate!, up!, outputs[0]!, outputs[1]!],
      writes: outputs,
      uniforms: uniformBlock(u(size / step)),
      workgroups: groupsFor(size / step),
    });
  },
});

/** gate and up [M, f] -> silu(gate) · up [M, f]. */
export function swiglu(gate: tf.Tensor, up: tf.Tensor): tf.Tensor {
  return swigluKernel({ gate, up }, {})[0]!;
}
