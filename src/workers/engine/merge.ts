/**
 * The open model with its adapter merged in, as one safetensors file: written tensor by tensor, so that never more than
 * one is in memory. prove.ts opens the finished file again, by itself.
 */
import { TabtuneError } from '../../base/errors';
import type { TaskData } from '../../data/types';
import type { ExportProgress, MergedDtype, MergedTensor } from '../../exports/export';
import { quantize } from '../../formats/quantize';
import { layoutSafetensors } from '../../formats/safetensors';
import { type MethodSection, methodOf } from '../../methods';
import { type MergeModel, mergedTensors } from './merged-tensors';

export interface MergeReport {
  /** Of the file. */
  bytes: number;
  /** What the head in the file is for; null where the file holds a language model. */
  task: TaskData | null;
  /** The file holds an output projection of its own, whatever the base's config.json says of ties. */
  outputApart: boolean;
}

/** Values read at a time. */
const PIECE = 4 * 2 ** 20;

/** Throws for methods whose training is not part of a weight. */
export function assertMerges(settings: MethodSection): void {
  if (methodOf(settings).merges) return;
  throw new TabtuneError({
    code: 'bad_adapter',
    message: `What ${settings.type} learns is not part of a weight, so it cannot be merged into the model.`,
    where: 'method.type',
    action: 'Export the adapter instead.',
  });
}

/** Of the merged file, in the checkpoint's order. */
export const tensorsOf = (open: MergeModel): MergedTensor[] => mergedTensors(open).list;

/** Gives the file's bytes to `onPiece` in order. Throws `cancelled` when `signal` fires. */
export async function mergeModel(
  open: MergeModel,
  dtype: MergedDtype,
  onPiece: (bytes: ArrayBuffer) => void,
  onProgress: (progress: ExportProgress) => void,
  signal?: AbortSignal,
): Promise<MergeReport> {
  const merged = mergedTensors(open);
  const layout = layoutSafetensors(merged.list.map((tensor) => ({ ...tensor, dtype })));
  const shapes = new Map(merged.list.map(({ name, shape }) => [name, shape]));
  let done = layout.header.byteLength;
  onPiece(layout.header.buffer);
  // In the file's order, which is not the model's.
  for (const { name } of layout.tensors) {
    for (const [from, to] of pieceRows(shapes.get(name)!, PIECE)) {
      stopIfAsked(signal);
      const piece = quantize(dtype, await merged.rows(name, from, to), name);
      done += piece.byteLength;
      onPiece(piece.buffer);
      onProgress({ phase: 'writing', done, total: layout.bytes });
    }
  }
  return mergeReport(open, layout.bytes);
}

/** Rows [from, to) of a tensor, about `values` values at a time, in whole groups of `group` rows. */
export function* pieceRows(shape: readonly number[], values: number, group = 1): Generator<[from: number, to: number]> {
  const [rows = 1, ...inner] = shape;
  const row = inner.reduce((product, n) => product * n, 1);
  const step = Math.max(1, Math.floor(values / row / group)) * group;
  for (let from = 0; from < rows; from += step) yield [from, Math.min(rows, from + step)];
}

export function mergeReport({ model }: MergeModel, bytes: number): MergeReport {
  const { classification: task = null, lm } = model.heads;
  return {
    bytes,
    task: task && { problemType: task.problemType, labels: task.labels },
    outputApart: !task && lm !== undefined && model.ties.length === 0,
  };
}

export function stopIfAsked(signal?: AbortSignal): void {
  if (signal?.aborted) throw new TabtuneError({ code: 'cancelled', message: 'The export was cancelled.' });
}
