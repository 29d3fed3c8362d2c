/**
 * Loads checkpoint tensors to the device, in their stored precision, with linears quantised on request. A family asks
 * its loader for every tensor by name:
 *
 *   const table = await load.matrix('model.embed_tokens.weight', [vocab, d]);
 *   const norm = await load.vector('model.norm.weight', d);
 *   const q = await load.linear('model.layers.0.self_attn.q_proj', out, width, { bias: true });
 *   const fused = await load.conv1d('h.0.attn.c_attn', width, out);          // GPT-2: stored [in, out], with a bias
 *   const cos = load.own(tables.cos);                                        // anything else that belongs to the model
 *   return languageModel(config, load, { … });
 */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import { emptyTensor } from '../kernels/in-place';
import type { LinearModule, Weight } from '../types';
import { isGpu } from '../webgpu/backend';
import { bindingLimit } from '../webgpu/limits';
import { alignView, moveIntoView } from '../webgpu/views';
import type { ModelTensor, StoredType, WeightSource } from './model';
import { placeMatrix, type Quantization, type StoredMatrix, sideBySide, widenBytes } from './upload';

export interface LoadOptions {
  /** Of the linears; `none` when left out. */
  quantization?: Quantization;
  /** Creates the buffers without reading their contents, to count them. */
  shapesOnly?: boolean;
  /** Largest buffer, in bytes; the device's own limit when left out. */
  limit?: number;
  /** Bytes of a tensor that are read at once. */
  pieceBytes?: number;
}

const PIECE_BYTES = 32 * 2 ** 20;

export interface Loader {
  /** Whether the checkpoint has the tensor: heads and some biases are optional. */
  has(name: string): boolean;
  /** A matrix [rows, columns] as stored. */
  matrix(name: string, shape: [number, number]): Promise<Weight>;
  /** A norm's weight or a bias, as float32. */
  vector(name: string, size: number): Promise<tf.Tensor>;
  /** `path`.weight [out, in], and `path`.bias on request: what a method may wrap. */
  linear(path: string, out: number, width: number, options?: { bias?: boolean }): Promise<LinearModule>;
  /** Linears that read the same input: their weights are ranges of one buffer where it holds them, and so are their biases. */
  linears(layers: [path: string, out: number][], width: number, options?: { bias?: boolean }): Promise<LinearModule[]>;
  /** GPT-2's Conv1D: a linear stored as [in, out], by default with a bias. */
  conv1d(path: string, width: number, out: number, options?: { bias?: boolean }): Promise<LinearModule>;
  /** Keeps a tensor until the model is disposed. */
  own<T extends tf.Tensor>(tensor: T): T;
  /** Values loaded so far, a tied table once: in the end the model's parameters. */
  readonly parameters: number;
  /** What was loaded, in this order. */
  readonly tensors: ModelTensor[];
  /** Frees everything that was loaded or owned. */
  dispose(): void;
}

export function createLoader(
  source: WeightSource,
  { quantization = 'none', shapesOnly = false, limit = bindingLimit(), pieceBytes = PIECE_BYTES }: LoadOptions = {},
): Loader {
  const owned: tf.Tensor[] = [];
  const tensors: ModelTensor[] = [];
  let parameters = 0;
  const own = <T extends tf.Tensor>(tensor: T): T => {
    owned.push(tf.keep(tensor));
    return tensor;
  };

  const place = async (
    name: string,
    matrix: StoredMatrix,
    how: Quantization,
    { transposed = false, room }: { transposed?: boolean; room?: tf.Tensor } = {},
  ): Promise<Weight> => {
    parameters += matrix.rows * matrix.columns;
    const stored = shapesOnly ? { ...matrix, read: null } : matrix;
    const weight = await placeMatrix(stored, { quantization: how, limit, pieceBytes }, own, room);
    tensors.push({ name, value: { kind: 'matrix', weight, transposed } });
    return weight;
  };
  const stored = (name: string, [rows, columns]: [number, number]): StoredMatrix => ({
    dtype: checked(source, name, [rows, columns]).dtype,
    ...{ rows, columns },
    read: async (from, to) => new Uint8Array(await source.read(name, from, to)),
  });
  const matrix = (
    name: string,
    shape: [number, number],
    how: Quantization = 'none',
    options?: { transposed?: boolean; room?: tf.Tensor },
  ): Promise<Weight> => place(name, stored(name, shape), how, options);
  const vector = async (name: string, size: number): Promise<tf.Tensor> => {
    const { dtype } = checked(source, name, [size]);
    parameters += size;
    const kept = (tensor: tf.Tensor) => {
      tensors.push({ name, value: { kind: 'vector', tensor: own(tensor) } });
      return tensor;
    };
    if (shapesOnly) return kept(emptyTensor([size], 'float32'));
    const tensor = kept(tf.tensor1d(widenBytes(dtype, new Uint8Array(await source.read(name)), size)));
    // Uploaded now, so that JavaScript's copy can be freed before the next tensor is read.
    const backend = tf.backend();
    if (isGpu(backend)) backend.uploadToGPU(tensor.dataId);
    return tensor;
  };
  /**
   * [width, out] in the file -> [out, width]. Held whole: every row of the result needs a value of every stored row.
   */
  const turned = async (name: string, width: number, out: number): Promise<Weight> => {
    const { dtype } = checked(source, name, [width, out]);
    if (!['F32', 'F16', 'BF16'].includes(dtype)) {
      throw new TabtuneError({
        code: 'bad_model',
        message: `The tensor ${name} is stored as [in, out] in ${dtype}, which cannot be transposed.`,
        where: name,
        action: 'Use a file as llama.cpp writes it, or one in float16 or float32.',
      });
    }
    const bytes = shapesOnly ? null : await source.read(name);
    const read = async (from: number, to: number) => columnsOf(bytes!, width, out, from, to);
    return place(name, { dtype, rows: out, columns: width, read }, quantization, { transposed: true });
  };

  return {
    has: (name) => source.info(name) !== undefined,
    matrix: (name, shape) => matrix(name, shape),
    vector,
    linear: async (path, out, width, { bias = false } = {}) => ({
      path,
      weight: await matrix(`${path}.weight`, [out, width], quantization),
      bias: bias ? await vector(`${path}.bias`, out) : null,
    }),
    linears: async (layers, width, { bias = false } = {}) => {
      const weights = layers.map(([path, out]) => stored(`${path}.weight`, [out, width]));
      const rooms = sideBySide(weights, { quantization, limit })?.map((room) => own(room));
      const modules: LinearModule[] = [];
      for (const [i, [path, out]] of layers.entries()) {
        modules.push({
          path,
          weight: await place(`${path}.weight`, weights[i]!, quantization, { room: rooms?.[i] }),
          bias: bias ? await vector(`${path}.bias`, out) : null,
        });
      }
      if (bias) join(modules.map((module) => module.bias!));
      return modules;
    },
    conv1d: async (path, width, out, { bias = true } = {}) => {
      const name = `${path}.weight`;
      const weight = source.info(name)?.transposed
        ? await matrix(name, [out, width], quantization, { transposed: true })
        : await turned(name, width, out);
      return { path, weight, bias: bias ? await vector(`${path}.bias`, out) : null, conv1d: true };
    },
    own,
    get parameters() {
      return parameters;
    },
    tensors,
    dispose: () => {
      for (const tensor of owned) tensor.dispose();
      owned.length = 0;
    },
  };
}

/** Makes tensors ranges of one buffer. */
function join(tensors: tf.Tensor[]): void {
  const owner = emptyTensor([tensors.reduce((words, { size }) => words + alignView(size), 0)], 'float32');
  let at = 0;
  for (const tensor of tensors) {
    moveIntoView(tensor, owner, at);
    at += alignView(tensor.size);
  }
  owner.dispose();
}

/** A tensor's entry in the file; it must have this shape. */
function checked(source: WeightSource, name: string, shape: number[]): { dtype: StoredType } {
  const info = source.info(name);
  if (info?.shape.join() === shape.join()) return info;
  throw new TabtuneError({
    code: 'bad_model',
    message: info
      ? `The tensor ${name} has shape [${info.shape}], but config.json implies [${shape}].`
      : `The weights lack the tensor ${name}.`,
    where: name,
    action: 'Use the config.json that belongs to these weights.',
  });
}

/** Columns [from, to) of a [rows, columns] matrix of two- or four-byte values, as rows. */
function columnsOf(bytes: ArrayBuffer, rows: number, columns: number, from: number, to: number): Uint8Array {
  const Values = bytes.byteLength === rows * columns * 2 ? Uint16Array : Uint32Array;
  const source = new Values(bytes);
  const target = new Values((to - from) * rows);
  for (let r = 0; r < rows; r++) {
    for (let c = from; c < to; c++) target[(c - from) * rows + r] = source[r * columns + c]!;
  }
  return new Uint8Array(target.buffer);
}
