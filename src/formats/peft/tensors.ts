/** The tensors of `adapter_model.safetensors`, by the methods' names for them. */
import { bf16ToF32, f16ToF32 } from '../half';
import { parseSafetensorsHeader, type SafetensorsEntry, safetensorsHeaderSize, writeSafetensors } from '../safetensors';
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
  const context = { where: ADAPTER_WEIGHTS, code: 'bad_adapter' as const };
  const headerSize = safetensorsHeaderSize(weights, weights.length, context);
  const { tensors } = parseSafetensorsHeader(weights.subarray(0, headerSize), weights.length, context);
  const read: PeftTensors = new Map();
  for (const [key, entry] of tensors) {
    const name = nameOf(kind, key);
    if (read.has(name)) {
      refuse(tensorPlace(key), 'The file has this tensor twice, under two spellings of its key.', EXPORT_AGAIN);
    }
    read.set(name, { shape: entry.shape, data: valuesOf(weights, entry, key) });
  }
  if (read.size === 0) refuse(ADAPTER_WEIGHTS, 'The file contains no weights.', EXPORT_AGAIN);
  return read;
}

function valuesOf(file: Uint8Array, entry: SafetensorsEntry, key: string): Float32Array {
  // A copy, since a tensor's offset in the file need not be aligned to its element size.
  const { buffer } = file.slice(entry.start, entry.end);
  switch (entry.dtype) {
    case 'F32':
      return new Float32Array(buffer);
    case 'F16':
      return f16ToF32(new Uint16Array(buffer));
    case 'BF16':
      return bf16ToF32(new Uint16Array(buffer));
    default:
      return refuse(
        tensorPlace(key),
        `The number format ${entry.dtype} is not supported.`,
        'Save the adapter in float32, float16 or bfloat16.',
      );
  }
}
