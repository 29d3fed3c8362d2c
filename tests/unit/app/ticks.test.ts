import { expect, test } from 'vitest';
import { nearestStep, ratePlot } from '../../../src/app/components/recipe/ratePlot';
import { ticksOf } from '../../../src/app/components/run/ticks';
import { lora } from '../../../src/methods/lora';
import { checkRecipe } from '../../../src/recipe/defaults';
import type { RecipeInput } from '../../../src/recipe/types';
import type { TestDrive } from '../../../src/session/api';

const drive = (change: Partial<TestDrive> = {}): TestDrive => ({
  ...{ secondsPerStep: 2, tokensPerSecond: 100, gpuBytes: 5e6, gradNorm: 1.5, finite: true },
  ...{ lossBefore: 3, lossAfter: 2.9, quicker: null },
  learned: { examples: 90, masked: 0, endless: 0 },
  ...change,
});
const recipeOf = (input: Partial<RecipeInput> = {}) =>
  checkRecipe({ version: 1, model: { source: 'file:own' }, ...input }).recipe!;
const forecast = { seconds: 120, totalBytes: 9e6, verdict: 'fits' as const };
const states = (change: Partial<TestDrive> = {}, input: Partial<RecipeInput> = {}) =>
  ticksOf(drive(change), recipeOf(input), forecast).map(({ id, state }) => `${id} ${state}`);
const tick = (id: string, change: Partial<TestDrive>, input: Partial<RecipeInput> = {}) =>
  ticksOf(drive(change), recipeOf(input), forecast).find((one) => one.id === id);

test('a drive in which all is well is a list of good ticks, with time and memory', () => {
  expect(states()).toEqual(['step good', 'memory good', 'attached good', 'ends good', 'learned good', 'rate good']);
  expect(tick('step', {})?.text).toBe('A step takes 2.0 s: about 2 min in all.');
  expect(tick('memory', {})?.text).toContain('5.0 MB of memory; the plan is 9.0 MB');
});

test('what fails says what to do', () => {
  expect(tick('attached', { gradNorm: 0, lossAfter: 3 })).toMatchObject({
    state: 'bad',
    action: expect.stringContaining('layers'),
  });
  expect(tick('attached', { gradNorm: 0 })?.state).toBe('bad');
  expect(tick('attached', { lossAfter: 3 })?.state).toBe('bad');
  expect(tick('attached', { finite: false })).toMatchObject({ state: 'bad', find: true });
  expect(tick('attached', { lossAfter: Number.NaN })?.state).toBe('bad');
  expect(tick('attached', { lossAfter: 4 })).toMatchObject({ state: 'warn', find: true });
});

test('an end that is not learned, and examples that are masked, are found', () => {
  const learned = (masked: number, endless: number | null) => ({ learned: { examples: 90, masked, endless } });
  expect(tick('ends', learned(0, 90))?.state).toBe('bad');
  expect(tick('ends', learned(0, 3))).toMatchObject({
    state: 'warn',
    text: expect.stringContaining('3 of 90 examples'),
  });
  // Where answers are not what is learned, nothing is said of their ends.
  expect(tick('ends', learned(0, null))).toBeUndefined();
  expect(tick('learned', learned(2, 0))?.state).toBe('warn');
  expect(tick('learned', learned(90, 0))?.state).toBe('bad');
  // A limit set by hand is one press away from what the memory allows.
  const short = { dataset: { source: 'builtin:pirate-chat', max_length: 16 } };
  expect(tick('ends', learned(0, 3), short)?.press?.changes).toEqual({ 'dataset.max_length': undefined });
  expect(tick('ends', learned(0, 3))?.press).toBeUndefined();
});

test('a rate outside the usual range is found, but not one that suits the model', () => {
  expect(tick('rate', {}, { training: { learning_rate: 0.01 } })).toMatchObject({ state: 'warn', find: true });
  expect(tick('rate', {}, { training: { learning_rate: 2e-4 } })?.state).toBe('good');
  const tiny = { model: { source: 'builtin:stories' }, training: { learning_rate: lora.tinyModelRate! } };
  expect(tick('rate', {}, tiny)).toMatchObject({
    state: 'good',
    text: expect.stringContaining('far smaller than those that usually take 1e-4 to 3e-4'),
  });
  // As the demo that needs less has it.
  const less = { ...tiny, training: { learning_rate: lora.tinyModelRate! / 2 } };
  expect(tick('rate', {}, less)?.state).toBe('good');
  const more = { ...tiny, training: { learning_rate: lora.tinyModelRate! * 10 } };
  expect(tick('rate', {}, more)?.state).toBe('warn');
});

test('a quicker division of the step is one press', () => {
  const quicker = { batchSize: 4, accumulation: 2, secondsPerStep: 1 };
  expect(tick('quicker', { quicker })?.press?.changes).toEqual({
    'training.per_device_train_batch_size': 4,
    'training.gradient_accumulation_steps': 2,
  });
});

test('memory that is tight is said with the ways to save it', () => {
  const tight = ticksOf(drive(), recipeOf(), { ...forecast, verdict: 'tight' });
  expect(tight.find(({ id }) => id === 'memory')).toMatchObject({ state: 'warn' });
});

test('the chart marks the suggestion and the present rate, where the test has been', () => {
  const points = [1e-5, 1e-4, 1e-3].map((rate, i) => ({ rate, loss: 3 - i, smoothed: 3 - i }));
  expect(nearestStep(points, 1.1e-4)).toBe(1);
  expect(nearestStep(points, 1)).toBeNull();
  expect(nearestStep([], 1)).toBeNull();
  const long = Array.from({ length: 30 }, (_, i) => ({ rate: 10 ** (-5 + i / 10), loss: 3, smoothed: 3 - i / 20 }));
  expect(ratePlot(long, 1e-4, 1e-3).marks?.map(({ step, value }) => [step, value])).toEqual([
    [10, 2.5],
    [20, 2],
  ]);
  // Side by side their words would lie over each other.
  expect(ratePlot(long, 1e-4, 2e-4).marks).toHaveLength(1);
  expect(ratePlot(long, null, 2e-4).marks).toHaveLength(1);
});
