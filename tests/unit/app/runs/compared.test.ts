import { describe, expect, it } from 'vitest';
import { groupings, groupsOf, lookOf, namesOf } from '../../../../src/app/components/runs/curves';
import { differencesAsText, differencesOf, shownValue } from '../../../../src/app/components/runs/differences';
import { resolveRecipe } from '../../../../src/recipe/defaults';
import type { RecipeInput } from '../../../../src/recipe/types';
import { runRecord } from '../../stores/fake-session';

const recipe = (input: Partial<RecipeInput> = {}) => resolveRecipe({ version: 1, ...input });
const run = (id: string, input: Partial<RecipeInput> = {}, tags?: string[]) =>
  runRecord({ id, name: id, recipe: recipe(input), ...(tags && { tags }) });

describe('recipes', () => {
  it('differ in the fields in which any of them does, but not in their names', () => {
    const all = [
      recipe({ name: 'a' }),
      recipe({ name: 'b', method: { type: 'lora', r: 8 } }),
      recipe({ training: { learning_rate: 1e-3 } }),
    ];
    expect(differencesOf(all)).toEqual([
      { path: 'method.r', label: expect.any(String), values: [16, 8, 16] },
      {
        path: 'training.learning_rate',
        label: 'Learning rate',
        values: [all[0]!.training.learning_rate, all[1]!.training.learning_rate, 1e-3],
      },
    ]);
    expect(differencesOf([recipe(), recipe()])).toEqual([]);
  });

  it('of another method lack its fields', () => {
    const differences = differencesOf([recipe(), recipe({ method: { type: 'full' } })]);
    const rank = differences.find(({ path }) => path === 'method.r')!;
    expect(rank.values).toEqual([16, undefined]);
    expect(shownValue('method.r', undefined)).toBe('–');
  });

  it('are written as text with the label of each field', () => {
    const all = [recipe(), recipe({ method: { type: 'lora', r: 8 } })];
    const differences = differencesOf(all);
    const { label } = differences[0]!;
    expect(differencesAsText(['one', 'two'], differences)).toBe(`method.r (${label})\n  one: 16\n  two: 8`);
  });

  it('show small numbers as rates and lists as JSON', () => {
    expect(shownValue('training.learning_rate', 2e-4)).toBe('2e-4');
    expect(shownValue('method.target_modules', ['q_proj'])).toBe('["q_proj"]');
  });
});

describe('curves', () => {
  const slow = run('slow', { training: { learning_rate: 1e-4 } }, ['keep']);
  const fast = run('fast', { training: { learning_rate: 1e-3 } });
  const quick = run('quick', { training: { learning_rate: 1e-3 }, method: { type: 'lora', r: 8 } });

  it('are grouped by what differs, one colour for each group and a dash for each run', () => {
    const values = groupings([slow, fast, quick]).map(({ value }) => value);
    expect(values).toEqual(['run', 'tags', 'method.r', 'training.learning_rate']);
    const groups = groupsOf([slow, fast, quick], 'training.learning_rate');
    expect(groups.map(({ label, runs }) => [label, runs.map(({ id }) => id)])).toEqual([
      ['Learning rate: 1e-4', ['slow']],
      ['Learning rate: 1e-3', ['fast', 'quick']],
    ]);
    expect(lookOf(1, 0).color).toBe(lookOf(1, 1).color);
    expect(lookOf(1, 0).dash).not.toEqual(lookOf(1, 1).dash);
  });

  it('of twelve runs all look different, without their colours too up to five', () => {
    const looks = Array.from({ length: 12 }, (_, i) => JSON.stringify(lookOf(i, 0)));
    expect(new Set(looks).size).toBe(12);
    const dashes = Array.from({ length: 5 }, (_, i) => JSON.stringify(lookOf(i, 0).dash));
    expect(new Set(dashes).size).toBe(5);
  });

  it('are of runs, if nothing differs any more', () => {
    expect(groupsOf([slow], 'training.learning_rate').map(({ label }) => label)).toEqual(['slow']);
    expect(groupsOf([slow, fast], 'tags').map(({ label }) => label)).toEqual(['keep', 'none']);
  });

  it('tell runs of one name apart by their date', () => {
    const [a, b, c] = namesOf([run('x'), { ...run('x'), createdAt: 1e12 }, run('y')]);
    expect(a).not.toBe(b);
    expect(a).toMatch(/^x, /);
    expect(c).toBe('y');
  });
});
