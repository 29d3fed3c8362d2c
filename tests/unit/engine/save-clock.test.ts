/** When a run saves by itself: often enough to lose little, seldom enough to cost little. */
import { expect, test } from 'vitest';
import { SaveClock } from '../../../src/engine/run/save-clock';

function clockAt() {
  let now = 0;
  const clock = new SaveClock(() => now);
  return {
    clock,
    pass: (seconds: number) => {
      now += seconds;
    },
    save: (seconds: number) =>
      clock.time(async () => {
        now += seconds;
      }),
  };
}

test('saves before 30 seconds of training could be lost, counting the step to come', async () => {
  const { clock, pass, save } = clockAt();
  pass(27);
  expect(clock.due(2)).toBe(false);
  expect(clock.due(4)).toBe(true);
  expect(await save(0.2)).toBeCloseTo(0.2);
  expect(clock.every).toBe(30);
  expect(clock.due(29)).toBe(false);
});

test('the seconds that a save takes can be lost too', async () => {
  const { clock, pass, save } = clockAt();
  await save(1);
  pass(26);
  expect(clock.due(2)).toBe(false);
  pass(1.5);
  expect(clock.due(2)).toBe(true);
});

test('a step that takes longer than the interval is saved at once', async () => {
  const { clock, pass, save } = clockAt();
  pass(50);
  await save(1);
  pass(50);
  expect(clock.due(50)).toBe(true);
});

test('slow saves come so seldom that they take at most a twentieth of the time, whoever asks for them', async () => {
  const { clock, pass, save } = clockAt();
  pass(29);
  await save(12);
  expect(clock.every).toBe(240);
  pass(228);
  expect(clock.due(2)).toBe(false);
  expect(clock.affordable).toBe(false);
  pass(12);
  expect(clock.due(2)).toBe(true);
  expect(clock.affordable).toBe(true);
  // A quick one lets the interval shrink again.
  await save(0.5);
  expect(clock.every).toBe(30);
  expect(clock.affordable).toBe(true);
});

test('a pause is no training', () => {
  const { clock, pass } = clockAt();
  pass(1000);
  clock.restart();
  expect(clock.due(2)).toBe(false);
});
