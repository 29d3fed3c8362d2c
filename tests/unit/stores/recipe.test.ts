import { beforeEach, describe, expect, test } from 'vitest';
import './fake-session';

const { asWritten, useRecipe, withChanges } = await import('../../../src/stores/recipe');
const { changesFor, demos } = await import('../../../src/stores/demos');
const { hintsFor } = await import('../../../src/stores/hints');

const { input: first, recipe: firstRecipe } = useRecipe.getState();

beforeEach(() => useRecipe.getState().replace({ version: 1 }));

test('a first visitor finds texts to sort, with what suits the tiny model', () => {
  expect(first.dataset).toEqual({ source: 'builtin:feedback' });
  expect(firstRecipe.objective.type).toBe('sequence_classification');
  expect(firstRecipe.training).toMatchObject({
    ...{ learning_rate: 2e-3, per_device_train_batch_size: 8, gradient_accumulation_steps: 1 },
  });
});

test('a demo is chosen with one press, and the other with another', () => {
  const { replace, set } = useRecipe.getState();
  replace(first);
  set({ 'training.seed': 7 });
  set(changesFor(demos[1], firstRecipe));
  const { input, recipe, problems } = useRecipe.getState();
  expect(problems).toEqual([]);
  expect(recipe.dataset.source).toBe('builtin:pirate');
  expect(recipe.objective).toMatchObject({ type: 'sft' });
  // What else was set for training stays, as with any other dataset.
  expect(input.training).toEqual({ ...first.training, learning_rate: 1e-3, num_train_epochs: 1, seed: 7 });
  set(changesFor(demos[0], firstRecipe));
  expect(useRecipe.getState().recipe).toMatchObject({
    dataset: { source: 'builtin:feedback' },
    objective: { type: 'sequence_classification' },
    training: { learning_rate: 2e-3, num_train_epochs: 3, seed: 7 },
  });
});

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

describe('JSON', () => {
  const state = () => useRecipe.getState();

  test('broken text is kept while the fields change, and is not taken over by itself afterwards', () => {
    state().writeJson('{"version": 1, "training": {"seed": 11');
    expect(state().draft).toMatchObject({ broken: expect.any(String) });
    state().set({ 'dataset.source': 'file:dropped.csv' });
    expect(state().draft?.text).toBe('{"version": 1, "training": {"seed": 11');
    state().writeJson('{"version": 1, "training": {"seed": 11}}');
    // It would take the dropped file away: a person decides.
    expect(state().recipe.dataset.source).toBe('file:dropped.csv');
    expect(state().draft).toMatchObject({ broken: null });
    state().useDraft();
    expect(state().recipe.training.seed).toBe(11);
    expect(state().recipe.dataset.source).not.toBe('file:dropped.csv');
    expect(state().draft).toBe(null);
  });

  test('text that becomes whole again is taken over at once if nothing else has changed', () => {
    state().writeJson('{"version": 1,');
    expect(state().draft).not.toBe(null);
    state().writeJson('{"version": 1, "training": {"seed": 11}}');
    expect(state().draft).toBe(null);
    expect(state().recipe.training.seed).toBe(11);
  });

  test('one wrong field leaves all the others on the screen', () => {
    state().set({ 'training.learning_rate': 'fast' });
    const shown = asWritten(state()) as { training: Record<string, unknown>; method: unknown };
    expect(shown.training).toEqual({ ...state().recipe.training, learning_rate: 'fast' });
    expect(shown.method).toEqual(state().recipe.method);
  });

  test('a section of an unknown type stands as it was written', () => {
    state().writeJson('{"version": 1, "method": {"type": "lara", "r": 4}}');
    expect(asWritten(state())).toMatchObject({ method: { type: 'lara', r: 4 } });
    expect((asWritten(state()) as { method: object }).method).not.toHaveProperty('lora_alpha');
  });
});

test('a preset or a shared recipe is taken back as one step, until something else is changed', () => {
  const { set, apply, undo } = useRecipe.getState();
  set({ 'training.seed': 7 });
  const before = useRecipe.getState().input;
  apply('Somebody’s', { version: 1, training: { seed: 8, learning_rate: 1e-4 } });
  expect(useRecipe.getState().undoable?.what).toBe('Somebody’s');
  undo();
  expect(useRecipe.getState().input).toEqual(before);
  expect(useRecipe.getState().undoable).toBe(null);
  apply('Somebody’s', { version: 1 });
  set({ 'training.seed': 9 });
  expect(useRecipe.getState().undoable).toBe(null);
});
