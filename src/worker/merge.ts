/**
 * The open model with its adapter merged in, as one safetensors file: written tensor by tensor, so that never more than
 * one is in memory, then loaded beside the base to measure what merging and rounding changed.
 */
import { TabtuneError } from '../base/errors';
import { textLogits } from '../engine/generation/generate';
import { mergedWeight } from '../engine/methods/merge';
import { inference, type Method } from '../engine/methods/method';
import { loadModel } from '../engine/models';
import type { LanguageModel, WeightSource } from '../engine/models/model';
import type { LinearModule } from '../engine/types';
import { canAllocate } from '../engine/webgpu/backend';
import { dequantize } from '../formats/ggml';
import { f32ToBf16, f32ToF16 } from '../formats/half';
import { layoutSafetensors } from '../formats/safetensors';
import type { CheckedModel } from '../hub/check';
import { type ModelWeights, openWeights } from '../hub/weights';
import type { MergedDtype, MergeProgress } from './api';

export interface MergeJob {
  dtype: MergedDtype;
  /** Texts, as token ids, on which merged and adapter form are compared. */
  probes: Int32Array[];
}

export interface MergeReport {
  /** Of the file. */
  bytes: number;
  /** Largest difference of a logit between merged and adapter form; null where the GPU has no room for both. */
  maxLogitDifference: number | null;
  /** Largest logit of the adapter form, which the difference may be held against. */
  largestLogit: number | null;
}

/** Rows read at a time of a tensor that is only converted. */
const PIECE_BYTES = 16 * 2 ** 20;
const BYTES: Record<MergedDtype, number> = { F32: 4, BF16: 2, F16: 2 };

export interface MergeModel {
  model: LanguageModel;
  method: Method | null;
  checked: CheckedModel;
}

/** Gives the file's bytes to `onPiece` in order. Throws `cancelled` when `signal` fires. */
export async function mergeModel(
  open: MergeModel,
  { dtype, probes }: MergeJob,
  onPiece: (bytes: ArrayBuffer) => void,
  onProgress: (progress: MergeProgress) => void,
  signal?: AbortSignal,
): Promise<MergeReport> {
  const { checked } = open;
  const merged = mergedTensors(open, dtype);
  const layout = layoutSafetensors(
    [...checked.tensors.keys()].map((name) => ({ name, dtype, shape: merged.shapeOf(name) })),
  );
  let done = layout.header.byteLength;
  onPiece(layout.header.buffer);
  for (const { name } of layout.tensors) {
    for await (const piece of merged.pieces(name)) {
      stopIfAsked(signal);
      done += piece.byteLength;
      onPiece(piece);
      onProgress({ phase: 'writing', done, total: layout.bytes });
    }
  }
  onProgress({ phase: 'checking', done: 0, total: 1 });
  const difference = await compare(open, merged.source, layout.bytes, probes, signal);
  onProgress({ phase: 'checking', done: 1, total: 1 });
  return { bytes: layout.bytes, ...difference };
}

function stopIfAsked(signal?: AbortSignal): void {
  if (signal?.aborted) throw new TabtuneError({ code: 'cancelled', message: 'The export was cancelled.' });
}

function mergedTensors({ model, method, checked }: MergeModel, dtype: MergedDtype) {
  const weights = openWeights(checked);
  const linears = new Map(model.linears.map((module) => [`${module.path}.weight`, module]));
  const shapeOf = (name: string) => mergedShape(checked, linears.get(name), name);
  const rowsOf = (name: string) => shapeOf(name)[0] ?? 1;
  const sizeOf = (name: string) => shapeOf(name).reduce((product, n) => product * n, 1);
  let last: { name: string; bytes: ArrayBuffer } | null = null;

  /** A whole linear, merged; kept until another is asked for. */
  const linear = async (name: string): Promise<ArrayBuffer> => {
    if (last?.name !== name) {
      last = null;
      const module = linears.get(name)!;
      const values = await mergedWeight(module, method);
      const [out, width] = module.weight.shape as [number, number];
      last = { name, bytes: narrow(module.conv1d ? transposed(values, out, width) : values, dtype) };
    }
    return last.bytes;
  };
  const read = async (name: string, from = 0, to = rowsOf(name)): Promise<ArrayBuffer> => {
    if (linears.has(name)) {
      const rowBytes = (sizeOf(name) / rowsOf(name)) * BYTES[dtype];
      return (await linear(name)).slice(from * rowBytes, to * rowBytes);
    }
    return narrow(await floats(weights, name, from, to), dtype);
  };
  async function* pieces(name: string): AsyncGenerator<ArrayBuffer> {
    const rows = rowsOf(name);
    const step = Math.max(1, Math.floor(PIECE_BYTES / ((sizeOf(name) / rows) * 4)));
    for (let from = 0; from < rows; from += step) yield await read(name, from, Math.min(rows, from + step));
  }
  const source: WeightSource = {
    info: (name) => (checked.tensors.has(name) ? { dtype, shape: shapeOf(name) } : undefined),
    read,
  };
  return { source, pieces, shapeOf };
}

/** As Hugging Face has it: a Conv1D lies [in, out], also where its source had it turned already. */
function mergedShape(checked: CheckedModel, module: LinearModule | undefined, name: string): number[] {
  if (!module?.conv1d) return checked.tensors.get(name)!.shape;
  return [...module.weight.shape].reverse();
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

function narrow(values: Float32Array, dtype: MergedDtype): ArrayBuffer {
  if (dtype === 'F32') return values.buffer as ArrayBuffer;
  return (dtype === 'BF16' ? f32ToBf16 : f32ToF16)(values).buffer as ArrayBuffer;
}

async function compare(
  { model, method, checked }: MergeModel,
  source: WeightSource,
  bytes: number,
  probes: Int32Array[],
  signal?: AbortSignal,
): Promise<Omit<MergeReport, 'bytes'>> {
  const unknown = { maxLogitDifference: null, largestLogit: null };
  if (!model.head || !(await canAllocate(bytes))) return unknown;
  const other = await loadModel(checked.json, source);
  try {
    let difference = 0;
    let largest = 0;
    for (const ids of probes) {
      stopIfAsked(signal);
      const adapted = await textLogits(model, method?.hooks(inference()) ?? {}, ids);
      const plain = await textLogits(other, {}, ids);
      for (let i = 0; i < adapted.length; i++) {
        difference = Math.max(difference, Math.abs(adapted[i]! - plain[i]!));
        largest = Math.max(largest, Math.abs(adapted[i]!));
      }
    }
    return { maxLogitDifference: difference, largestLogit: largest };
  } finally {
    other.dispose();
  }
}
