/** Rotary frequencies as transformers computes them (modeling_rope_utils.py), in f32 where it does. */
import { TabtuneError } from '../../base/errors';

export interface RopeScaling {
  rope_type?: string;
  /** Older spelling of rope_type. */
  type?: string;
  factor?: number;
  low_freq_factor?: number;
  high_freq_factor?: number;
  original_max_position_embeddings?: number;
}

/** One frequency for each pair of dimensions, [headDim / 2]. */
export function inverseFrequencies(headDim: number, theta: number, scaling: RopeScaling | null): Float32Array {
  const plain = Float32Array.from(
    { length: headDim / 2 },
    (_, i) => 1 / Math.fround(theta ** Math.fround((2 * i) / headDim)),
  );
  const kind = scaling?.rope_type ?? scaling?.type ?? 'default';
  switch (kind) {
    case 'default':
      return plain;
    case 'linear':
      return plain.map((f) => f / (scaling!.factor ?? 1));
    case 'llama3':
      return llama3(plain, scaling!);
    default:
      throw new TabtuneError({
        code: 'bad_model',
        message: `The rope scaling "${kind}" is not supported.`,
        where: 'config.json: rope_scaling',
        action: 'Use a model with rope scaling default, linear or llama3.',
      });
  }
}

/** Llama 3.1: long wavelengths are slowed by `factor`, short ones kept, those between blended. */
function llama3(plain: Float32Array, s: RopeScaling): Float32Array {
  const { factor = 8, low_freq_factor: low = 1, high_freq_factor: high = 4 } = s;
  const context = s.original_max_position_embeddings ?? 8192;
  return plain.map((f) => {
    const wavelength = (2 * Math.PI) / f;
    if (wavelength > context / low) return f / factor;
    if (wavelength < context / high) return f;
    const smooth = (context / wavelength - low) / (high - low);
    return ((1 - smooth) * f) / factor + smooth * f;
  });
}
