/** Runs whose numbers become NaN or infinite: one body for both backends. */
import { beforeAll, describe, expect, test } from 'vitest';
import { tinyExamples, withRun } from './tiny-run';

/** `setUp` prepares the backend for all of these tests. */
export function notFiniteParity(backend: string, setUp: () => Promise<void>): void {
  describe(`${backend}: numbers that are not finite`, () => {
    beforeAll(setUp);

    test('a NaN in the weights ends the run after three steps and leaves the adapter untouched', () =>
      withRun(
        {
          validation: 0,
          change: (tensor, values) => {
            if (tensor === 'model.norm.weight') values[3] = Number.NaN;
          },
        },
        async (run) => {
          const before = await run.optimizer.save();
          await expect(run.start()).rejects.toMatchObject({ code: 'not_finite', where: 'step 3' });
          expect(run.told.steps.map((s) => [s.step, s.finite])).toEqual([
            [1, false],
            [2, false],
            [3, false],
          ]);
          expect(await run.optimizer.save()).toEqual(before);
          expect(run.told.checkpoints).toEqual([]);
        },
      ));

    test('a learning rate that is far too large ends the run with advice', () =>
      withRun(
        {
          validation: 0,
          settings: { learning_rate: 1e30, lr_scheduler_type: 'constant', warmup_ratio: 0 },
        },
        async (run) => {
          const error = await run.start().then(
            () => null,
            (cause) => cause as { code: string; action: string },
          );
          expect(error?.code).toBe('not_finite');
          expect(error?.action).toContain('training.learning_rate');
          expect(run.told.steps.slice(-3).map((s) => s.finite)).toEqual([false, false, false]);
          // The first step starts from a valid adapter.
          expect(run.told.steps[0]!.finite).toBe(true);
        },
      ));

    test('one bad step is skipped and the run continues', async () => {
      // Not tied, so the token's row is read only where the token occurs: in the fourth step, with rows in order.
      const [name, id, width] = ['gqa-untied-odd', 60, 20] as const;
      const rows = (await tinyExamples(name)).filter((e) => e.ids.includes(id)).map((e) => e.row);
      expect([...new Set(rows.map((row) => Math.floor(row / 4) + 1))]).toEqual([4]);
      await withRun(
        {
          name,
          validation: 0,
          shuffle: false,
          totalSteps: 7,
          settings: { save_steps: 1 },
          change: (tensor, values) => {
            if (tensor === 'model.embed_tokens.weight') values[id * width + 3] = Number.NaN;
          },
        },
        async (run) => {
          expect(await run.start()).toBe('completed');
          expect(run.told.steps.map((s) => s.finite)).toEqual([true, true, true, false, true, true, true]);
          const [, , third, fourth, fifth] = run.told.checkpoints.map((c) => c.tensors);
          expect(fourth).toEqual(third);
          expect(fifth).not.toEqual(fourth);
          for (const { data } of run.told.checkpoints.at(-1)!.tensors.values()) {
            expect(data.every(Number.isFinite)).toBe(true);
          }
        },
      );
    });
  });
}
