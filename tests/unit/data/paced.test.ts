import { expect, test } from 'vitest';
import { paced } from '../../../src/data/paced';

/** Steps of about a millisecond. */
function* counting(to: number): Generator<number, string> {
  for (let i = 0; i < to; i++) {
    yield i;
    const until = performance.now() + 1;
    while (performance.now() < until);
  }
  return 'done';
}

test('says how far it is, lets others in, and ends', async () => {
  const told: number[] = [];
  let others = 0;
  const timer = setInterval(() => others++, 1);
  expect(await paced(counting(120), 120, (done) => told.push(done))).toBe('done');
  clearInterval(timer);
  expect(told.length).toBeGreaterThan(0);
  expect(told).toEqual([...told].sort((a, b) => a - b));
  expect(others).toBeGreaterThan(0);
});

test('stops when it is told to', async () => {
  const controller = new AbortController();
  let last = 0;
  const work = paced(
    counting(100_000),
    100_000,
    (done) => {
      last = done;
      controller.abort();
    },
    controller.signal,
  );
  await expect(work).rejects.toMatchObject({ code: 'cancelled' });
  expect(last).toBeLessThan(1000);
});
