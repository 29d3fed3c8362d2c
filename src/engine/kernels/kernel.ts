/**
 * How to write a kernel: one file with its shape rule, its WGSL, its gradient and a short CPU reference. `defineKernel`
 * registers it for the backends `webgpu` and `cpu`, and its gradient on tfjs's tape. The tape calls only the closures of
 * inputs that lead to something trainable, so frozen weights cost nothing.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type CpuBackend, type GpuBackend, isGpu } from '../webgpu/backend';
import { makings } from './cheap';

export type Inputs = Record<string, tf.Tensor>;

/** A tensor on the CPU. */
export interface View {
  data: Float32Array | Int32Array;
  shape: number[];
}

export interface OutputSpec {
  shape: number[];
  dtype?: 'float32' | 'int32';
}

export interface GpuCall<A> {
  backend: GpuBackend;
  inputs: Record<string, tf.TensorInfo>;
  outputs: tf.TensorInfo[];
  attrs: A;
  /** A scratch tensor, freed once the recorded work has run. */
  temp(shape: number[], dtype?: 'float32' | 'int32'): tf.TensorInfo;
}

/** Where the gradient of a parameter is summed up: values of a flat tensor, added to or overwritten. */
export interface GradientPlace {
  flat: tf.Tensor;
  offset: number;
  add: boolean;
}

export interface GradientWish {
  /** What other nodes have given for the same input; only for closures that add it, and not to what they write to a place. */
  plus?: tf.Tensor;
  /** The inputs whose gradients are wanted; unknown if left out. */
  wanted?: string[];
  /** Where the gradient of an input may be written instead of a tensor of its own. */
  placeOf?(input: string): GradientPlace | undefined;
}

/**
 * Gives the gradient of an input; one that `adds` gives the sum of it and `plus`. Null: it is written where `placeOf` says, by this
 * closure or by an earlier one of the node.
 */
export type GradientClosure = ((wish?: GradientWish) => tf.Tensor | null) & { adds?: true };

/** A closure whose kernel adds what other nodes have given for the same input, which then costs no dispatch of its own. */
export const adding = (closure: (wish?: GradientWish) => tf.Tensor | null): GradientClosure =>
  Object.assign(closure, { adds: true as const });

export interface KernelDef<A> {
  name: string;
  /** Checks the shapes (throws an error that names them) and returns the output specs. */
  outputs(inputs: Record<string, { shape: number[] }>, attrs: A): OutputSpec[];
  /** The reference: short, plain, slow. Writes into `outputs`, which start out as zeros. */
  cpu(inputs: Record<string, View>, attrs: A, outputs: (Float32Array | Int32Array)[]): void;
  gpu(call: GpuCall<A>): void;
  /** One closure per differentiable input; `saved` holds the inputs by name and the outputs in order. */
  gradient?(
    dys: (tf.Tensor | null)[],
    saved: { inputs: Inputs; outputs: tf.Tensor[] },
    attrs: A,
  ): Record<string, GradientClosure>;
  /** Which outputs the gradient reads; all by default. */
  savesOutputs?: boolean[];
  /** Inputs of which the gradient reads the shape alone; the tape need not keep them. */
  shapesOnly?: readonly string[];
  /** The first output takes little time to compute again: where memory is short, the tape does that instead of keeping it. */
  cheap?: true;
}

/** The call's attributes plus the names of its inputs: tfjs saves all inputs only for kernels that take a list. */
type TapeAttrs<A> = A & { inputNames: string[] };

function named(list: unknown, attrs: unknown): Record<string, tf.TensorInfo> {
  const { inputNames } = attrs as { inputNames: string[] };
  return Object.fromEntries(inputNames.map((name, i) => [name, (list as tf.TensorInfo[])[i]!]));
}

/** Registers a kernel and returns the function that model code calls; the function returns every output. */
export function defineKernel<A extends object>(def: KernelDef<A>): (inputs: Partial<Inputs>, attrs: A) => tf.Tensor[] {
  tf.registerKernel({
    kernelName: def.name,
    backendName: 'webgpu',
    kernelFunc: ({ inputs, backend, attrs }) => {
      if (!isGpu(backend)) throw new Error(`${def.name}: not a WebGPU backend`);
      const given = named(inputs, attrs);
      const specs = def.outputs(given, attrs as unknown as A);
      const outputs = specs.map((s) => backend.makeTensorInfo(s.shape, s.dtype ?? 'float32'));
      const temps: tf.TensorInfo[] = [];
      const free = (infos: tf.TensorInfo[]) => {
        for (const { dataId } of infos) backend.disposeData(dataId);
      };
      try {
        def.gpu({
          backend,
          inputs: given,
          outputs,
          attrs: attrs as unknown as A,
          temp: (shape, dtype = 'float32') => {
            const info = backend.makeTensorInfo(shape, dtype);
            temps.push(info);
            return info;
          },
        });
      } catch (error) {
        // tfjs does not know of them yet.
        free(outputs);
        throw error;
      } finally {
        free(temps);
      }
      return outputs;
    },
  });
  tf.registerKernel({
    kernelName: def.name,
    backendName: 'cpu',
    kernelFunc: ({ inputs, backend, attrs }) => {
      const cpu = backend as CpuBackend;
      const given = named(inputs, attrs);
      const specs = def.outputs(given, attrs as unknown as A);
      const views: Record<string, View> = {};
      for (const [name, t] of Object.entries(given)) {
        views[name] = { data: cpu.data.get(t.dataId).values as Float32Array | Int32Array, shape: t.shape };
      }
      const arrays = specs.map((s) => {
        const size = tf.util.sizeFromShape(s.shape);
        return s.dtype === 'int32' ? new Int32Array(size) : new Float32Array(size);
      });
      def.cpu(views, attrs as unknown as A, arrays);
      return specs.map((s, i) => cpu.makeTensorInfo(s.shape, s.dtype ?? 'float32', arrays[i]!));
    },
  });
  const { gradient, cheap = false, shapesOnly = [] } = def;
  if (gradient) {
    tf.registerGradient({
      kernelName: def.name,
      saveAllInputs: true,
      outputsToSave: def.savesOutputs ?? [true, true, true, true],
      gradFunc: (dy, saved, attrs) => {
        const own = attrs as unknown as TapeAttrs<A>;
        const inputs = named(saved, attrs) as Inputs;
        const dys = Array.isArray(dy) ? dy : [dy];
        const closures = gradient(dys, { inputs, outputs: saved.slice(own.inputNames.length) }, own);
        return own.inputNames.map((name) => {
          const closure = closures[name];
          if (!closure) {
            return () => {
              throw new Error(`${def.name} has no gradient for its input ${name}.`);
            };
          }
          // The tape numbers a kernel's inputs.
          const named: GradientClosure = ({ plus, wanted, placeOf } = {}) =>
            closure({
              plus,
              wanted: wanted?.map((index) => own.inputNames[Number(index)]!),
              placeOf: placeOf && ((input) => placeOf(String(own.inputNames.indexOf(input)))),
            });
          return Object.assign(named, { adds: closure.adds });
        }) as unknown as ReturnType<tf.GradFunc>;
      },
    });
  }
  return (inputs, attrs) => {
    // An absent optional input must be left out, not undefined: the tape would try to save it.
    const given = Object.entries(inputs).filter((entry): entry is [string, tf.Tensor] => entry[1] !== undefined);
    const list = given.map(([, t]) => t) as unknown as tf.NamedTensorMap;
    const names = given.map(([name]) => name);
    const own = { ...attrs, inputNames: names } as unknown as tf.NamedAttrMap;
    const out = tf.engine().runKernel(def.name, list, own);
    const outputs = Array.isArray(out) ? out : [out as tf.Tensor];
    if ((cheap || shapesOnly.length > 0) && outputs[0]) {
      makings.set(outputs[0], { kernelName: def.name, attrs: own, inputNames: names, cheap, shapesOnly });
    }
    return outputs;
  };
}

/** Several gradients from one dispatch: a node's closures are called in turn, and the first call computes them all. */
export function sharedGradients(compute: () => tf.Tensor[]): (index: number) => tf.Tensor {
  let tensors: tf.Tensor[] | null = null;
  return (index) => {
    tensors ??= compute();
    return tensors[index]!;
  };
}

export function shapeError(kernel: string, expected: string, got: Record<string, number[] | undefined>): Error {
  const shapes = Object.entries(got)
    .map(([name, shape]) => `${name} [${shape ?? 'absent'}]`)
    .join(', ');
  return new Error(`${kernel}: expected ${expected}; got ${shapes}.`);
}
