/**
 * The open model with its adapter merged in, as one safetensors file: written tensor by tensor, so that never more than
 * one is in memory. check-merged.ts opens the finished file again, by itself.
 */
import { TabtuneError } from '../../base/errors';
import type { TaskData } from '../../data/types';
import { mergedBias, mergedWeight } from '../../engine/methods/merge';
import type { Method } from '../../engine/methods/method';
import { readTensor } from '../../engine/methods/opened-tensors';
import { isTokenHead, type LanguageModel } from '../../engine/models/model';
import { readFloats } from '../../engine/webgpu/backend';
import { dequantize } from '../../formats/ggml';
import { f32ToBf16, f32ToF16 } from '../../formats/half';
import { DTYPE_BYTES, layoutSafetensors } from '../../formats/safetensors';
import type { CheckedModel } from '../../hub/check';
import { type ModelWeights, openWeights } from '../../hub/weights';
import type { MergedDtype, MergeProgress } from '../../session/api';
import { barePrefix } from './adapter-model';

export interface MergeReport {
  /** Of the file. */
  bytes: number;
  /** What the head in the file is for; null where the file holds a language model. */
  task: TaskData | null;
  /** The file holds an output projection of its own, whatever the base's config.json says of ties. */
  outputApart: boolean;
}

/** Rows read at a time of a tensor that is only converted. */
const PIECE_BYTES = 16 * 2 ** 20;

export interface MergeModel {
  /** With its classification head where it has one. */
  model: LanguageModel;
  method: Method | null;
  checked: CheckedModel;
}

/** Gives the file's bytes to `onPiece` in order. Throws `cancelled` when `signal` fires. */
export async function mergeModel(
  open: MergeModel,
  dtype: MergedDtype,
  onPiece: (bytes: ArrayBuffer) => void,
  onProgress: (progress: MergeProgress) => void,
  signal?: AbortSignal,
): Promise<MergeReport> {
  const merged = mergedTensors(open, dtype);
  const layout = layoutSafetensors(
    merged.names.map((name) => ({ name: merged.fileName(name), dtype, shape: merged.shapeOf(name) })),
  );
  let done = layout.header.byteLength;
  onPiece(layout.header.buffer);
  // In the file's order, which is not the model's.
  const nameIn = new Map(merged.names.map((name) => [merged.fileName(name), name]));
  for (const tensor of layout.tensors) {
    for await (const piece of merged.pieces(nameIn.get(tensor.name)!)) {
      stopIfAsked(signal);
      done += piece.byteLength;
      onPiece(piece);
      onProgress({ phase: 'writing', done, total: layout.bytes });
    }
  }
  const { classification: task = null, lm } = open.model.heads;
  return {
    bytes: layout.bytes,
    task: task && { problemType: task.problemType, labels: task.labels },
    outputApart: !task && lm !== undefined && open.model.ties.length === 0,
  };
}

export function stopIfAsked(signal?: AbortSignal): void {
  if (signal?.aborted) throw new TabtuneError({ code: 'cancelled', message: 'The export was cancelled.' });
}

function mergedTensors({ model, method, checked }: MergeModel, dtype: MergedDtype) {
  const weights = openWeights(checked);
  const opened: NonNullable<Method['opened']> = method?.opened ?? new Map();
  const stored = new Set(
    [...checked.tensors.keys()].filter((name) => !model.heads.classification || !isTokenHead(model, name)),
  );
  // A classification head, and an output projection that the base has tied.
  const added = model.tensors.flatMap(({ name }) => (stored.has(name) ? [] : [name]));
  const onDevice = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  const linears = new Map(model.linears.map((module) => [`${module.path}.weight`, module]));
  const biases = new Map(model.linears.map((module) => [`${module.path}.bias`, module]));

  /** Hugging Face stores a Conv1D as [in, out]; a source may have it transposed already. */
  const shapeOf = (name: string): number[] => {
    const value = onDevice.get(name)?.value;
    if (!value) return checked.tensors.get(name)!.shape;
    if (value.kind === 'vector') return value.tensor.shape;
    return value.transposed ? value.weight.shape.toReversed() : value.weight.shape;
  };
  const rowsOf = (name: string) => shapeOf(name)[0] ?? 1;
  const sizeOf = (name: string) => shapeOf(name).reduce((product, n) => product * n, 1);

  /** What has changed, whole and as the device has it; null for what is as it was stored. */
  const changed = async (name: string): Promise<Float32Array | null> => {
    const trained = opened.get(name);
    if (trained) return readFloats(trained);
    const module = linears.get(name);
    if (module) return mergedWeight(module, method);
    const biased = biases.get(name);
    if (biased) return mergedBias(biased, method);
    return stored.has(name) ? null : readTensor(onDevice.get(name)!);
  };
  let last: { name: string; bytes: ArrayBuffer | null } | null = null;
  /** Kept until another is asked for. */
  const whole = async (name: string): Promise<ArrayBuffer | null> => {
    if (last?.name !== name) {
      last = null;
      const values = await changed(name);
      const value = onDevice.get(name)?.value;
      const turned = values && value?.kind === 'matrix' && value.transposed;
      const [out, width] = value?.kind === 'matrix' ? (value.weight.shape as [number, number]) : [0, 0];
      last = { name, bytes: values && narrow(name, turned ? transposed(values, out, width) : values, dtype) };
    }
    return last.bytes;
  };
  const read = async (name: string, from = 0, to = rowsOf(name)): Promise<ArrayBuffer> => {
    const bytes = await whole(name);
    if (!bytes) return narrow(name, await floats(weights, name, from, to), dtype);
    const rowBytes = (sizeOf(name) / rowsOf(name)) * DTYPE_BYTES[dtype];
    return bytes.slice(from * rowBytes, to * rowBytes);
  };
  async function* pieces(name: string): AsyncGenerator<ArrayBuffer> {
    const rows = rowsOf(name);
    const step = Math.max(1, Math.floor(PIECE_BYTES / ((sizeOf(name) / rows) * 4)));
    for (let from = 0; from < rows; from += step) yield await read(name, from, Math.min(rows, from + step));
  }
  const names = [...stored, ...added];
  // The class with a head has a prefix that the bare encoder's has not.
  const prefix = model.heads.classification ? barePrefix(model) : '';
  const fileName = (name: string) => (onDevice.get(name)?.task ? name : prefix + name);
  return { names, pieces, shapeOf, fileName };
}

/** [rows, columns] -> [columns, rows] */
function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) turned[j * rows + i] = values[i * columns + j]!;
  return turned;
}

async function floats(weights: ModelWeights, name: string, from: number, to: number): Promise<Float32Array> {
  const { dtype } = weights.info(name)!;
  return dequantize(dtype, new Uint8Array(await weights.read(name, from, to)));
}

const HALVES = {
  BF16: { narrow: f32ToBf16, infinity: 0x7f80, name: 'bfloat16', largest: '3.39e38', instead: 'float32' },
  F16: { narrow: f32ToF16, infinity: 0x7c00, name: 'float16', largest: '65,504', instead: 'bfloat16 or float32' },
} as const;

function narrow(name: string, values: Float32Array, dtype: MergedDtype): ArrayBuffer {
  const odd = values.find((value) => !Number.isFinite(value));
  if (odd !== undefined) {
    throw new TabtuneError({
      code: 'bad_model',
      message: `The weights of ${name} hold ${odd}, so no model with them can compute anything.`,
      where: name,
      action: 'Open an earlier run, or train again with a lower learning rate.',
    });
  }
  if (dtype === 'F32') return values.buffer as ArrayBuffer;
  const type = HALVES[dtype];
  const half = type.narrow(values);
  const over = half.findIndex((bits) => (bits & 0x7fff) === type.infinity);
  if (over >= 0) {
    throw new TabtuneError({
      code: 'bad_model',
      message: `${name} holds ${values[over]!.toPrecision(3)}, beyond ${type.name}’s largest number, ${type.largest}.`,
      where: name,
      action: `Export the model as ${type.instead}.`,
    });
  }
  return half.buffer as ArrayBuffer;
}
