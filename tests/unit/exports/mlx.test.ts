/** What mlx-lm cannot carry is refused, each with its reason and what to do instead. */
import { describe, expect, it } from 'vitest';
import type { Exported } from '../../../src/exports/export';
import { mlx } from '../../../src/exports/mlx';
import { vllmHint } from '../../../src/exports/readers';
import type { MethodType } from '../../../src/methods';
import type { ObjectiveType } from '../../../src/objectives';
import { resolveRecipe } from '../../../src/recipe/defaults';

function exported(
  method: { type: MethodType } & Record<string, unknown>,
  objective: ObjectiveType = 'sft',
  family = 'llama',
): Exported & { family: string } {
  const recipe = resolveRecipe({ version: 1, method, objective: { type: objective } });
  return { method: recipe.method, objective, family };
}
const lora = (more: Record<string, unknown> = {}) => ({ type: 'lora' as const, ...more });

describe('for mlx-lm', () => {
  it.each([
    ['LoRA', exported(lora())],
    ['rsLoRA with ranks of their own', exported(lora({ use_rslora: true, rank_pattern: { q_proj: 3 } }))],
    ['DoRA', exported(lora({ use_dora: true }))],
    ['PiSSA', exported(lora({ init_lora_weights: 'pissa' }))],
    ['preferences', exported(lora(), 'dpo')],
    ['Gemma 3', exported(lora(), 'sft', 'gemma3_text')],
  ])('%s is accepted', (_, what) => {
    expect(mlx.refusal(what)).toBeNull();
  });

  it.each([
    ['the model itself', exported({ type: 'full' }), /no separate adapter\. Export the model/],
    ['(IA)³', exported({ type: 'ia3' }), /nothing for IA³\. Export the merged model/],
    ['soft prompts', exported({ type: 'prompt_tuning' }), /nothing for Prompt tuning\. Export it in its own format/],
    ['bottlenecks', exported({ type: 'bottleneck' }), /nothing for Bottleneck adapters/],
    [
      'a classifier',
      exported(lora(), 'sequence_classification'),
      /no heads for labels or scores\. Export the adapter for PEFT/,
    ],
    ['a reward model', exported(lora(), 'reward'), /no heads for labels or scores/],
    ['a module in full', exported(lora({ modules_to_save: ['lm_head'] })), /trained in full \(`lm_head`\); merge/],
    ['GPT-2', exported(lora(), 'sft', 'gpt2'), /layers of GPT-2 otherwise\. Export the adapter for PEFT/],
    ['GPT-NeoX', exported(lora(), 'sft', 'gpt_neox'), /layers of GPT-NeoX otherwise/],
    ['an encoder', exported(lora(), 'masked_lm', 'bert'), /only writes text|none of this family/],
  ])('%s is refused', (_, what, why) => {
    expect(mlx.refusal(what)).toMatch(why);
  });
});

it('the screen names vLLM’s rank, or why there is none', () => {
  expect(vllmHint(exported(lora({ r: 12 })))).toBe('vLLM takes it with `--enable-lora --max-lora-rank 16`.');
  expect(vllmHint(exported(lora({ use_dora: true })))).toMatch(/^vLLM cannot use it: it knows no DoRA/);
  expect(vllmHint(exported(lora(), 'sft', 'gpt2'))).toMatch(/GPT-2 takes none/);
  // Ranks that no recipe has come from files.
  const wide = exported(lora());
  expect(vllmHint({ ...wide, method: { ...wide.method, r: 600 } as never })).toMatch(/largest rank is 512.*one of 600/);
  expect(vllmHint(exported(lora(), 'sequence_classification'))).toBe('');
  expect(vllmHint(exported({ type: 'ia3' }))).toBe('');
});
