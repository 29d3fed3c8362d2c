/** Against transformers' get_scheduler (tests/oracle/make_optim_fixtures.py). */
import { expect, test } from 'vitest';
import { scheduleFactor, warmupSteps } from '../../../src/engine/optim/schedules';
import type { LrSchedulerType } from '../../../src/recipe/types';
import { fixtureJson } from '../../fixture-files';

interface SchedulesJson {
  total_steps: number;
  learning_rate: number;
  schedules: { lr_scheduler_type: LrSchedulerType; warmup_ratio: number; warmup_steps: number; rates: number[] }[];
  warmup_counts: { total_steps: number; warmup_ratio: number; warmup_steps: number }[];
}
const json = await fixtureJson<SchedulesJson>('optim/schedules.json');

test.each(json.schedules)('$lr_scheduler_type with warmup_ratio $warmup_ratio', (schedule) => {
  const { lr_scheduler_type: type, warmup_ratio, rates } = schedule;
  const warmup = warmupSteps(json.total_steps, warmup_ratio);
  expect(rates.length).toBe(json.total_steps);
  expect(warmup).toBe(schedule.warmup_steps);
  for (const [step, rate] of rates.entries()) {
    const own = json.learning_rate * scheduleFactor(type, step, warmup, json.total_steps);
    expect(Math.abs(own - rate), `step ${step}: ${own} and ${rate}`).toBeLessThan(1e-12);
  }
});

test('every schedule type is among the fixtures', () => {
  expect(new Set(json.schedules.map((s) => s.lr_scheduler_type))).toEqual(
    new Set<LrSchedulerType>(['constant', 'constant_with_warmup', 'linear', 'cosine']),
  );
});

test('warm-up steps are rounded as transformers rounds them', () => {
  expect(json.warmup_counts.length).toBeGreaterThan(0);
  for (const { total_steps, warmup_ratio, warmup_steps } of json.warmup_counts) {
    expect(warmupSteps(total_steps, warmup_ratio), `${warmup_ratio} of ${total_steps}`).toBe(warmup_steps);
  }
});

test('no schedule leaves 0..1, also where all of a run is warm-up or one step long', () => {
  for (const type of ['constant', 'constant_with_warmup', 'linear', 'cosine'] as const) {
    for (const [warmup, total] of [
      [0, 1],
      [1, 1],
      [5, 5],
      [0, 7],
    ] as const) {
      for (let step = 0; step <= total; step++) {
        const factor = scheduleFactor(type, step, warmup, total);
        expect(factor >= 0 && factor <= 1, `${type} ${step} of ${total}, warm-up ${warmup}: ${factor}`).toBe(true);
      }
    }
  }
});
