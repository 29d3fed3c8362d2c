/** Compares schedules with transformers' get_scheduler and ULMFiT's formula (tests/oracle/make_optim_fixtures.py). */
import { expect, test } from 'vitest';
import { type ScheduleSettings, scheduleFactor, warmupSteps } from '../../../src/engine/optim/schedules';
import type { LrSchedulerType } from '../../../src/recipe/types';
import { fixtureJson } from '../../fixture-files';

interface SchedulesJson {
  total_steps: number;
  learning_rate: number;
  schedules: (ScheduleSettings & { warmup_steps: number; rates: number[] })[];
  warmup_counts: { total_steps: number; warmup_ratio: number; warmup_steps: number }[];
}
const json = await fixtureJson<SchedulesJson>('optim/schedules.json');

const TYPES: Record<LrSchedulerType, true> = {
  constant: true,
  constant_with_warmup: true,
  linear: true,
  cosine: true,
  cosine_with_restarts: true,
  polynomial: true,
  inverse_sqrt: true,
  warmup_stable_decay: true,
  slanted_triangular: true,
};
const types = Object.keys(TYPES) as LrSchedulerType[];

test.each(json.schedules)('$lr_scheduler_type with warmup_ratio $warmup_ratio', (schedule) => {
  const { rates } = schedule;
  expect(rates.length).toBe(json.total_steps);
  expect(warmupSteps(json.total_steps, schedule.warmup_ratio)).toBe(schedule.warmup_steps);
  for (const [step, rate] of rates.entries()) {
    const own = json.learning_rate * scheduleFactor(schedule, step, json.total_steps);
    expect(Math.abs(own - rate), `step ${step}: ${own} and ${rate}`).toBeLessThan(1e-12);
  }
});

test('every schedule type is in the fixtures', () => {
  expect(new Set(json.schedules.map((s) => s.lr_scheduler_type))).toEqual(new Set(types));
});

test('warmup steps are rounded as in transformers', () => {
  expect(json.warmup_counts.length).toBeGreaterThan(0);
  for (const { total_steps, warmup_ratio, warmup_steps } of json.warmup_counts) {
    expect(warmupSteps(total_steps, warmup_ratio), `${warmup_ratio} of ${total_steps}`).toBe(warmup_steps);
  }
});

test.each(types)('%s stays within 0..1, even if the whole run is warmup or one step long', (lr_scheduler_type) => {
  const others = {
    lr_num_cycles: 3,
    lr_power: 0.5,
    lr_end_ratio: 0.1,
    lr_decay_ratio: 0.4,
    lr_cut_frac: 0.1,
    lr_ratio: 32,
  };
  for (const [warmup_ratio, total] of [
    [0, 1],
    [1, 1],
    [1, 5],
    [0, 7],
    [0.7, 10],
    [0.1, 15],
  ] as const) {
    for (let step = 0; step <= total; step++) {
      const factor = scheduleFactor({ lr_scheduler_type, warmup_ratio, ...others }, step, total);
      expect(factor >= 0 && factor <= 1, `${step} of ${total}, warmup ${warmup_ratio}: ${factor}`).toBe(true);
    }
  }
});

test('the slanted triangle stays at its lowest rate where rounding would take the paper’s formula below it', () => {
  const settings = {
    lr_scheduler_type: 'slanted_triangular',
    warmup_ratio: 0,
    lr_cut_frac: 0.1,
    lr_ratio: 32,
  } as const;
  // 15 steps: cut = 1 and 1 − (14 − 1)/9 < 0.
  expect(scheduleFactor(settings, 14, 15)).toBe(1 / 32);
  expect(scheduleFactor(settings, 1, 15)).toBe(1);
});
