import { beforeEach, expect, test } from 'vitest';
import './fake-session';

const { useRecipe, withChanges } = await import('../../../src/stores/recipe');
const { hintsFor } = await import('../../../src/stores/hints');

beforeEach(() => useRecipe.getState().replace({ version: 1 }));

test('a change is written at its path and resolved with the defaults', () => {
  useRecipe.getState().set({ 'training.num_train_epochs': 5, 'method.r': 8 });
  const { input, recipe, whole, problems } = useRecipe.getState();
  expect(input).toEqual({ version: 1, training: { num_train_epochs: 5 }, method: { type: 'lora', r: 8 } });
  expect(recipe.training.num_train_epochs).toBe(5);
  expect(recipe.method).toMatchObject({ lora_alpha: 32 });
  expect([whole, problems]).toEqual([true, []]);
});

test('undefined goes back to the default and leaves nothing behind', () => {
  const changed = withChanges({ version: 1 }, { 'training.seed': 7, name: 'mine' });
  expect(withChanges(changed, { 'training.seed': undefined, name: undefined })).toEqual({ version: 1 });
});

test('what is wrong stays as it was written, beside the last recipe that was whole', () => {
  useRecipe.getState().set({ 'method.r': 8 });
  useRecipe.getState().set({ 'method.r': 'eight' });
  const { input, recipe, whole, problems } = useRecipe.getState();
  expect(input.method).toMatchObject({ r: 'eight' });
  expect(recipe.method).toMatchObject({ r: 8 });
  expect(whole).toBe(false);
  expect(problems.map(({ where }) => where)).toEqual(['method.r']);
});

test('a model brings what suits it, and takes it away again unless it was changed', () => {
  const { set, reset } = useRecipe.getState();
  const rate = () => useRecipe.getState().recipe.training.learning_rate;
  reset();
  expect(rate()).toBe(2e-3);
  set({ 'model.source': 'file:own' });
  expect(rate()).toBe(2e-4);
  set({ 'model.source': 'builtin:stories' });
  expect(rate()).toBe(2e-3);
  set({ 'training.learning_rate': 1e-3 });
  set({ 'model.source': 'file:own' });
  expect(rate()).toBe(1e-3);
});

test('reset keeps what is trained on what', () => {
  useRecipe.getState().replace({
    version: 1,
    model: { source: 'file:own' },
    dataset: { source: 'file:replies.csv', format: 'labelled', max_length: 64 },
    training: { seed: 7 },
  });
  useRecipe.getState().reset();
  expect(useRecipe.getState().input).toEqual({
    version: 1,
    model: { source: 'file:own' },
    dataset: { source: 'file:replies.csv', format: 'labelled' },
  });
});

test('another method takes its own fields and its own learning rate', () => {
  const { reset, set } = useRecipe.getState();
  reset();
  set({ 'method.r': 8, 'training.learning_rate': 1e-3, 'training.seed': 7 });
  set({ 'method.type': 'bottleneck' });
  const { input, recipe, problems } = useRecipe.getState();
  expect(problems).toEqual([]);
  expect(input.method).toEqual({ type: 'bottleneck' });
  // A rate that was chosen for LoRA says nothing of another method; the rest stays.
  expect(input.training?.learning_rate).toBe(hintsFor(recipe)['training.learning_rate']);
  expect(recipe.training.seed).toBe(7);
  set({ 'method.type': undefined });
  expect(useRecipe.getState().recipe.method).toMatchObject({ type: 'lora', r: 16 });
  expect(useRecipe.getState().recipe.training.learning_rate).toBe(2e-3);
});

test('another objective keeps the method and brings its defaults', () => {
  const { reset, set } = useRecipe.getState();
  reset();
  set({ 'method.r': 8 });
  set({ 'objective.type': 'pretraining' });
  const { recipe, problems } = useRecipe.getState();
  expect(problems).toEqual([]);
  expect(recipe.objective).toEqual({ type: 'pretraining' });
  expect(recipe.method).toMatchObject({ r: 8 });
  expect(recipe.dataset.packing).toBe(true);
});
