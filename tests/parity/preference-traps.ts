/** What goes wrong with preferences elsewhere, as runs on a tiny model: the same body for both backends. */
import { beforeAll, describe, expect, test } from 'vitest';
import { pairBatch } from '../../src/data/preference-batches';
import type { JudgedExample, PairExample } from '../../src/data/types';
import { createObjective } from '../../src/engine/objectives';
import { evaluate } from '../../src/engine/run/evaluate';
import { defaultSection, objectiveOf } from '../../src/objectives';
import type { ObjectiveSection, ObjectiveType } from '../../src/recipe/types';
import { expectClose } from '../kernel-helpers';
import { type TinyOptions, timeless, withRun } from './tiny-run';

const objectiveFor = (type: ObjectiveType, changes: object = {}) => {
  const section = { ...defaultSection(objectiveOf({ type })), ...changes } as ObjectiveSection;
  return createObjective(section, { maskTokenId: null, vocabSize: 64, task: null });
};

/** Answers of uneven lengths behind prompts of uneven lengths, none of the tokens special. */
const tokens = (n: number, seed: number) => Array.from({ length: n }, (_, i) => 5 + ((seed * 7 + i * 11) % 40));
const PAIRS: PairExample[] = Array.from({ length: 8 }, (_, i) => {
  const prompt = tokens(2 + (i % 3), i);
  const pair = {
    ids: [...prompt, ...tokens(3 + (i % 4), i + 20)],
    rejected: [...prompt, ...tokens(6 - (i % 3), i + 40)],
  };
  return {
    ...{ kind: 'pair', row: i + 1, promptLength: prompt.length, margin: 0, truncatedBy: 0 },
    ...{ ids: Int32Array.from(pair.ids), rejected: Int32Array.from(pair.rejected) },
  };
});
const JUDGED: JudgedExample[] = PAIRS.map(({ ids, rejected, row, promptLength }, i) => ({
  ...{ kind: 'judged', row, promptLength, truncatedBy: 0 },
  ...(i % 3 === 0 ? { ids: rejected, good: false } : { ids, good: true }),
}));

const options = (type: ObjectiveType, changes: object, more: TinyOptions = {}): TinyOptions => ({
  objective: objectiveFor(type, changes),
  examples: type === 'kto' ? JUDGED : PAIRS,
  validation: 2,
  totalSteps: 4,
  shuffle: false,
  ...more,
  settings: {
    ...{ learning_rate: 1e-2, lr_scheduler_type: 'constant', warmup_ratio: 0, eval_steps: 2 },
    ...{ per_device_train_batch_size: 2, gradient_accumulation_steps: 1 },
    ...more.settings,
  },
});

export function preferenceTraps(backend: string, setUp: () => Promise<void>): void {
  describe(`${backend}: preferences on a model`, () => {
    beforeAll(setUp);

    test.each([
      ['a new adapter', false],
      ['an adapter that is continued', true],
    ])('before the first step, %s is its own reference', (_name, continues) =>
      withRun(options('dpo', {}, { continues }), async (run) => {
        await run.start();
        const { steps, evaluations } = run.told;
        for (const { loss, metrics } of [steps[0]!, evaluations[0]!]) {
          const figures = [loss, metrics['rewards/margins']!, metrics['rewards/chosen']!, metrics['rewards/rejected']!];
          expectClose(figures, [Math.LN2, 0, 0, 0], { atol: 2e-6 });
        }
        // Equal rewards are not in order. The CPU computes both sides alike; fused kernels of an adapter may round otherwise.
        if (backend === 'cpu') expect(steps[0]!.metrics['rewards/accuracies']).toBe(0);
        expect(steps.at(-1)!.metrics['rewards/margins']).toBeGreaterThan(0.001);
      }),
    );

    test('an adapter that is continued is not compared with the base', async () => {
      const first = (reference: boolean) =>
        withRun(options('dpo', {}, { continues: true, totalSteps: 1 }), async (run) => {
          const setup = reference ? run.setup : { ...run.setup, reference: null };
          return (await evaluate(setup, run.setup.batches.evaluation()))!;
        });
      const [own, base] = [await first(true), await first(false)];
      expectClose([own.metrics['rewards/margins']!], [0], { atol: 2e-6 });
      expect(Math.abs(base.metrics['rewards/margins']!)).toBeGreaterThan(1e-3);
      expect(own.metrics['logps/chosen']).toBe(base.metrics['logps/chosen']);
    });

    test('padding and the order of the pairs change nothing; swapped answers turn the margin round', () =>
      withRun(options('dpo', {}), async (run) => {
        await run.start();
        const swapped = PAIRS.map((pair) => ({ ...pair, ids: pair.rejected, rejected: pair.ids }));
        const measure = async (examples: PairExample[], bucket: number) =>
          (await evaluate(run.setup, [pairBatch(examples, 0, bucket)]))!;
        const [plain, padded, turned, other] = [
          await measure(PAIRS, 1),
          await measure(PAIRS, 32),
          await measure([...PAIRS].reverse(), 1),
          await measure(swapped, 1),
        ];
        for (const same of [padded, turned]) {
          expectClose([same.loss], [plain.loss], { rtol: 1e-5 });
          for (const [name, value] of Object.entries(plain.metrics)) {
            expectClose([same.metrics[name]!], [value], { rtol: 1e-4, atol: 1e-5 }, name);
          }
        }
        expect(Math.abs(plain.metrics['rewards/margins']!)).toBeGreaterThan(1e-3);
        expectClose([other.metrics['rewards/margins']!], [-plain.metrics['rewards/margins']!], { atol: 1e-5 });
        expectClose([other.metrics['rewards/chosen']!], [plain.metrics['rewards/rejected']!], { atol: 1e-5 });
      }));

    test.each([
      ['dpo', {}],
      ['dpo', { ld_alpha: 0.5 }],
      ['kto', {}],
      ['kto', { loss_type: 'apo_zero_unpaired' }],
    ] as const)(
      '%s %o: the reference asked ahead gives the same bytes, and is not asked again after resuming',
      async (type, changes) => {
        const run = (precompute: boolean) =>
          withRun(
            options(type, { ...changes, precompute_ref_log_probs: precompute }, { continues: true, totalSteps: 6 }),
            async (own) => {
              const shares: (number | undefined)[] = [];
              await own.start({}, { phase: (phase, share) => void (phase === 'preparing' && shares.push(share)) });
              return { ...own.told, shares };
            },
          );
        const [live, ahead] = [await run(false), await run(true)];
        expect(timeless(ahead.steps).map(({ dispatches: _, ...step }) => step)).toEqual(
          timeless(live.steps).map(({ dispatches: _, ...step }) => step),
        );
        expect(timeless(ahead.evaluations)).toEqual(timeless(live.evaluations));
        expect([live.shares, ahead.shares[0], ahead.shares.at(-1)]).toEqual([[], 0, 1]);

        const objective = objectiveFor(type, { ...changes, precompute_ref_log_probs: true });
        objective.restore!(JSON.parse(JSON.stringify(ahead.checkpoints.at(-1)!.state.objective)));
        // A reference that fails when it is asked.
        const more = { objective, continues: true, totalSteps: 6 };
        await withRun({ ...options(type, changes), ...more }, async (own) => {
          Object.defineProperty(own.setup, 'reference', { get: () => expect.fail('the reference was asked again') });
          await own.start();
          expect(own.told.steps.map(({ loss }) => loss)).toEqual(live.steps.map(({ loss }) => loss));
        });
      },
    );

    test('without a reference: ORPO and CPO learn which answers are better', async () => {
      for (const type of ['orpo', 'cpo'] as const) {
        await withRun(options(type, {}, { totalSteps: 12 }), async (run) => {
          await run.start();
          const [first, last] = [run.told.steps[0]!, run.told.steps.at(-1)!];
          expect(last.loss).toBeLessThan(first.loss);
          expect(last.metrics['rewards/margins']).toBeGreaterThan(first.metrics['rewards/margins']!);
        });
      }
    });
  });
}
