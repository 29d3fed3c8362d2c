import { describe, expect, it } from 'vitest';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { RecipeInput } from '../../../src/recipe/types';
import { runName } from '../../../src/session/run-name';

const named = (input: Partial<RecipeInput>, ...taken: string[]) =>
  runName(resolveRecipe({ version: 1, ...input }), new Set(taken));

describe('the name of a new run', () => {
  it('says the data and the method', () => {
    expect(named({})).toBe('pirate-chat LoRA r16');
    expect(named({ method: { type: 'lora', r: 8 }, model: { quantization: 'nf4' } })).toBe('pirate-chat QLoRA r8');
    expect(named({ method: { type: 'full' } })).toBe('pirate-chat full fine-tuning');
    expect(named({ method: { type: 'p_tuning' } })).toMatch(/^pirate-chat P-tuning \d+$/);
  });

  it('is what a person called the recipe', () => {
    expect(named({ name: 'baseline' })).toBe('baseline');
  });

  it('has the next free number when it is taken', () => {
    expect(named({}, 'pirate-chat LoRA r16')).toBe('pirate-chat LoRA r16 · 2');
    expect(named({}, 'pirate-chat LoRA r16', 'pirate-chat LoRA r16 · 2')).toBe('pirate-chat LoRA r16 · 3');
    expect(named({ name: 'baseline' }, 'baseline', 'baseline · 3')).toBe('baseline · 2');
  });

  it('stays within the length of a name', () => {
    const long = 'x'.repeat(100);
    expect(named({ name: long }, long)).toBe(`${'x'.repeat(96)} · 2`);
  });
});
