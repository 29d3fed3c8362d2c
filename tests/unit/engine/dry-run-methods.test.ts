/** The memory forecast for LoRA's variants, counted by hand, on a model with one layer. */
import { beforeAll, expect, test } from 'vitest';
import { llama } from '../../../src/families/llama';
import type { LoraMethod } from '../../../src/methods/lora';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { MethodSection } from '../../../src/recipe/types';
import { defineWebGpuNames } from '../../webgpu-names';

// tfjs's backend needs WebGPU's names when it is loaded.
let dryRun: typeof import('../../../src/engine/run/dry-run').dryRun;
beforeAll(async () => {
  defineWebGpuNames();
  ({ dryRun } = await import('../../../src/engine/run/dry-run'));
});

const [WIDTH, INNER, RANK] = [64, 256, 4];
const CONFIG = {
  model_type: 'llama',
  architectures: ['LlamaForCausalLM'],
  hidden_act: 'silu',
  hidden_size: WIDTH,
  intermediate_size: INNER,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  vocab_size: 128,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: false,
};
const { method, objective, training } = resolveRecipe({ version: 1 });
const LORA: LoraMethod = { ...(method as LoraMethod), r: RANK, target_modules: ['q_proj', 'down_proj'] };

const planned = async (section: MethodSection) =>
  dryRun({
    device: {
      vendor: '',
      architecture: '',
      software: false,
      features: [],
      limits: {
        maxBufferSize: 2 ** 32,
        maxStorageBufferBindingSize: 2 ** 31,
        maxStorageBuffersPerShaderStage: 8,
        maxComputeWorkgroupStorageSize: 16_384,
        maxComputeInvocationsPerWorkgroup: 256,
        maxComputeWorkgroupSizeX: 256,
        maxComputeWorkgroupsPerDimension: 65_535,
      },
    },
    config: CONFIG,
    tensors: llama
      .tensors(llama.readConfig(CONFIG))
      .filter(({ optional }) => !optional)
      .map(({ name, shape }) => [name, { dtype: 'BF16', shape }]),
    quantization: 'none',
    method: section,
    objective,
    task: null,
    base: 0,
    training,
    checkpointing: false,
    batches: [{ rows: 2, length: 64, targets: 100 }],
    evaluation: [],
    prompts: [],
  });

/** For q_proj and down_proj. */
const FACTORS = RANK * (WIDTH + WIDTH + INNER + WIDTH);
const MAGNITUDES = 2 * WIDTH;

test.each<[string, MethodSection, number]>([
  ['LoRA', LORA, FACTORS],
  ['a different rank for one module', { ...LORA, rank_pattern: { q_proj: 1 } }, FACTORS - 3 * 2 * WIDTH],
  ['DoRA', { ...LORA, use_dora: true }, FACTORS + MAGNITUDES],
  ['PiSSA', { ...LORA, init_lora_weights: 'pissa' }, FACTORS],
  ['PiSSA with DoRA', { ...LORA, init_lora_weights: 'pissa', use_dora: true }, FACTORS + MAGNITUDES],
  [
    '(IA)³',
    { type: 'ia3', target_modules: 'auto', feedforward_modules: 'auto', modules_to_save: [], init_adapter: null },
    2 * WIDTH + INNER,
  ],
  ['LoRA with a saved module', { ...LORA, modules_to_save: ['lm_head'] }, FACTORS + 128 * WIDTH],
])('%s', async (_name, section, trainable) => {
  const plan = await planned(section);
  expect(plan.refusal).toBeNull();
  expect(plan.trainableParameters).toBe(trainable);
});

test('PiSSA holds a second copy of the factors it started from, and DoRA a norm per row', async () => {
  const [plain, pissa, dora] = await Promise.all([
    (await planned(LORA)).parts.adapter,
    (await planned({ ...LORA, init_lora_weights: 'pissa' })).parts.adapter,
    (await planned({ ...LORA, use_dora: true })).parts.adapter,
  ]);
  expect(pissa - plain).toBe(4 * FACTORS);
  // The magnitudes and the squared norms, plus uniforms for the kernel that computes those.
  expect(dora - plain - 2 * 4 * MAGNITUDES).toBeGreaterThanOrEqual(0);
  expect(dora - plain - 2 * 4 * MAGNITUDES).toBeLessThan(64);
});
