/** What is tried before a run, on both backends: it sees what a run would see, and leaves the base as it was. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { LanguageModel } from '../../src/engine/models/model';
import { measureStep, rangeTest } from '../../src/engine/run/trial';
import { readFloats } from '../../src/engine/webgpu/backend';
import { suggestRate } from '../../src/metrics/rate-range';
import { numTensors, type TinyRun, withRun } from './tiny-run';

const never = () => false;

/** Every linear layer of the base, and its output projection, as bytes. */
async function bytesOf({ linears, heads }: LanguageModel): Promise<Uint8Array[]> {
  const weights = [...linears.map(({ weight }) => weight), ...(heads.lm ? [heads.lm.weight] : [])];
  const all: Uint8Array[] = [];
  for (const { tensor } of weights.flatMap(({ parts }) => parts)) {
    all.push(new Uint8Array((await readFloats(tensor)).slice().buffer));
  }
  return all;
}

/** `setUp` prepares the backend for all of these tests. */
export function trialParity(backend: string, setUp: () => Promise<void>): void {
  describe(`${backend}: a test drive`, () => {
    beforeAll(setUp);

    test('measures a step of the run and finds the adapter at work', () =>
      withRun({ settings: { learning_rate: 2e-2 } }, async ({ setup }) => {
        const parts: number[] = [];
        const step = (await measureStep(setup, never, (done) => parts.push(done)))!;
        expect(parts).toEqual([1, 2, 3]);
        expect(step.finite).toBe(true);
        expect(step.seconds).toBeGreaterThan(0);
        const rows = setup.batches.microBatches(0);
        expect(step.tokens).toBe(rows.reduce((sum, { lengths }) => sum + lengths.reduce((a, b) => a + b, 0), 0));
        expect(step.gradNorm).toBeGreaterThan(0);
        // Two steps on these rows at the full rate, although the run would warm up from zero.
        expect(step.lossAfter).toBeLessThan(step.lossBefore);
        expect(step.gpuBytes).toBeGreaterThan(0);
      }));

    test('an adapter that is not attached is found: no gradient reaches it, and nothing changes', () =>
      withRun({}, async ({ setup }) => {
        const detached = { ...setup, method: { ...setup.method, hooks: () => ({}) } };
        const step = await measureStep(detached, never);
        expect(step).toMatchObject({ gradNorm: 0 });
        expect(step!.lossAfter).toBe(step!.lossBefore);
      }));

    test('numbers that are not finite are found', () =>
      withRun(
        {
          change: (tensor, values) => {
            if (tensor === 'model.norm.weight') values[3] = Number.NaN;
          },
        },
        async ({ setup }) => {
          expect(await measureStep(setup, never)).toMatchObject({ finite: false });
        },
      ));

    test('it can be stopped between its parts', () =>
      withRun({}, async ({ setup }) => {
        let parts = 0;
        expect(
          await measureStep(
            setup,
            () => parts === 2,
            () => parts++,
          ),
        ).toBeNull();
        expect(parts).toBe(2);
      }));
  });

  describe(`${backend}: a range test`, () => {
    beforeAll(setUp);

    const search = ({ setup }: TinyRun, stopped = never) =>
      rangeTest(setup, { from: 1e-5, to: 1e2, steps: 36 }, stopped);

    test('the loss falls and then diverges, and the suggestion lies below', () =>
      withRun({}, async (run) => {
        const { points, diverged } = await search(run);
        expect(points[0]!.rate).toBeCloseTo(1e-5);
        // The same factor each time.
        expect(points[2]!.rate / points[1]!.rate).toBeCloseTo(points[1]!.rate / points[0]!.rate, 6);
        expect(diverged || points.length === 36).toBe(true);
        const { rate, lowest } = suggestRate(points)!;
        expect(rate).toBeCloseTo(lowest / 10, 9);
        expect(lowest).toBeGreaterThan(1e-4);
        expect(Math.min(...points.map(({ smoothed }) => smoothed))).toBeLessThan(0.98 * points[0]!.smoothed);
      }));

    test('the base is the same to the byte afterwards, and no tensor is left', async () => {
      const before = numTensors();
      await withRun({}, async (run) => {
        const weights = await bytesOf(run.model);
        expect(weights.length).toBeGreaterThan(0);
        await measureStep(run.setup, never);
        await search(run);
        expect(await bytesOf(run.model)).toEqual(weights);
      });
      expect(numTensors() - before).toBe(0);
    });

    test('it can be stopped, and says what it has', () =>
      withRun({}, async (run) => {
        let steps = 0;
        const { points } = await rangeTest(
          run.setup,
          { from: 1e-5, to: 1, steps: 20 },
          () => steps === 4,
          () => steps++,
        );
        expect(points).toHaveLength(4);
      }));
  });
}
