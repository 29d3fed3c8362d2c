import { expect, test } from 'vitest';
import { defaultRecipe } from '../../../src/recipe/defaults';
import {
  isTarget,
  type LlamaShape,
  llamaLinears,
  loraMemory,
  loraParameters,
  stepsPerEpoch,
  totalBytes,
  totalSteps,
} from '../../../src/recipe/forecast';

const { training } = defaultRecipe();

test('steps are counted as transformers counts them', () => {
  const steps = (examples: number, batch: number, accumulation: number) =>
    stepsPerEpoch(examples, { per_device_train_batch_size: batch, gradient_accumulation_steps: accumulation });
  expect(steps(100, 2, 4)).toBe(13); // 50 micro-batches, the last step has two of them
  expect(steps(101, 2, 4)).toBe(13);
  expect(steps(1, 8, 8)).toBe(1);
  expect(steps(0, 2, 4)).toBe(0);
  expect(totalSteps(100, training)).toBe(39);
  expect(totalSteps(100, { ...training, num_train_epochs: 0.5 })).toBe(7);
  expect(totalSteps(100, { ...training, max_steps: 5 })).toBe(5);
});

test('targets match by the end of the path, as in PEFT', () => {
  expect(isTarget('model.layers.0.self_attn.q_proj', ['q_proj'])).toBe(true);
  expect(isTarget('model.layers.0.self_attn.q_proj', ['self_attn.q_proj'])).toBe(true);
  expect(isTarget('model.layers.0.self_attn.q_proj', ['proj'])).toBe(false);
  expect(isTarget('model.layers.0.self_attn.q_proj', 'all-linear')).toBe(true);
  expect(isTarget('lm_head', 'all-linear')).toBe(false);
  expect(isTarget('lm_head', ['lm_head'])).toBe(true);
});

// SmolLM2-135M, from its config.json.
const smol = { hidden: 576, intermediate: 1536, layers: 30, heads: 9, kvHeads: 3 };
const shape: LlamaShape = { ...smol, vocab: 49152, bytesOfWeights: 269_030_016, linears: llamaLinears(smol) };

test('trainable parameters of LoRA r 16 on SmolLM2-135M', () => {
  // By hand, a block: q 16·(576+576), k and v 16·(576+192), o 16·(576+576), gate, up and down 16·(576+1536).
  const block = 16 * (1152 + 2 * 768 + 1152 + 3 * 2112);
  expect(loraParameters(shape.linears, { r: 16, target_modules: 'all-linear' })).toBe(30 * block);
  expect(loraParameters(shape.linears, { r: 8, target_modules: ['q_proj', 'v_proj'] })).toBe(30 * 8 * (1152 + 768));
});

test('memory grows with what it should grow with', () => {
  const method = { r: 16, target_modules: 'all-linear' as const };
  const small = loraMemory(shape, method, { rows: 1, length: 256 });
  const wide = loraMemory(shape, method, { rows: 2, length: 512 });
  expect(small.weights).toBe(269_030_016);
  expect(small.adapter).toBe(2 * 4 * 30 * 16 * 10176);
  expect(small.optimizer).toBe(small.adapter);
  expect(wide.activations).toBe(4 * small.activations);
  expect(wide.logits).toBe(small.logits); // a chunk of tokens at a time
  expect(totalBytes(small)).toBe(small.weights + small.adapter + small.optimizer + small.activations + small.logits);
});
