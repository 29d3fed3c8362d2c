/**
 * The open model with its adapter merged in, as one GGUF file: tensor by tensor and a few megabytes at a time, in the types and the
 * order of rows that a plan says. What nothing has changed and has its type already is copied as it is stored.
 */
import { TabtuneError } from '../../base/errors';
import type { ExportProgress, GgufTensorPlan, MergedTensor, ModelLayout } from '../../exports/export';
import { blockValues } from '../../formats/ggml';
import { layoutGguf } from '../../formats/gguf-write';
import { quantize } from '../../formats/quantize';
import { orderRows } from '../../hub/gguf/rows';
import { type MergeReport, mergeReport, pieceRows, stopIfAsked } from './merge';
import { type MergedTensors, type MergeModel, mergedTensors } from './merged-tensors';

/** Values read and written at a time: a fraction of a second's work between two looks at the signal. */
const PIECE = 2 ** 20;

/**
 * Gives the file's bytes to `onPiece` in order. Throws `cancelled` when `signal` fires, `bad_model` for values that a type cannot
 * hold, and `internal` for a plan that does not fit the model.
 */
export async function writeGguf(
  open: MergeModel,
  { metadata, tensors }: Extract<ModelLayout, { format: 'gguf' }>,
  onPiece: (bytes: ArrayBuffer) => void,
  onProgress: (progress: ExportProgress) => void,
  signal?: AbortSignal,
): Promise<MergeReport> {
  const layout = layoutGguf(metadata, tensors);
  const merged = mergedTensors(open);
  for (const plan of tensors) checkPlan(plan, merged.list);
  let done = 0;
  const put = (piece: ArrayBuffer) => {
    done += piece.byteLength;
    onPiece(piece);
    onProgress({ phase: 'writing', done, total: layout.bytes });
  };
  put(layout.header.buffer);
  for (const [i, plan] of tensors.entries()) {
    for await (const piece of tensorPieces(merged, plan)) {
      stopIfAsked(signal);
      put(piece);
    }
    const { padding } = layout.tensors[i]!;
    if (padding > 0) put(new ArrayBuffer(padding));
  }
  if (done !== layout.bytes) throw misplanned('The model', `${done} of ${layout.bytes} bytes`);
  return mergeReport(open, layout.bytes);
}

async function* tensorPieces(merged: MergedTensors, { name, type, shape, from: origin }: GgufTensorPlan) {
  if ('values' in origin) {
    yield quantize(type, origin.values, name).buffer;
    return;
  }
  const { tensor, order, add = 0 } = origin;
  const stored = blockValues(type) > 1 && add === 0 && !origin.transposed ? merged.stored(tensor) : null;
  const row = shape.slice(1).reduce((product, n) => product * n, 1);
  for (const [from, to] of pieceRows(shape, PIECE, order?.length)) {
    if (stored?.type === type) {
      const bytes = await stored.rows(from, to);
      yield order ? orderRows(new Uint8Array(bytes), order, from, to) : bytes;
      continue;
    }
    let values = origin.transposed
      ? (await merged.turned(tensor)).subarray(from * row, to * row)
      : await merged.rows(tensor, from, to);
    if (order) {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      values = new Float32Array(orderRows(bytes, order, from, to));
    }
    if (add !== 0) values = values.map((value) => value + add);
    yield quantize(type, values, name).buffer;
  }
}

/** A plan that does not fit the model would give a file that opens and computes something else. */
function checkPlan({ name, shape, from }: GgufTensorPlan, list: readonly MergedTensor[]): void {
  if ('values' in from) {
    const values = shape.reduce((product, n) => product * n, 1);
    if (from.values.length !== values) throw misplanned(name, `[${shape}] of ${from.values.length} values`);
    return;
  }
  const model = list.find((tensor) => tensor.name === from.tensor);
  if (!model) throw misplanned(name, `there is no ${from.tensor}`);
  const given = from.transposed ? model.shape.toReversed() : model.shape;
  if (given.join() !== shape.join()) throw misplanned(name, `[${shape}] of ${from.tensor} [${model.shape}]`);
  const { order } = from;
  if (!order) return;
  const seen = new Set(order);
  const permutes = seen.size === order.length && order.every((row) => row < order.length);
  if (!permutes || shape[0]! % order.length !== 0)
    throw misplanned(name, `an order of ${order.length} rows of ${shape[0]}`);
}

const misplanned = (what: string, details: string): TabtuneError =>
  new TabtuneError({
    code: 'internal',
    message: `${what} cannot be written to a GGUF file.`,
    where: what,
    action: 'Choose another format, and report this.',
    details,
  });
