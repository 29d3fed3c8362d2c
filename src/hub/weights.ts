/** Reads the tensors of a checked model one by one. */

import { COMPLETE_FOLDER, refuse } from '../base/bad-model';
import type { GgmlType } from '../formats/ggml';
import type { CheckedModel } from './check';
import { orderRows } from './gguf/rows';

export interface ModelWeights {
  /** Bytes of all tensors together. */
  bytes: number;
  /** `transposed`: a Conv1D that lies as a linear does, [out, in]. */
  info(name: string): { dtype: GgmlType; shape: number[]; transposed?: boolean } | undefined;
  /**
   * Rows [from, to) of the first dimension, the whole tensor when left out: little-endian, row-major, in the stored
   * format. Throws `bad_model` when the tensor is not there or comes short.
   */
  read(name: string, from?: number, to?: number): Promise<ArrayBuffer>;
}

/** `onRead` is told the bytes of each piece that was read. */
export function openWeights({ folder, tensors }: CheckedModel, onRead?: (bytes: number) => void): ModelWeights {
  let total = 0;
  for (const { start, end } of tensors.values()) total += end - start;
  return {
    bytes: total,
    info: (name) => tensors.get(name),
    async read(name, from, to) {
      const tensor = tensors.get(name) ?? refuse(name, 'The model has no such tensor.', COMPLETE_FOLDER);
      const { file, shape, start, end, order, add } = tensor;
      const rows = shape[0] ?? 1;
      const rowBytes = (end - start) / rows;
      const [first, last] = [from ?? 0, to ?? rows];
      // Rows in another order come with the whole groups that they are mixed up in.
      const group = order?.length ?? 1;
      const begin = start + Math.floor(first / group) * group * rowBytes;
      const until = start + Math.ceil(last / group) * group * rowBytes;
      let bytes = await folder.bytes(file, begin, until);
      if (bytes.byteLength !== until - begin) {
        refuse(`${file}, tensor ${name}`, 'The file has become shorter since it was opened.', COMPLETE_FOLDER);
      }
      if (order) bytes = orderRows(new Uint8Array(bytes), order, first, last);
      if (add !== undefined) bytes = new Float32Array(bytes).map((value) => value + add).buffer;
      onRead?.(bytes.byteLength);
      return bytes;
    },
  };
}
