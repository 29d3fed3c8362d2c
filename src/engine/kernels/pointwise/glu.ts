/**
 * The activations of SwiGLU and GeGLU feed-forward layers (Shazeer, 2020):
 *
 *   gate [M, f]   up [M, f]   ->   g · σ(z(g)) · up [M, f]
 *
 *   silu: z = g      gelu_tanh: z = 2·√(2/π)·(g + 0.044715·g³), since (1 + tanh(z/2)) / 2 = σ(z)
 *
 *   dgate = dy · up · σ · (1 + g · (1 − σ) · z')   dup = dy · g · σ   both from one dispatch
 *
 * σ(z) and 1 − σ(z) come from exp(−|z|), which neither overflows nor cancels.
 */
import * as tf from '@tensorflow/tfjs-core';
import { dispatch, u, uniformBlock } from '../../webgpu/dispatch';
import { defineKernel, shapeError, sharedGradients } from '../kernel';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';
import { CUBIC, ROOT } from './activation';

export type GluActivation = 'silu' | 'gelu_tanh';

interface GluAttrs {
  activation: GluActivation;
}

const SLOPE = 2 * ROOT;

const sigmoid = (z: number): number => {
  const e = Math.exp(-Math.abs(z));
  return (z >= 0 ? 1 : e) / (1 + e);
};

/** z(g) and its derivative. */
const argument: Record<GluActivation, (g: number) => [z: number, slope: number]> = {
  silu: (g) => [g, 1],
  gelu_tanh: (g) => [SLOPE * (g + CUBIC * g ** 3), SLOPE * (1 + 3 * CUBIC * g * g)],
};

/** The same in WGSL, for a scalar or vector g. */
const wgslArgument: Record<GluActivation, { z: string; slope: string }> = {
  silu: { z: 'g', slope: '1.0' },
  gelu_tanh: { z: `${SLOPE} * (g + ${CUBIC} * g * g * g)`, slope: `${SLOPE} * (1.0 + ${3 * CUBIC} * g * g)` },
};

/** WGSL for σ(z) and for the parts of σ(−z) = 1 − σ(z), for a scalar or vector type. */
const wgslSigmoid = (type: string, activation: GluActivation) => `  let z = ${wgslArgument[activation].z};
  let e = exp(-abs(z));
  let positive = z >= ${type}(0.0);
  let s = select(e, ${type}(1.0), positive) / (1.0 + e);`;

/** activation(g), of which `gluSource` declares the factor `s` of g in WGSL. */
export const gluValue = (activation: GluActivation, g: number): number => g * sigmoid(argument[activation](g)[0]);
export const gluSource = (activation: GluActivation): string => wgslSigmoid('f32', activation);

/** Elements per thread, and their type. */
const widthFor = (size: number) => (size % 4 === 0 ? { type: 'vec4f', step: 4 } : { type: 'f32', step: 1 });

const gluKernel = defineKernel<GluAttrs>({
  name: 'Glu',
  outputs({ gate, up }) {
    if (!gate || !up || !tf.util.arraysEqual(gate.shape, up.shape)) {
      throw shapeError('Glu', 'gate and up of the same shape', { gate: gate?.shape, up: up?.shape });
    }
    return [{ shape: gate.shape }];
  },
  cpu({ gate, up }, { activation }, [y]) {
    for (let i = 0; i < y!.length; i++) {
      y![i] = gluValue(activation, gate!.data[i]!) * up!.data[i]!;
    }
  },
  gpu({ backend, inputs: { gate, up }, outputs, attrs: { activation } }) {
    const size = tf.util.sizeFromShape(gate!.shape);
    const { type, step } = widthFor(size);
    dispatch(backend, {
      program: {
        key: `glu ${activation} ${type}`,
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
${wgslSigmoid(type, activation)}
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
  cheap: true,
  gradient([dy], { inputs: { gate, up } }, { activation }) {
    const both = sharedGradients(() => backward({ dy: dy!, gate, up }, { activation }));
    return { gate: () => both(0), up: () => both(1) };
  },
});

const backward = defineKernel<GluAttrs>({
  name: 'GluBackward',
  outputs: ({ gate }) => [{ shape: gate!.shape }, { shape: gate!.shape }],
  cpu({ dy, gate, up }, { activation }, [dGate, dUp]) {
    for (let i = 0; i < dGate!.length; i++) {
      const g = gate!.data[i]!;
      const [z, slope] = argument[activation](g);
      const s = sigmoid(z);
      dGate![i] = dy!.data[i]! * up!.data[i]! * s * (1 + g * sigmoid(-z) * slope);
      dUp![i] = dy!.data[i]! * g * s;
    }
  },
  gpu({ backend, inputs: { dy, gate, up }, outputs, attrs: { activation } }) {
    const size = tf.util.sizeFromShape(gate!.shape);
    const { type, step } = widthFor(size);
    dispatch(backend, {
      program: {
        key: `glu_backward ${activation} ${type}`,
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
${wgslSigmoid(type, activation)}
  let rest = select(${type}(1.0), e, positive) / (1.0 + e);
  let d = dy[id];
  dGate[id] = d * up[id] * s * (1.0 + g * rest * (${wgslArgument[activation].slope}));
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

/** gate and up [M, f] -> activation(gate) · up [M, f]. */
export function glu(gate: tf.Tensor, up: tf.Tensor, activation: GluActivation): tf.Tensor {
  return gluKernel({ gate, up }, { activation })[0]!;
}
