import { describe, expect, it } from 'vitest';
import type { Exported } from '../../../../src/exports/export';
import { ggufAdapter } from '../../../../src/exports/gguf/adapter';
import { resolveRecipe } from '../../../../src/recipe/defaults';

const exported = (method: Record<string, unknown>, objective = 'sft', family = 'llama'): Exported => {
  const recipe = resolveRecipe({ version: 1, method, objective: { type: objective } } as Parameters<
    typeof resolveRecipe
  >[0]);
  return { method: recipe.method, objective: recipe.objective.type, family };
};

describe('a GGUF adapter', () => {
  it.each([
    ['LoRA', { type: 'lora' }, 'sft', 'llama'],
    [
      'rsLoRA with ranks and alphas of its own',
      { type: 'lora', use_rslora: true, rank_pattern: { v_proj: 4 } },
      'dpo',
      'gpt2',
    ],
    ['PiSSA', { type: 'lora', init_lora_weights: 'pissa' }, 'pretraining', 'gpt_neox'],
  ])('takes %s', (_, method, objective, family) => {
    expect(ggufAdapter.refusal(exported(method, objective, family))).toBeNull();
  });

  it.each([
    ['DoRA', { type: 'lora', use_dora: true }, 'sft', 'llama', 'it knows no DoRA; merge the adapter into its model.'],
    ['modules trained in full', { type: 'lora', modules_to_save: ['lm_head'] }, 'sft', 'llama', '`lm_head`'],
    ['(IA)³', { type: 'ia3' }, 'sft', 'llama', 'nothing for IA³. Export the merged model as GGUF.'],
    ['prompts', { type: 'prompt_tuning' }, 'sft', 'llama', 'nothing for Prompt tuning. Export it in its own format.'],
    ['prefixes', { type: 'prefix_tuning' }, 'sft', 'llama', 'Export it in its own format.'],
    ['bottlenecks', { type: 'bottleneck' }, 'sft', 'llama', 'Export it in its own format.'],
    ['trained models', { type: 'full' }, 'sft', 'llama', 'Export the model as GGUF.'],
    ['classifiers', { type: 'lora' }, 'sequence_classification', 'llama', 'no place for a head'],
    ['reward models', { type: 'lora' }, 'reward', 'qwen3', 'no place for a head'],
    ['encoders', { type: 'lora' }, 'masked_lm', 'bert', 'only to embed texts'],
  ])('refuses %s', (_, method, objective, family, message) => {
    expect(ggufAdapter.refusal(exported(method, objective, family))).toContain(message);
  });

  it('has a name that says what it is, once', () => {
    expect(ggufAdapter.fileName('pirate', exported({ type: 'lora' }))).toBe('pirate-LoRA.gguf');
    expect(ggufAdapter.fileName('pirate-LoRA-r16', exported({ type: 'lora' }))).toBe('pirate-LoRA-r16.gguf');
  });
});
