import { describe, expect, it } from 'vitest';
import { llama3Scaling, scalingFromKeys } from '../../../src/families/gguf/rope';

/** The rope_freqs.weight that convert_hf_to_gguf writes for llama3 scaling, in float32. */
function table(theta: number, width: number, factor: number, low: number, high: number, context: number): Float32Array {
  return Float32Array.from({ length: width / 2 }, (_, i) => {
    const wavelength = 2 * Math.PI * theta ** ((2 * i) / width);
    if (wavelength < context / high) return 1;
    if (wavelength > context / low) return factor;
    const smooth = (context / wavelength - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

describe('a table of frequency factors', () => {
  it.each([
    ['Llama 3.1 8B', [500_000, 128, 8, 1, 4, 8192]],
    ['Llama 3.2 1B', [500_000, 64, 32, 1, 4, 8192]],
    ['another original context', [10_000, 64, 8, 1, 4, 2048]],
  ] as const)('%s', (_name, [theta, width, factor, low, high, context]) => {
    expect(llama3Scaling(table(theta, width, factor, low, high, context), theta, width, 'x')).toEqual({
      rope_scaling: {
        ...{ rope_type: 'llama3', factor, low_freq_factor: low, high_freq_factor: high },
        original_max_position_embeddings: context,
      },
    });
  });

  it('gives the same table with other bounds: only their ratio to the context matters', () => {
    const { rope_scaling: found } = llama3Scaling(table(500_000, 128, 8, 2, 5, 4096), 500_000, 128, 'x') as {
      rope_scaling: Record<string, number>;
    };
    const again = table(
      ...([500_000, 128, found.factor!, found.low_freq_factor!, found.high_freq_factor!] as const),
      found.original_max_position_embeddings!,
    );
    for (const [i, value] of table(500_000, 128, 8, 2, 5, 4096).entries()) expect(again[i]).toBeCloseTo(value, 4);
  });

  it('of ones means no scaling, and an unknown pattern is refused', () => {
    expect(llama3Scaling(Float32Array.of(1, 1, 1, 1), 10_000, 8, 'x')).toEqual({});
    expect(() => llama3Scaling(Float32Array.of(1, 3, 2, 9), 10_000, 8, 'm.gguf, rope_freqs.weight')).toThrow(
      /not known/,
    );
    expect(() => llama3Scaling(Float32Array.of(1, 8), 10_000, 8, 'x')).toThrow(/not known/);
  });
});

it('reads scaling from metadata keys', () => {
  const from = (keys: Record<string, string | number>) =>
    scalingFromKeys(
      {
        text: (name) => (typeof keys[name] === 'string' ? (keys[name] as string) : null),
        number: (name) => (typeof keys[name] === 'number' ? (keys[name] as number) : null),
      },
      'x',
    );
  expect(from({})).toEqual({});
  expect(from({ 'rope.scaling.type': 'none', 'rope.scaling.factor': 4 })).toEqual({});
  expect(from({ 'rope.scale_linear': 4 })).toEqual({ rope_scaling: { rope_type: 'linear', factor: 4 } });
  expect(
    from({ 'rope.scaling.type': 'yarn', 'rope.scaling.factor': 4, 'rope.scaling.original_context_length': 32_768 }),
  ).toEqual({ rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32_768 } });
  expect(() => from({ 'rope.scaling.type': 'longrope' })).toThrow(/“longrope”/);
});
