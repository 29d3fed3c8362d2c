import { describe, expect, it } from 'vitest';
import { supportedFamilies } from '../../../src/families';
import type { ShelfModel } from '../../../src/hub/descriptions';
import { parametersOf, shelf, shelfModels } from '../../../src/hub/shelf';

/** Sizes of model.safetensors on the Hub, where known for certain. */
const FILE_SIZES: Record<string, number> = {
  'HuggingFaceTB/SmolLM2-135M-Instruct': 269_060_552,
  'Qwen/Qwen3-0.6B': 1_503_300_328,
  'openai-community/gpt2': 548_105_171,
  'distilbert/distilbert-base-uncased': 267_954_768,
};
/** Parameter counts from the Hub, without tensors stored twice. */
const COUNTED: Record<string, number> = {
  'HuggingFaceTB/SmolLM2-135M-Instruct': 134_515_008,
  'HuggingFaceTB/SmolLM2-135M': 134_515_008,
  'HuggingFaceTB/SmolLM2-360M-Instruct': 361_821_120,
  'Qwen/Qwen2.5-0.5B-Instruct': 494_032_768,
  'Qwen/Qwen3-0.6B': 596_049_920,
  'google/gemma-3-270m-it': 268_098_176,
  'meta-llama/Llama-3.2-1B-Instruct': 1_235_814_400,
  'TinyLlama/TinyLlama-1.1B-Chat-v1.0': 1_100_048_384,
  'openai-community/gpt2': 124_439_808,
  'EleutherAI/pythia-70m': 70_426_624,
  // Without the pooler, which sentence embeddings do not need.
  'sentence-transformers/all-MiniLM-L6-v2': 22_713_216 - 384 * 384 - 384,
};

describe('the shelf', () => {
  const known = shelf.filter(({ config }) => supportedFamilies.includes(config.model_type as string));

  it.each(known.map((entry) => [entry.id, entry] as const))(
    '%s has the parameter count that the Hub reports',
    (id, entry) => {
      const parameters = parametersOf(entry.config);
      if (COUNTED[id] !== undefined) expect(parameters).toBe(COUNTED[id]);
      else expect(parameters).toBeGreaterThan(1_000_000);
    },
  );

  it('knows the download sizes', async () => {
    const models = await shelfModels({ isDownloaded: async () => false, plan: async () => [] });
    for (const { id, bytes } of models) {
      if (FILE_SIZES[id] !== undefined) expect(Math.abs(bytes / FILE_SIZES[id] - 1), id).toBeLessThan(0.001);
    }
  });

  it('gives size, licence and download state at once, without the network, and the plans later', async () => {
    const later: ShelfModel[][] = [];
    const models = await shelfModels(
      {
        isDownloaded: async (source) => source === 'hf:Qwen/Qwen2.5-0.5B-Instruct',
        plan: async ({ dtype, config }) => {
          if (config.model_type === 'gemma3_text') throw new Error('cannot be planned');
          return [{ quantization: 'none', weightBytes: dtype.length, totalBytes: 11, verdict: 'fits' }];
        },
      },
      (planned) => later.push(planned),
    );
    expect(models.map(({ id }) => id)).toEqual(known.map(({ id }) => id));
    expect(models.every(({ precisions }) => precisions.length === 0)).toBe(true);
    expect(models.filter(({ downloaded }) => downloaded).map(({ id }) => id)).toEqual(['Qwen/Qwen2.5-0.5B-Instruct']);
    expect(models[0]).toMatchObject({
      source: 'hf:HuggingFaceTB/SmolLM2-135M-Instruct',
      licence: 'apache-2.0',
      parameters: 134_515_008,
      bytes: 269_030_016,
      gated: false,
      downloaded: false,
    });
    expect(models.filter(({ gated }) => gated).map(({ licence }) => licence)).not.toContain('apache-2.0');

    // Each plan is reported when it is ready. A failed plan leaves its card without one.
    await expect.poll(() => later.length).toBe(known.length - 1);
    expect(later[0]![0]!.precisions).toEqual([
      { quantization: 'none', weightBytes: 4, totalBytes: 11, verdict: 'fits' },
    ]);
    expect(later[0]![1]!.precisions).toEqual([]);
    const without = later.at(-1)!.filter(({ precisions }) => precisions.length === 0);
    expect(without.map(({ id }) => id)).toEqual(['google/gemma-3-270m-it']);
  });
});
