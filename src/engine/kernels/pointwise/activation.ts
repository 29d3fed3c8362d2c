/**
 * The activations of feed-forward layers without a GLU, one dispatch each way:
 *
 *   x of any shape   ->   x · gate(x)        dx = dy · (gate(x) + x · gate'(x))
 *
 *   gelu        gate = Φ(x), the normal distribution (Hendrycks and Gimpel, 2016)
 *   gelu_tanh   gate = (1 + tanh(h)) / 2 = σ(2h),  h = √(2/π) · (x + 0.044715 x³)
 *   silu        gate = σ(x)
 *   relu        gate = 1 where x > 0, else 0
 *
 * WGSL has no erf, and its tanh may be off by 1e-5, so both are computed from exp. Φ is within 1e-7: near zero from a
 * polynomial for erf, further out from one for ln erfc, which keeps small values of the left tail from cancelling.
 */
import * as tf from '@tensorflow/tfjs-core';
import { dispatch, u, uniformBlock } from '../../webgpu/dispatch';
import { defineKernel, shapeError } from '../kernel';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

export type Activation = 'gelu' | 'gelu_tanh' | 'silu' | 'relu';

interface ActivationAttrs {
  kind: Activation;
}

export const CUBIC = 0.044715;
export const ROOT = Math.sqrt(2 / Math.PI);

/** Φ from erf's series with positive terms only: erf(z) = 2/√π · e^(−z²) · Σ 2ⁿ z^(2n+1) / (2n+1)!! */
function normal(x: number): number {
  const z = Math.min(Math.abs(x) / Math.SQRT2, 6);
  let term = z;
  let sum = z;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * z * z) / (2 * n + 1);
    sum += term;
  }
  const erf = (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z) * sum;
  return x < 0 ? (1 - erf) / 2 : (1 + erf) / 2;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** gate(x) and its derivative. */
const reference: Record<Activation, (x: number) => [gate: number, slope: number]> = {
  gelu: (x) => [normal(x), Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)],
  gelu_tanh: (x) => {
    const s = sigmoid(2 * ROOT * (x + CUBIC * x ** 3));
    return [s, s * (1 - s) * 2 * ROOT * (1 + 3 * CUBIC * x * x)];
  },
  silu: (x) => [sigmoid(x), sigmoid(x) * sigmoid(-x)],
  relu: (x) => [x > 0 ? 1 : 0, 0],
};

/** Least-squares fits, reweighted to level the errors: (erf(z)/z − 1) in z² on [0, 1], and (−ln erfc(t)/t − 1) in t on [1, 4]. */
const ERF = [0.12837893, -0.3761194, 0.11278064, -0.026663808, 0.0048707016, -0.0005462921];
const LN_ERFC = [0.12869714, 0.6349584, 0.10654901, -0.024025435, 0.003764628, -0.0003523248, 0.00001413316];

const horner = (coefficients: number[], x: string) =>
  coefficients
    .slice(0, -1)
    .reduceRight((sum, c) => `(${sum} * ${x} + ${c.toFixed(12)})`, coefficients.at(-1)!.toFixed(12));

/** `fn gateOf(x)` and `fn slopeOf(x)`. Arguments are clamped where results stop changing or exp and cubes would overflow. */
function gateWgsl(kind: Activation, type: string): string {
  const gate = (body: string) => `fn gateOf(x: ${type}) -> ${type} { ${body} }`;
  const slope = (body: string) => `fn slopeOf(x: ${type}) -> ${type} { ${body} }`;
  const sigma = `fn sigma(x: ${type}) -> ${type} {
  let e = exp(-abs(x));
  return select(e, ${type}(1.0), x >= ${type}(0.0)) / (1.0 + e);
}`;
  switch (kind) {
    case 'gelu':
      return `${gate(`let z = clamp(x, ${type}(-8.0), ${type}(8.0)) * ${Math.SQRT1_2};
  let t = abs(z);
  let s = z * z;
  let near = 0.5 + 0.5 * (z + z * ${horner(ERF, 's')});
  let tail = 0.5 * exp(-(t + t * ${horner(LN_ERFC, 't')}));
  return select(select(tail, 1.0 - tail, x > ${type}(0.0)), near, t < ${type}(1.0));`)}
${slope(`let c = clamp(x, ${type}(-13.0), ${type}(13.0)); return exp(-0.5 * c * c) * ${1 / Math.sqrt(2 * Math.PI)};`)}`;
    case 'gelu_tanh':
      return `${sigma}
fn twice(x: ${type}) -> ${type} {
  let c = clamp(x, ${type}(-10.0), ${type}(10.0));
  return ${2 * ROOT} * (c + ${CUBIC} * c * c * c);
}
${gate('return sigma(twice(x));')}
${slope(`let c = clamp(x, ${type}(-10.0), ${type}(10.0));
  return sigma(twice(x)) * sigma(-twice(x)) * ${2 * ROOT} * (1.0 + ${3 * CUBIC} * c * c);`)}`;
    case 'silu':
      return `${sigma}
${gate('return sigma(x);')}
${slope('return sigma(x) * sigma(-x);')}`;
    case 'relu':
      return `${gate(`return select(${type}(0.0), ${type}(1.0), x > ${type}(0.0));`)}
${slope(`return ${type}(0.0);`)}`;
  }
}

function record(
  backend: Parameters<typeof dispatch>[0],
  kind: Activation,
  x: tf.TensorInfo,
  y: tf.TensorInfo,
  dy: tf.TensorInfo | null,
): void {
  const size = tf.util.sizeFromShape(x.shape);
  const { type, step } = size % 4 === 0 ? { type: 'vec4f', step: 4 } : { type: 'f32', step: 1 };
  const back = dy !== null;
  dispatch(backend, {
    program: {
      key: `activation ${kind} ${type} back=${back}`,
      wgsl: `struct Uniforms { count: u32 }
@group(0) @binding(0) var<storage, read> x: array<${type}>;
${back ? `@group(0) @binding(1) var<storage, read> dy: array<${type}>;` : ''}
@group(0) @binding(${back ? 2 : 1}) var<storage, read_write> y: array<${type}>;
@group(0) @binding(${back ? 3 : 2}) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${gateWgsl(kind, type)}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.count) { return; }
  let v = x[id];
  y[id] = ${back ? 'dy[id] * (gateOf(v) + v * slopeOf(v))' : 'v * gateOf(v)'};
}`,
    },
    tensors: [x, ...(dy ? [dy] : []), y],
    writes: [y],
    uniforms: uniformBlock(u(size / step)),
    workgroups: groupsFor(size / step),
  });
}

const activationKernel = defineKernel<ActivationAttrs>({
  name: 'Activation',
  outputs: ({ x }) => [{ shape: x!.shape }],
  cpu({ x }, { kind }, [y]) {
    x!.data.forEach((v, i) => {
      y![i] = v * reference[kind](v)[0];
    });
  },
  gpu({ backend, inputs, outputs, attrs }) {
    record(backend, attrs.kind, inputs.x!, outputs[0]!, null);
  },
  savesOutputs: [false],
  gradient([dy], { inputs: { x } }, { kind }) {
    return { x: () => backward({ dy: dy!, x }, { kind })[0]! };
  },
});

const backward = defineKernel<ActivationAttrs>({
  name: 'ActivationBackward',
  outputs({ dy, x }) {
    if (!tf.util.arraysEqual(dy?.shape ?? [], x!.shape)) {
      throw shapeError('ActivationBackward', 'dy and x of the same shape', { dy: dy?.shape, x: x?.shape });
    }
    return [{ shape: x!.shape }];
  },
  cpu({ dy, x }, { kind }, [dx]) {
    x!.data.forEach((v, i) => {
      const [gate, slope] = reference[kind](v);
      dx![i] = dy!.data[i]! * (gate + v * slope);
    });
  },
  gpu({ backend, inputs, outputs, attrs }) {
    record(backend, attrs.kind, inputs.x!, outputs[0]!, inputs.dy!);
  },
});

export function activation(x: tf.Tensor, kind: Activation): tf.Tensor {
  return activationKernel({ x }, { kind })[0]!;
}
