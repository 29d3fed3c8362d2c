/** The tensors of the open model with its adapter merged in, read one at a time and in pieces, as float32. */
import { mergedBias, mergedWeight } from '../../engine/methods/merge';
import type { Method } from '../../engine/methods/method';
import { readTensor } from '../../engine/methods/opened-tensors';
import { isTokenHead, type LanguageModel } from '../../engine/models/model';
import { readFloats } from '../../engine/webgpu/backend';
import type { MergedTensor } from '../../exports/export';
import { dequantize, type GgmlType } from '../../formats/ggml';
import type { CheckedModel } from '../../hub/check';
import { openWeights } from '../../hub/weights';
import { barePrefix } from './adapter-model';

export interface MergeModel {
  /** With its classification head where it has one. */
  model: LanguageModel;
  method: Method | null;
  checked: CheckedModel;
}

export interface MergedTensors {
  /** In the checkpoint's order, then what it has not: a head, an output projection of the model's own. */
  list: MergedTensor[];
  /** Rows [from, to) of the first dimension as Hugging Face stores it. Not to be written to. */
  rows(name: string, from: number, to: number): Promise<Float32Array>;
  /** A Conv1D, which Hugging Face stores [in, out], as [out, in]. Not to be written to. */
  turned(name: string): Promise<Float32Array>;
  /** What nothing has changed, in the type in which it is stored; null for other tensors. */
  stored(name: string): { type: GgmlType; rows(from: number, to: number): Promise<ArrayBuffer> } | null;
}

/** Names are those of `list`. */
export function mergedTensors({ model, method, checked }: MergeModel): MergedTensors {
  const weights = openWeights(checked);
  const opened: NonNullable<Method['opened']> = method?.opened ?? new Map();
  const inFile = new Set(
    [...checked.tensors.keys()].filter((name) => !model.heads.classification || !isTokenHead(model, name)),
  );
  // A classification head, and an output projection that the base has tied.
  const added = model.tensors.flatMap(({ name }) => (inFile.has(name) ? [] : [name]));
  const onDevice = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  const linears = new Map(model.linears.map((module) => [`${module.path}.weight`, module]));
  const biases = new Map(model.linears.flatMap((module) => (module.bias ? [[`${module.path}.bias`, module]] : [])));
  // The class with a head has a prefix that the bare encoder's has not.
  const prefix = model.heads.classification ? barePrefix(model) : '';
  const names = new Map([...inFile, ...added].map((name) => [onDevice.get(name)?.task ? name : prefix + name, name]));

  /** Hugging Face stores a Conv1D as [in, out]; the device has it transposed. */
  const shapeOf = (name: string): number[] => {
    const value = onDevice.get(name)?.value;
    if (!value) return checked.tensors.get(name)!.shape;
    if (value.kind === 'vector') return value.tensor.shape;
    return value.transposed ? value.weight.shape.toReversed() : value.weight.shape;
  };
  const isStored = (name: string) => inFile.has(name) && !opened.has(name) && !linears.has(name) && !biases.has(name);

  /** What may have changed, whole and as the device has it: matrices [out, in]. */
  const read = async (name: string): Promise<Float32Array> => {
    const trained = opened.get(name);
    if (trained) return readFloats(trained);
    const module = linears.get(name);
    if (module) return mergedWeight(module, method);
    const biased = biases.get(name);
    return (biased && (await mergedBias(biased, method))) ?? readTensor(onDevice.get(name)!);
  };
  let last: { name: string; turned: boolean; values: Float32Array } | null = null;
  /** Kept until another is asked for. */
  const whole = async (name: string, turned: boolean): Promise<Float32Array> => {
    if (last?.name === name && last.turned === turned) return last.values;
    last = null;
    const values = await read(name);
    const value = onDevice.get(name)?.value;
    const conv1d = value?.kind === 'matrix' && value.transposed;
    const [out, width] = value?.kind === 'matrix' ? (value.weight.shape as [number, number]) : [0, 0];
    last = { name, turned, values: conv1d && !turned ? transposed(values, out, width) : values };
    return last.values;
  };
  const sizeOfRow = (name: string) =>
    shapeOf(name)
      .slice(1)
      .reduce((product, n) => product * n, 1);
  const own = (name: string): string => names.get(name)!;

  return {
    list: [...names].map(([name, inside]) => ({ name, shape: shapeOf(inside) })),
    async rows(fileName, from, to) {
      const name = own(fileName);
      if (isStored(name))
        return dequantize(weights.info(name)!.dtype, new Uint8Array(await weights.read(name, from, to)));
      const row = sizeOfRow(name);
      return (await whole(name, false)).subarray(from * row, to * row);
    },
    turned: (fileName) => whole(own(fileName), true),
    stored(fileName) {
      const name = own(fileName);
      if (!isStored(name)) return null;
      return { type: weights.info(name)!.dtype, rows: (from, to) => weights.read(name, from, to) };
    },
  };
}

/** [rows, columns] -> [columns, rows] */
function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) turned[j * rows + i] = values[i * columns + j]!;
  return turned;
}
