/** What long texts cost in memory, at the shapes of real models, on a device that only counts. */
import { beforeAll, expect, test } from 'vitest';
import type { DryRunResult } from '../../../src/engine/run/dry-run';
import { familyOf } from '../../../src/families';
import { resolveRecipe } from '../../../src/recipe/defaults';
import { LIMITS } from '../../labelled-device';
import { defineWebGpuNames } from '../../webgpu-names';

// tfjs's backend needs WebGPU's names when it is loaded.
let dryRun: typeof import('../../../src/engine/run/dry-run').dryRun;
beforeAll(async () => {
  defineWebGpuNames();
  ({ dryRun } = await import('../../../src/engine/run/dry-run'));
});

const COMMON = { hidden_act: 'silu', rms_norm_eps: 1e-6, rope_theta: 1e6, tie_word_embeddings: true };
/** Sizes from the models' config.json on the Hub. */
const MODELS = {
  'SmolLM2-135M': {
    ...{ ...COMMON, model_type: 'llama', max_position_embeddings: 8192, vocab_size: 49_152 },
    ...{ hidden_size: 576, intermediate_size: 1536, num_hidden_layers: 30 },
    ...{ num_attention_heads: 9, num_key_value_heads: 3 },
  },
  'Qwen2.5-1.5B': {
    ...{ ...COMMON, model_type: 'qwen2', max_position_embeddings: 32_768, vocab_size: 151_936 },
    ...{ hidden_size: 1536, intermediate_size: 8960, num_hidden_layers: 28 },
    ...{ num_attention_heads: 12, num_key_value_heads: 2 },
  },
  'Llama-3.2-3B': {
    ...{ ...COMMON, model_type: 'llama', max_position_embeddings: 131_072, vocab_size: 128_256 },
    ...{ hidden_size: 3072, intermediate_size: 8192, num_hidden_layers: 28, head_dim: 128 },
    ...{ num_attention_heads: 24, num_key_value_heads: 8 },
  },
  'SmolLM3-3B': {
    ...{ ...COMMON, model_type: 'smollm3', max_position_embeddings: 65_536, vocab_size: 128_256 },
    ...{ hidden_size: 2048, intermediate_size: 11_008, num_hidden_layers: 36, no_rope_layer_interval: 4 },
    ...{ num_attention_heads: 16, num_key_value_heads: 4 },
  },
};
type Name = keyof typeof MODELS;

const { method, objective, training } = resolveRecipe({ version: 1 });

/** The default recipe on texts of so many tokens, all of them learned from, with the base in 4 bits. */
function run(name: Name, length: number, checkpointing: boolean): Promise<DryRunResult> {
  const config: Record<string, unknown> = MODELS[name];
  const family = familyOf(config);
  const rows = training.per_device_train_batch_size;
  return dryRun({
    device: { vendor: 'nvidia', architecture: 'ada', software: false, features: [], limits: LIMITS },
    config,
    tensors: family
      .tensors(family.readConfig(config))
      .filter(({ optional }) => !optional)
      .map(({ name: tensor, shape }) => [tensor, { dtype: 'BF16', shape }]),
    quantization: 'nf4',
    ...{ method, objective, training, checkpointing, task: null, base: 0 },
    batches: [{ rows, length, targets: rows * (length - 1) }],
    ...{ evaluation: [], prompts: [] },
  });
}

const GB = 1e9;

test.each<[Name, number]>([
  ['Qwen2.5-1.5B', 2.5],
  ['Llama-3.2-3B', 4.5],
  ['SmolLM3-3B', 4.5],
])('QLoRA of %s at length 512, batch 2, with checkpointing: at most %f GB', async (name, most) => {
  const { bytes, parts, refusal } = await run(name, 512, true);
  console.info(
    `${name}, length 512: ${(bytes / GB).toFixed(2)} GB, activations ${(parts.activations / GB).toFixed(2)} GB`,
  );
  expect(bytes).toBeLessThanOrEqual(most * GB);
  expect(refusal).toBeNull();
});

test.each<[Name, boolean]>([
  ['SmolLM2-135M', false],
  ['SmolLM2-135M', true],
  ['Qwen2.5-1.5B', false],
  ['Qwen2.5-1.5B', true],
  ['Llama-3.2-3B', true],
])('%s, checkpointing %s: length 1,024 costs at most 2.2 times of 512', async (name, checkpointing) => {
  const [short, long] = [await run(name, 512, checkpointing), await run(name, 1024, checkpointing)];
  const beside = ({ bytes, parts }: DryRunResult) => bytes - parts.weights;
  const ratios = {
    activations: long.parts.activations / short.parts.activations,
    besideWeights: beside(long) / beside(short),
    total: long.bytes / short.bytes,
  };
  console.info(`${name}, checkpointing ${checkpointing}:`, ratios);
  for (const ratio of Object.values(ratios)) expect(ratio).toBeLessThanOrEqual(2.2);
  // Longer texts do cost more; otherwise the widest batch was not run.
  expect(ratios.activations).toBeGreaterThan(1.3);
});

test('what is cheap to compute is kept up to 512 MiB, and computed again beyond', async () => {
  // Of each layer: two norms' outputs, and silu(gate) · up.
  const cheap = 28 * 4 * (2 * 1536 + 8960);
  const tokens = (length: number) => training.per_device_train_batch_size * length;
  const { activations: at512 } = (await run('Qwen2.5-1.5B', 512, false)).parts;
  const { activations: at1024 } = (await run('Qwen2.5-1.5B', 1024, false)).parts;
  // Of each layer beside these: its input, q, k, v, attention's output, the sum after attention, gate and up.
  const dear = 28 * 4 * (4 * 1536 + 2 * 256 + 2 * 8960);
  expect(cheap * tokens(512)).toBeGreaterThan(2 ** 29);
  expect((at1024 - at512) / tokens(512) / dear).toBeCloseTo(1, 0);
  expect((at1024 - at512) / tokens(512)).toBeLessThan(1.2 * dear);
});
