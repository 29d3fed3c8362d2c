/** What a run guarantees, whatever interrupts it: one body for both backends. */
import { beforeAll, describe, expect, test } from 'vitest';
import { writePeft } from '../../src/methods/read-adapter';
import { type Checkpoint, numTensors, type TinyOptions, type TinyRun, timeless, withRun } from './tiny-run';

const OPTIONS: TinyOptions = {
  totalSteps: 9,
  dropout: 0.2,
  shuffle: true,
  settings: {
    learning_rate: 2e-2,
    eval_steps: 4,
    save_steps: 3,
    lr_scheduler_type: 'cosine',
    warmup_ratio: 0.2,
    seed: 11,
  },
};

interface Outcome {
  steps: ReturnType<typeof timeless>;
  evaluations: ReturnType<typeof timeless>;
  checkpoints: Checkpoint[];
  final: Checkpoint['tensors'];
  adapter: Uint8Array;
}

/** The bytes of the adapter's file. */
async function adapterBytes(run: TinyRun): Promise<Uint8Array> {
  const saved = await run.optimizer.save();
  const tensors = new Map(
    [...saved].flatMap(([key, tensor]) => (key.startsWith('adapter/') ? [[key.slice(8), tensor] as const] : [])),
  );
  return writePeft({
    type: 'LORA',
    config: {
      base_model_name_or_path: null,
      task_type: 'CAUSAL_LM',
      modules_to_save: null,
      r: 4,
      lora_alpha: 8,
      lora_dropout: 0.2,
      target_modules: ['q_proj'],
      use_rslora: false,
      use_dora: false,
      rank_pattern: {},
      alpha_pattern: {},
      fan_in_fan_out: false,
    },
    tensors,
  }).weights;
}

const finish = (options: TinyOptions, from?: Checkpoint): Promise<Outcome> =>
  withRun(options, async (run) => {
    if (from) run.restore(from);
    expect(await run.start()).toBe('completed');
    return {
      steps: timeless(run.told.steps),
      evaluations: timeless(run.told.evaluations),
      checkpoints: run.told.checkpoints,
      final: await run.optimizer.save(),
      adapter: await adapterBytes(run),
    };
  });

/** `setUp` prepares the backend for all of these tests. */
export function resumeParity(backend: string, setUp: () => Promise<void>): void {
  describe(`${backend}: one seed gives one run`, () => {
    let whole: Outcome;
    beforeAll(async () => {
      await setUp();
      const before = numTensors();
      whole = await finish(OPTIONS);
      expect(numTensors() - before, 'tensors left by a run').toBe(0);
    });

    test('the run trains: its loss falls and every parameter moves', () => {
      expect(whole.steps.length).toBe(9);
      const losses = whole.evaluations.map((e) => (e as unknown as { loss: number }).loss);
      expect(losses.length).toBe(4); // before, after steps 4 and 8, at the end
      expect(losses.at(-1)!).toBeLessThan(0.9 * losses[0]!);
      for (const [name, { data }] of whole.final) {
        expect(
          data.some((v) => v !== 0),
          name,
        ).toBe(true);
      }
    });

    test('two runs with one seed give the same bytes, and another seed gives different ones', async () => {
      const again = await finish(OPTIONS);
      expect(again.adapter).toEqual(whole.adapter);
      expect(again.final).toEqual(whole.final);
      expect(again.steps).toEqual(whole.steps);
      expect(again.evaluations).toEqual(whole.evaluations);
      const other = await finish({ ...OPTIONS, totalSteps: 2, settings: { ...OPTIONS.settings, seed: 12 } });
      expect(other.steps[0]).not.toEqual(whole.steps[0]);
    });

    test('a run resumed from any of its checkpoints equals the uninterrupted one, bit for bit', async () => {
      const early = whole.checkpoints.filter((c) => c.state.step < 9);
      // Saved every 3 steps, and whenever the validation loss was the best so far.
      expect(early.map((c) => c.state.step)).toEqual(expect.arrayContaining([3, 6]));
      for (const checkpoint of early) {
        const { step } = checkpoint.state;
        const rest = await finish(OPTIONS, checkpoint);
        const later = <T extends { seconds: number }>(reports: T[]) =>
          reports.filter((r) => (r as unknown as { step: number }).step > step);
        expect(rest.steps, `steps after ${step}`).toEqual(later(whole.steps));
        expect(rest.evaluations, `evaluations after ${step}`).toEqual(later(whole.evaluations));
        expect(rest.final, `parameters and moments, from step ${step}`).toEqual(whole.final);
        expect(rest.adapter).toEqual(whole.adapter);
      }
    });

    test('dropout and the moments matter: without either, the resumed run differs', async () => {
      const checkpoint = whole.checkpoints.find((c) => c.state.step === 3)!;
      const noPass = { ...checkpoint, state: { ...checkpoint.state, pass: 0 } };
      expect((await finish({ ...OPTIONS, totalSteps: 4 }, noPass)).steps[0]).not.toEqual(whole.steps[3]);
      const tensors = new Map(checkpoint.tensors);
      for (const [name, { shape, data }] of tensors) {
        if (name.startsWith('adam_m/')) tensors.set(name, { shape, data: new Float32Array(data.length) });
      }
      expect((await finish(OPTIONS, { ...checkpoint, tensors })).final).not.toEqual(whole.final);
    });
  });
}
