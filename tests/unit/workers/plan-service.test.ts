/** What the plan worker sends, and what it keeps until a run asks for it. The dry run itself is tested in tests/unit/engine and on a GPU. */
import { beforeEach, expect, test, vi } from 'vitest';
import type { DryRun } from '../../../src/engine/run/dry-run';
import { createPlanService } from '../../../src/workers/plan/service';

const made = vi.hoisted(() => [] as string[]);

vi.mock('../../../src/engine/run/dry-run', () => ({
  dryRun: async ({ config }: { config: { name: string } }) => {
    made.push(config.name);
    if (config.name === 'broken') throw new Error('no such model');
    return {
      bytes: 7,
      shaders: [
        { key: 'common', code: 'c' },
        { key: config.name, code: `code of ${config.name}` },
      ],
    };
  },
}));

const run = (name: string) => ({ config: { name } }) as unknown as DryRun;

beforeEach(() => {
  made.length = 0;
});

test('a plan comes without the sources of its shaders, which are there when a run asks', async () => {
  const service = createPlanService();
  expect(await service.plan(run('a'))).toEqual({ bytes: 7 });
  expect(await service.plan(run('b'))).toEqual({ bytes: 7 });
  expect((await service.shaders(run('a'))).map(({ code }) => code)).toEqual(['c', 'code of a']);
  expect((await service.shaders(run('b'))).map(({ code }) => code)).toEqual(['c', 'code of b']);
  expect(made).toEqual(['a', 'b']);
});

test('shaders of a plan that is forgotten, or was never made here, are found by another dry run', async () => {
  const service = createPlanService();
  for (let i = 0; i <= 10; i++) await service.plan(run(String(i)));
  made.length = 0;
  expect((await service.shaders(run('0')))[1]).toEqual({ key: '0', code: 'code of 0' });
  expect(made).toEqual(['0']);
  await service.shaders(run('10'));
  await service.shaders(run('0'));
  expect(made).toEqual(['0']);
});

test('a plan that fails says why, and does not stop the next', async () => {
  const service = createPlanService();
  await expect(service.plan(run('broken'))).rejects.toThrow('no such model');
  await expect(service.shaders(run('broken'))).rejects.toThrow('no such model');
  expect(await service.plan(run('a'))).toEqual({ bytes: 7 });
});
