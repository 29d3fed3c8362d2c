/** What objectives that compare answers, or write them themselves, take of the GPU's memory. */
import { beforeAll, expect, test } from 'vitest';
import type { DryRun } from '../../../src/engine/run/dry-run';
import { llama } from '../../../src/families/llama';
import { objectives, paceOf } from '../../../src/objectives';
import { resolveRecipe } from '../../../src/recipe/defaults';
import { LIMITS } from '../../labelled-device';
import { defineWebGpuNames } from '../../webgpu-names';

// tfjs's backend needs WebGPU's names when it is loaded.
let dryRun: typeof import('../../../src/engine/run/dry-run').dryRun;
beforeAll(async () => {
  defineWebGpuNames();
  ({ dryRun } = await import('../../../src/engine/run/dry-run'));
});

/** Eight thin blocks. */
const TINY = {
  model_type: 'llama',
  architectures: ['LlamaForCausalLM'],
  hidden_act: 'silu',
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 8,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 512,
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
  rope_theta: 100_000,
  tie_word_embeddings: true,
};

const { method, objective, training } = resolveRecipe({ version: 1 });
const section = (given: object) =>
  // Whole groups of answers a step, however large.
  resolveRecipe({ version: 1, objective: given as never, training: { gradient_accumulation_steps: 64 } }).objective;

function planOf(changes: Partial<DryRun> = {}): DryRun {
  return {
    device: {
      vendor: 'nvidia',
      architecture: 'ada',
      software: false,
      features: [],
      limits: LIMITS,
    },
    config: TINY,
    tensors: llama
      .tensors(llama.readConfig(TINY))
      .filter(({ optional }) => !optional)
      .map(({ name, shape }) => [name, { dtype: 'BF16', shape }]),
    quantization: 'none',
    method,
    objective,
    task: null,
    base: 0,
    training,
    checkpointing: false,
    batches: [{ rows: 2, length: 128, targets: 200 }],
    evaluation: [],
    prompts: [],
    ...changes,
  };
}

test('pairs take the activations of twice as many texts, and little more for the reference', async () => {
  const texts = await dryRun(planOf({ batches: [{ rows: 4, length: 128, targets: 400 }] }));
  const pairs = await dryRun(
    planOf({ objective: section({ type: 'dpo' }), batches: [{ rows: 2, length: 128, targets: 400 }] }),
  );
  const ratio = pairs.parts.activations / texts.parts.activations;
  // The losses themselves hold different tensors beside the same logits: 1 % less than that of written answers was counted.
  expect(ratio).toBeGreaterThan(0.97);
  expect(ratio).toBeLessThan(1.15);
  expect(pairs.parts.optimizer).toBe(texts.parts.optimizer);
});

test('judged answers take far less than twice as many texts: mismatched ones are read without a gradient', async () => {
  const texts = await dryRun(planOf({ batches: [{ rows: 4, length: 128, targets: 400 }] }));
  const answers = await dryRun(
    planOf({ objective: section({ type: 'kto' }), batches: [{ rows: 4, length: 128, targets: 800 }] }),
  );
  const ratio = answers.parts.activations / texts.parts.activations;
  expect(ratio).toBeGreaterThan(1);
  // A pass without a gradient leaves buffers behind, which are free to be used again.
  expect(ratio).toBeLessThan(1.5);
});

const grpo = (given: object, rows: number, changes: Partial<DryRun> = {}) =>
  dryRun(
    planOf({
      objective: section({ type: 'grpo', rewards: [{ type: 'length' }], ...given }),
      training: { ...training, per_device_train_batch_size: rows },
      stepsPerBatch: 1,
      batches: [{ rows: 2, length: 32, targets: 2 }],
      ...changes,
    }),
  );

/** What TRL calls the longest answer, trainer by trainer. */
const LONGEST = ['max_completion_length', 'max_new_tokens', 'response_length'];

test.each(
  objectives.flatMap(({ type, answerTokens, fields }) => {
    const longest = LONGEST.find((name) => name in fields);
    return answerTokens && longest ? [[type, longest] as const] : [];
  }),
)('%s: what it does between two steps can be gone through', async (type, longest) => {
  const given = { type, [longest]: 32, rewards: [{ type: 'length' }] };
  const training = { per_device_train_batch_size: 4, gradient_accumulation_steps: 2 };
  const recipe = resolveRecipe({ version: 1, objective: given as never, training });
  const { examples, steps } = paceOf(recipe.objective, recipe.training)!;
  const { parts, bytes } = await dryRun(
    planOf({
      objective: recipe.objective,
      training: recipe.training,
      stepsPerBatch: steps,
      batches: [{ rows: examples, length: 32, targets: examples }],
      evaluation: [{ rows: 2, length: 32, targets: 2 }],
    }),
  );
  // At least one answer of full length is learned from.
  const text = await dryRun(planOf({ batches: [{ rows: 1, length: 64, targets: 32 }] }));
  expect(parts.activations + parts.logits + parts.cache).toBeGreaterThan(text.parts.activations);
  expect(bytes).toBeGreaterThan(text.bytes);
});

test('every objective that answers prompts is among them', () => {
  for (const { type, answerTokens, fields } of objectives) {
    if (answerTokens)
      expect(
        LONGEST.filter((name) => name in fields),
        type,
      ).toHaveLength(1);
  }
});

test('prompts take the activations of their answers, micro-batch by micro-batch', async () => {
  const answers = await grpo({ num_generations: 4, max_completion_length: 96 }, 4);
  const texts = await dryRun(planOf({ batches: [{ rows: 4, length: 128, targets: 4 * 96 }] }));
  expect(answers.bytes / texts.bytes).toBeGreaterThan(1);
  expect(answers.bytes / texts.bytes).toBeLessThan(1.15);
  const longer = await grpo({ num_generations: 4, max_completion_length: 224 }, 4);
  expect(longer.bytes / answers.bytes).toBeCloseTo(2, 0);
});

test('the cache of all answers that are written at once is in it', async () => {
  const few = await grpo({ num_generations: 2, max_completion_length: 480 }, 1);
  const many = await grpo({ num_generations: 32, max_completion_length: 480 }, 1);
  // 64 answers of 512 tokens: keys and values of two heads of 16, in eight blocks, in f32.
  const cache = 64 * 512 * 2 * 2 * 16 * 8 * 4;
  const { weights, adapter, gradients, optimizer } = many.parts;
  expect(many.bytes - weights - adapter - gradients - optimizer).toBeGreaterThan(cache);
  expect(few.bytes).toBeLessThan(cache);
  // Evaluations write answers, too: the cache of eight stays behind, free to be used again.
  const held = await grpo({ num_generations: 32, max_completion_length: 480 }, 1, {
    evaluation: [{ rows: 8, length: 32, targets: 8 }],
  });
  expect(held.bytes / many.bytes).toBeLessThan(1.15);
});
