import { expect, it } from 'vitest';
import { Meter, secondsLeft } from '../../../src/hub/meter';

function meter() {
  let time = 0;
  const subject = new Meter(() => time);
  return (seconds: number, loaded: number) => {
    time = seconds * 1000;
    return subject.add(loaded);
  };
}

it('gives no rate at first, and does not count bytes that were already there', () => {
  const at = meter();
  expect(at(0, 5_000_000)).toBeNull();
  expect(at(0.5, 5_900_000)).toBeNull();
  expect(at(1, 6_000_000)).toBe(1_000_000);
});

it('averages the last few seconds, so bursts are smoothed and a silent connection shows', () => {
  const at = meter();
  for (let second = 0; second <= 20; second++) at(second, second * 100 + (second % 2) * 50);
  // From 1550 to 2100 in six seconds.
  expect(at(21, 2100)).toBeCloseTo(550 / 6, 5);
  for (let second = 22; second < 30; second++) at(second, 2100);
  expect(at(30, 2100)).toBe(0);
});

it('starts over when a file is fetched again', () => {
  const at = meter();
  at(0, 0);
  expect(at(2, 2000)).toBe(1000);
  expect(at(3, 100)).toBeNull();
  expect(at(5, 300)).toBe(100);
});

it('gives the time left if there is a rate', () => {
  expect(secondsLeft(100, 250)).toBe(2.5);
  expect(secondsLeft(0, 250)).toBeNull();
  expect(secondsLeft(null, 250)).toBeNull();
});
