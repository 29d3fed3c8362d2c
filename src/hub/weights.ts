/** Reads the tensors of a checked model one by one. */
import type { CheckedModel, WeightDtype } from './check';
import { COMPLETE_FOLDER, refuse } from './errors';

export interface ModelWeights {
  /** Bytes of all tensors together. */
  bytes: number;
  has(name: string): boolean;
  /** Little-endian, row-major, as stored. Throws `bad_model` when the tensor is not there or comes short. */
  read(name: string): Promise<{ dtype: WeightDtype; shape: number[]; bytes: ArrayBuffer }>;
}

/** `onRead` is told the bytes of each tensor that was read. */
export function openWeights({ folder, tensors }: CheckedModel, onRead?: (bytes: number) => void): ModelWeights {
  let total = 0;
  for (const { start, end } of tensors.values()) total += end - start;
  return {
    bytes: total,
    has: (name) => tensors.has(name),
    async read(name) {
      const tensor = tensors.get(name) ?? refuse(name, 'The model has no such tensor.', COMPLETE_FOLDER);
      const { file, dtype, shape, start, end } = tensor;
      const bytes = await folder.bytes(file, start, end);
      if (bytes.byteLength !== end - start) {
        refuse(`${file}, tensor ${name}`, 'The file has become shorter since it was opened.', COMPLETE_FOLDER);
      }
      onRead?.(bytes.byteLength);
      return { dtype, shape: [...shape], bytes };
    },
  };
}
