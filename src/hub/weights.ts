/** Reads the tensors of a checked model one by one. */

import { COMPLETE_FOLDER, refuse } from '../base/bad-model';
import type { GgmlType } from '../formats/ggml';
import type { CheckedModel } from './check';
import { orderRows } from './gguf/rows';

export interface ModelWeights {
  /** Total size of all tensors. */
  bytes: number;
  /** `transposed`: a Conv1D stored like a linear layer, [out, in]. */
  info(name: string): { dtype: GgmlType; shape: number[]; transposed?: boolean } | undefined;
  /**
   * Rows [from, to) of the first dimension, by default the whole tensor: little-endian, row-major, in the stored type.
   * Throws `bad_model` if the tensor is missing or incomplete.
   */
  read(name: string, from?: number, to?: number): Promise<ArrayBuffer>;
}

/** `onRead` receives the number of bytes after each read. */
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
      // Permuted rows need whole groups, because the permutation stays within a group.
      const group = order?.length ?? 1;
      const begin = start + Math.floor(first / group) * group * rowBytes;
      const until = start + Math.ceil(last / group) * group * rowBytes;
      let bytes = await folder.bytes(file, begin, until);
      if (bytes.byteLength !== until - begin) {
        refuse(`${file}, tensor ${name}`, 'The file has become shorter since you opened it.', COMPLETE_FOLDER);
      }
      if (order) bytes = orderRows(new Uint8Array(bytes), order, first, last);
      if (add !== undefined) bytes = new Float32Array(bytes).map((value) => value + add).buffer;
      onRead?.(bytes.byteLength);
      return bytes;
    },
  };
}
