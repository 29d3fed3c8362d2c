/** Values as the bytes of a checkpoint. */
import type { PlainType } from '../../src/engine/quantization/blocks-wgsl';
import { f32ToBf16, f32ToF16 } from '../../src/formats/half';

export function stored(dtype: PlainType, values: Float32Array): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(values.slice().buffer);
  return new Uint8Array((dtype === 'F16' ? f32ToF16 : f32ToBf16)(values).buffer as ArrayBuffer);
}
