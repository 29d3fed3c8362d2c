import { beforeEach, expect, it } from 'vitest';
import '../../stores/fake-session';

const { recipeIsUnsaved } = await import('../../../../src/app/components/runs/reuse');
const { changesFor, demos } = await import('../../../../src/stores/demos');
const { useRecipe } = await import('../../../../src/stores/recipe');
const { useRuns } = await import('../../../../src/stores/runs');
const { runRecord } = await import('../../stores/fake-session');

const first = useRecipe.getState();
beforeEach(() => {
  useRecipe.setState(first, true);
  useRuns.setState({ runs: [] });
});

it('nothing is lost of what a first visit opens on, nor of a demo', () => {
  expect(recipeIsUnsaved()).toBe(false);
  for (const demo of demos) {
    useRecipe.getState().set(changesFor(demo, useRecipe.getState().recipe));
    expect(recipeIsUnsaved()).toBe(false);
  }
});

it('a setting of one’s own would be lost, unless a run has it', () => {
  useRecipe.getState().set({ 'method.r': 8 });
  expect(recipeIsUnsaved()).toBe(true);
  useRuns.setState({ runs: [runRecord({ recipe: useRecipe.getState().recipe })] });
  expect(recipeIsUnsaved()).toBe(false);
});
