/** The memory forecast for each optimiser, counted by hand, for an adapter on one linear layer. */
import { beforeAll, expect, test } from 'vitest';
import { llama } from '../../../src/families/llama';
import type { LoraMethod } from '../../../src/methods/lora';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { OptimizerName, TrainingSection } from '../../../src/recipe/types';
import { defineWebGpuNames } from '../../webgpu-names';

// tfjs's backend needs WebGPU's names when it is loaded.
let dryRun: typeof import('../../../src/engine/run/dry-run').dryRun;
/** For an optimiser without state: master copy, norms and metrics. */
let bare: number;
beforeAll(async () => {
  defineWebGpuNames();
  ({ dryRun } = await import('../../../src/engine/run/dry-run'));
  bare = await optimizerBytes({ optim: 'sgd', sgd_momentum: 0 });
});

const CONFIG = {
  model_type: 'llama',
  architectures: ['LlamaForCausalLM'],
  hidden_act: 'silu',
  hidden_size: 640,
  intermediate_size: 128,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  vocab_size: 512,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: true,
};
const { method, objective, training } = resolveRecipe({ version: 1 });

async function optimizerBytes(changes: Partial<TrainingSection>): Promise<number> {
  const { parts, refusal } = await dryRun({
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
    method: { ...(method as LoraMethod), r: 8, target_modules: ['q_proj'] },
    objective,
    task: null,
    base: 16,
    training: { ...training, ...changes },
    checkpointing: false,
    batches: [{ rows: 1, length: 32, targets: 20 }],
    evaluation: [],
    prompts: [],
  });
  expect(refusal).toBeNull();
  return parts.optimizer;
}

const VALUES = 2 * 8 * 640;

test.each<[OptimizerName, number]>([
  ['sgd', 4 * VALUES],
  ['lion', 4 * VALUES],
  ['adam', 8 * VALUES],
  ['adamw', 8 * VALUES],
  // Magnitudes of 40 blocks, and two tables of 256 codes.
  ['adamw_8bit', 2 * VALUES + 8 * 40 + 2048],
  // Rows and columns of A and B; a sum per row; a mean and a divisor per tensor, and its eight words.
  ['adafactor', 4 * (2 * 648 + 648 + 2 * 2 + 2 * 8)],
])('%s', async (optim, bytes) => {
  const taken = (await optimizerBytes({ optim, sgd_momentum: 0.9 })) - bare;
  // Buffers start at multiples of sixteen.
  expect(taken - bytes).toBeGreaterThanOrEqual(0);
  expect(taken - bytes).toBeLessThan(64);
});

test('the moving average takes one copy more', async () => {
  expect((await optimizerBytes({ optim: 'sgd', sgd_momentum: 0, ema_decay: 0.99 })) - bare).toBe(4 * VALUES);
});

test('a penalty keeps where the weights started, and EWC the Fisher information too', async () => {
  const taken = async (penalty: Partial<TrainingSection>) =>
    (await optimizerBytes({ optim: 'sgd', sgd_momentum: 0, ...penalty })) - bare;
  const l2 = await taken({ l2_sp_alpha: 1 });
  const ewc = await taken({ ewc_lambda: 1 });
  // Each has partial sums of the penalty besides, and their uniforms.
  expect(l2 - 4 * VALUES).toBeGreaterThanOrEqual(0);
  expect(l2 - 4 * VALUES).toBeLessThan(512);
  expect(ewc - l2).toBe(4 * VALUES);
});
