import { expect, test } from 'vitest';
import { GpuMemory, verdictOf } from '../../../src/session/gpu-memory';
import { device, memoryStore } from './stage';

const GIB = 2 ** 30;

test('claims nothing if the browser reveals nothing', () => {
  const memory = new GpuMemory(memoryStore(), undefined);
  expect(memory.budget(device)).toBeNull();
  expect(verdictOf(1, null)).toBe('unknown');
});

test('guesses half of the memory that the browser reports; a run above the guess is tight before it is too big', () => {
  const budget = new GpuMemory(memoryStore(), 8).budget(device)!;
  expect(budget).toMatchObject({ bytes: 4 * GIB });
  expect(budget.how).toContain('a guess: half of the memory');
  expect([1, 3, 3.5, 7, 9].map((n) => verdictOf(n * GIB, budget))).toEqual([
    'fits',
    'fits',
    'tight',
    'tight',
    'too_big',
  ]);
  const software = new GpuMemory(memoryStore(), 8).budget({ ...device, software: true })!;
  expect(software.how).not.toContain('guess');
});

test('a size that succeeded fits, whatever the guess, and is remembered per GPU', () => {
  const store = memoryStore();
  new GpuMemory(store, 8).wentWell(device, 6 * GIB);
  new GpuMemory(store, 8).wentWell(device, 1 * GIB);
  const budget = new GpuMemory(store, 8).budget(device)!;
  expect(budget).toMatchObject({ bytes: 6 * GIB, how: 'because a run of that size succeeded here' });
  expect([6, 7, 13].map((n) => verdictOf(n * GIB, budget))).toEqual(['fits', 'tight', 'too_big']);
  const other = { ...device, description: 'Acme Two' };
  expect(new GpuMemory(store, 8).budget(other)).toMatchObject({ bytes: 4 * GIB });
});

test('a run that ran out of memory lowers the budget until a run of that size succeeds', () => {
  const memory = new GpuMemory(memoryStore(), 32);
  memory.ranOut(device, 2 * GIB);
  memory.ranOut(device, 3 * GIB);
  const budget = memory.budget(device)!;
  expect(budget.bytes).toBe(0.9 * 2 * GIB);
  expect(budget.how).toBe('because a 2.1 GB run ran out of memory here');
  expect([1, 1.7, 2].map((n) => verdictOf(n * GIB, budget))).toEqual(['fits', 'tight', 'too_big']);
  memory.wentWell(device, 2.5 * GIB);
  expect(verdictOf(2.5 * GIB, memory.budget(device))).toBe('fits');
  memory.forget();
  expect(memory.budget(device)).toMatchObject({ bytes: 16 * GIB });
});

test('damaged or disabled storage only loses the memory of earlier runs', () => {
  const store = { ...memoryStore(), getItem: () => '{"' };
  expect(new GpuMemory(store, 8).budget(device)).toMatchObject({ bytes: 4 * GIB });
  const full = {
    ...memoryStore(),
    setItem: () => {
      throw new DOMException('full', 'QuotaExceededError');
    },
  };
  expect(() => new GpuMemory(full, 8).wentWell(device, 1)).not.toThrow();
  const off = new GpuMemory(null, 8);
  off.ranOut(device, 1);
  expect(off.budget(device)).toMatchObject({ bytes: 4 * GIB });
});
