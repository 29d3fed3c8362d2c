/** All tensors of a small safetensors file as float32: an adapter's. */
import type { AdapterTensors } from './adapter-format';
import { bf16ToF32, f16ToF32 } from './half';
import { refuse } from './peft/refuse';
import { parseSafetensorsHeader, type SafetensorsEntry, safetensorsHeaderSize } from './safetensors';

/** By the file's names, in the order of its header. `file` is its name, for errors. Throws `bad_adapter`. */
export function readFloatTensors(bytes: Uint8Array, file: string): AdapterTensors {
  const context = { where: file, code: 'bad_adapter' as const };
  const headerSize = safetensorsHeaderSize(bytes, bytes.length, context);
  const { tensors } = parseSafetensorsHeader(bytes.subarray(0, headerSize), bytes.length, context);
  const read = [...tensors].map(
    ([name, entry]) => [name, { shape: entry.shape, data: valuesOf(bytes, entry, `${file}, tensor ${name}`) }] as const,
  );
  return new Map(read);
}

function valuesOf(file: Uint8Array, entry: SafetensorsEntry, where: string): Float32Array {
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
        where.slice(0, 160),
        `The number format ${entry.dtype} is not supported.`,
        'Save the adapter in float32, float16 or bfloat16.',
      );
  }
}
