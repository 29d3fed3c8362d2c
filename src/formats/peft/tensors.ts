/** The tensors of `adapter_model.safetensors`, by the methods' names for them. */
import { readFloatTensors } from '../float-tensors';
import { writeSafetensors } from '../safetensors';
import { ADAPTER_WEIGHTS } from './folder';
import { nameOf, peftKey, tensorPlace, type Wrapping } from './keys';
import type { PeftTensors } from './kind';
import { EXPORT_AGAIN, refuse } from './refuse';

/** Encodes the file deterministically, with tensors in the order in which safetensors sorts them. */
export function writeTensors(kind: Wrapping, tensors: PeftTensors): Uint8Array {
  const named = [...tensors].map(([name, { shape, data }]) => ({
    name: peftKey(kind, name),
    dtype: 'F32' as const,
    shape,
    data,
  }));
  named.sort((a, b) => (a.name < b.name ? -1 : 1));
  return writeSafetensors(named, { format: 'pt' });
}

/** All tensors of the file, widened to float32, by name without prefix. */
export function readTensors(kind: Wrapping, weights: Uint8Array): PeftTensors {
  const read: PeftTensors = new Map();
  for (const [key, tensor] of readFloatTensors(weights, ADAPTER_WEIGHTS)) {
    const name = nameOf(kind, key);
    if (read.has(name)) {
      refuse(tensorPlace(key), 'The file has this tensor twice, under two spellings of its key.', EXPORT_AGAIN);
    }
    read.set(name, tensor);
  }
  if (read.size === 0) refuse(ADAPTER_WEIGHTS, 'The file contains no weights.', EXPORT_AGAIN);
  return read;
}
