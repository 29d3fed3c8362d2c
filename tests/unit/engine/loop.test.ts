/** The training loop: when it evaluates, saves, pauses and ends. On the CPU backend, with a tiny Llama. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test, vi } from 'vitest';
import { disposeInputs } from '../../../src/engine/kernels/inputs';
import { lossOnly, type Objective } from '../../../src/engine/objectives/objective';
import { sft } from '../../../src/engine/objectives/sft';
import type { Control } from '../../../src/engine/run/loop';
import { fixtureTensors } from '../../fixture-files';
import {
  numTensors,
  type TinyOptions,
  timeless,
  tinyExamples,
  tinyModel,
  tinyRun,
  withRun,
} from '../../parity/tiny-run';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Trains normally, but reports these losses for the validation set (one batch), one per evaluation. */
function scripted(losses: number[]): Objective {
  let next = 0;
  return {
    batches: 'next_token',
    loss: (pass, batch) => {
      if (pass.withGradient) return sft.loss(pass, batch);
      if (next === losses.length) throw new Error('More evaluations than expected.');
      return lossOnly(tf.scalar(losses[next++]! * batch.targetCount), batch.targetCount);
    },
  };
}

/** Quick: one micro-batch of two per step, two rows held out. */
const quick = (options: TinyOptions = {}): TinyOptions => ({
  validation: 2,
  ...options,
  settings: { gradient_accumulation_steps: 1, ...options.settings },
});

const checkpointsOf = (told: { checkpoints: { state: { step: number }; best: boolean }[] }) =>
  told.checkpoints.map(({ state, best }) => [state.step, best]);

test('evaluates before, every eval_steps and after; saves every save_steps, at a best loss and at the end', () =>
  withRun(quick({ objective: scripted([5, 4, 4.5, 3]), settings: { eval_steps: 4, save_steps: 3 } }), async (run) => {
    expect(await run.start()).toBe('completed');
    const { told, state } = run;
    expect(told.steps.map((s) => s.step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(told.evaluations.map((e) => [e.step, Number(e.loss.toFixed(4)), e.best])).toEqual([
      [0, 5, false], // the base: the mark to beat, no checkpoint
      [4, 4, true],
      [8, 4.5, false],
      [10, 3, true],
    ]);
    expect(told.samples).toEqual([0, 4, 8, 10]);
    expect(checkpointsOf(told)).toEqual([
      [3, false],
      [4, true],
      [6, false],
      [9, false],
      [10, true],
    ]);
    expect(state).toMatchObject({ step: 10, pass: 10, bestStep: 10, lastEvalStep: 10, patienceUsed: 0 });
    expect([state.initialEvalLoss, state.bestEvalLoss, state.lastEvalLoss].map((l) => l?.toFixed(4))).toEqual([
      '5.0000',
      '3.0000',
      '3.0000',
    ]);
  }));

test('eval_steps 0 evaluates only before and after, or never without a validation set', async () => {
  await withRun(quick({ totalSteps: 3, objective: scripted([5, 6]) }), async (run) => {
    await run.start();
    expect(run.told.evaluations.map((e) => e.step)).toEqual([0, 3]);
    // Worse than the base, but the best of this run.
    expect(checkpointsOf(run.told)).toEqual([[3, true]]);
  });
  await withRun(quick({ totalSteps: 3, validation: 0, settings: { eval_steps: 1 } }), async (run) => {
    await run.start();
    expect(run.told.evaluations).toEqual([]);
    expect(checkpointsOf(run.told)).toEqual([[3, false]]);
    expect(run.state).toMatchObject({ bestStep: null, bestEvalLoss: null });
  });
});

test('stops early after as many evaluations without a new best as patience allows', () =>
  withRun(
    quick({
      objective: scripted([5, 4, 4.1, 3.9, 3.9, 4]),
      settings: { eval_steps: 1, early_stopping_patience: 2 },
    }),
    async (run) => {
      expect(await run.start()).toBe('early_stopping');
      expect(run.told.evaluations.map((e) => e.best)).toEqual([false, true, false, true, false, false]);
      expect(run.state).toMatchObject({ step: 5, bestStep: 3, patienceUsed: 2 });
      expect(run.told.steps.length).toBe(5);
      expect(checkpointsOf(run.told)).toEqual([
        [1, true],
        [3, true],
        [5, false],
      ]);
    },
  ));

test('patience 0 never stops early, and a NaN validation loss is neither the best nor the end', () =>
  withRun(
    quick({
      totalSteps: 5,
      objective: scripted([5, Number.NaN, 7, 8, 9, 10]),
      settings: { eval_steps: 1, early_stopping_patience: 0 },
    }),
    async (run) => {
      expect(await run.start()).toBe('completed');
      expect(run.told.evaluations.map((e) => e.best)).toEqual([false, false, true, false, false, false]);
      expect(run.state).toMatchObject({ bestStep: 2, patienceUsed: 3 });
    },
  ));

test('patience used up before a checkpoint still counts after it', async () => {
  const options = (losses: number[]) =>
    quick({ objective: scripted(losses), settings: { eval_steps: 1, save_steps: 2, early_stopping_patience: 2 } });
  const checkpoint = await withRun(options([5, 4, 4.1, 4.2]), async (run) => {
    await run.start();
    return run.told.checkpoints.find((c) => c.state.step === 2)!;
  });
  expect(checkpoint.state.patienceUsed).toBe(1);
  await withRun(options([4.2]), async (run) => {
    run.restore(checkpoint);
    expect(await run.start()).toBe('early_stopping');
    expect(run.state).toMatchObject({ step: 3, bestStep: 1 });
  });
});

test('a pause saves, waits, and changes nothing but the clock', async () => {
  const undisturbed = await withRun(quick(), async (run) => {
    await run.start();
    return { steps: timeless(run.told.steps), final: await run.optimizer.save() };
  });
  await withRun(quick(), async (run) => {
    let paused = false;
    let waited = 0;
    // A clock that goes on by a millisecond whenever somebody looks at it, and by 400 s in the pause.
    let clock = 0;
    const now = vi.spyOn(performance, 'now').mockImplementation(() => ++clock);
    const reason = await run.start(
      {
        pauseRequested: () => paused,
        resumed: async () => {
          expect(run.told.checkpoints.at(-1)!.state.step).toBe(run.state.step);
          // Every step taken is reported before the run pauses.
          expect(run.told.steps.at(-1)!.step).toBe(run.state.step);
          waited = run.state.step;
          clock += 400_000;
          paused = false;
        },
      },
      {
        step: (report) => {
          run.told.steps.push(report);
          if (report.step === 4) paused = true;
        },
      },
    );
    now.mockRestore();
    expect(reason).toBe('completed');
    // Step 5 was under way when the fourth was reported.
    expect(waited).toBe(5);
    expect(run.told.phases.filter((p) => p !== 'evaluating' && p !== 'sampling')).toEqual([
      'training',
      'saving',
      'training',
      'paused',
      'training',
      'saving',
      'training',
    ]);
    expect(timeless(run.told.steps)).toEqual(undisturbed.steps);
    expect(await run.optimizer.save()).toEqual(undisturbed.final);
    expect(run.state.seconds).toBeGreaterThan(0);
    expect(run.state.seconds).toBeLessThan(400);
    expect(run.told.steps.every((s, i, all) => i === 0 || s.seconds >= all[i - 1]!.seconds)).toBe(true);
  });
});

test('a stop ends after the step under way and keeps what was learnt', () =>
  withRun(quick({ objective: scripted([5]), settings: { eval_steps: 5 } }), async (run) => {
    let stopped = false;
    const reason = await run.start(
      { stopRequested: () => stopped },
      {
        step: (report) => {
          run.told.steps.push(report);
          if (report.step === 3) stopped = true;
        },
      },
    );
    expect(reason).toBe('stopped');
    expect(run.state.step).toBe(4);
    expect(run.told.steps.map((s) => s.step)).toEqual([1, 2, 3, 4]);
    // Nobody who stops a run wants to wait for an evaluation.
    expect(run.told.evaluations.map((e) => e.step)).toEqual([0]);
    expect(checkpointsOf(run.told)).toEqual([[4, false]]);
    const [checkpoint] = run.told.checkpoints;
    expect(checkpoint!.tensors).toEqual(await run.optimizer.save());
  }));

test('a stop during a pause ends the run', () =>
  withRun(quick({ validation: 0 }), async (run) => {
    let stopped = false;
    const reason = await run.start({
      pauseRequested: () => run.state.step === 2,
      stopRequested: () => stopped,
      resumed: async () => {
        stopped = true;
      },
    });
    expect(reason).toBe('stopped');
    expect(run.state.step).toBe(2);
  }));

test('a stop before the first step trains nothing', () =>
  withRun(quick(), async (run) => {
    const before = await run.optimizer.save();
    expect(await run.start({ stopRequested: () => true })).toBe('stopped');
    expect(run.told.steps).toEqual([]);
    expect(await run.optimizer.save()).toEqual(before);
  }));

test('steps report their learning rate, their tokens and their position in the epoch', () =>
  withRun(
    {
      totalSteps: 6,
      validation: 1,
      shuffle: false,
      settings: { learning_rate: 1e-2, lr_scheduler_type: 'linear', warmup_ratio: 0.3 },
    },
    async (run) => {
      await run.start();
      // Two warmup steps (30 % of 6, rounded up), then down to 0 over four.
      const rates = [0, 0.5, 1, 0.75, 0.5, 0.25].map((f) => f * 1e-2);
      run.told.steps.forEach((s, i) => {
        expect(s.learningRate).toBeCloseTo(rates[i]!, 12);
        // 20 rows: ten micro-batches of two, five steps per epoch.
        expect(s.epoch).toBeCloseTo((i + 1) / 5, 12);
      });
      const rows = (await tinyExamples('gqa-tied')).map((e) => e.ids.length);
      const tokens = [0, 4, 8, 12, 16, 0].map((at) => rows.slice(at, at + 4).reduce((a, b) => a + b, 0));
      expect(run.told.steps.map((s) => s.stepTokens)).toEqual(tokens);
      expect(run.told.steps.at(-1)!.tokens).toBe(tokens.reduce((a, b) => a + b, 0));
      expect(run.state.pass).toBe(12);
    },
  ));

test('accumulating micro-batches equals one large batch', async () => {
  const losses = (settings: TinyOptions['settings']) =>
    withRun({ totalSteps: 3, validation: 1, shuffle: false, settings }, async (run) => {
      await run.start();
      return run.told.steps.map((s) => [s.loss, s.gradNorm]);
    });
  const parts = await losses({ per_device_train_batch_size: 1, gradient_accumulation_steps: 4 });
  const whole = await losses({ per_device_train_batch_size: 4, gradient_accumulation_steps: 1 });
  parts.flat().forEach((v, i) => {
    expect(Math.abs(v / whole.flat()[i]! - 1)).toBeLessThan(1e-4);
  });
});

test('training leaves the base unchanged, and a run leaves no tensor behind', async () => {
  const model = await tinyModel('gqa-tied');
  const names = model.linears.map((m) => m.path);
  expect(names.length).toBe(14);
  model.dispose();
  const before = numTensors();
  await withRun(quick({ totalSteps: 3 }), async (run) => {
    const held = numTensors();
    await run.start();
    // The inputs of training and of evaluation, five each, are kept for the next step.
    expect(numTensors() - held).toBeLessThanOrEqual(10 * 3);
    const file = await fixtureTensors('llama/gqa-tied/model.safetensors');
    for (const { path, weight } of run.model.linears) {
      expect(await weight.parts[0]!.tensor.data()).toEqual(file.floats(`${path}.weight`));
    }
  });
  expect(numTensors() - before).toBe(0);
});

test('a checkpoint that cannot be stored ends the run with its error', async () => {
  const run = await tinyRun(quick({ validation: 0, settings: { save_steps: 2 } }));
  const full = new Error('storage is full');
  await expect(run.start({}, { checkpoint: () => Promise.reject(full) })).rejects.toBe(full);
  expect(run.state.step).toBe(2);
  run.dispose();
});

/** Reports a metric beside its loss, and throws at the given call: in training if `when` says so, else in an evaluation. */
function throwing(when: 'training' | 'evaluation', at: number): Objective {
  let calls = 0;
  return {
    batches: 'next_token',
    loss: (pass, batch) => {
      if (pass.withGradient === (when === 'training') && ++calls === at) throw new Error('an odd batch');
      return { ...sft.loss(pass, batch), metrics: { spread: tf.scalar(2), margin: tf.scalar(3) } };
    },
  };
}

test.each([
  ['training', 1],
  ['training', 2],
  ['training', 4],
  ['evaluation', 1],
  ['evaluation', 3],
] as const)('a batch that fails in %s (call %i) leaves no tensor', (when, at) =>
  withRun({ objective: throwing(when, at), validation: 6 }, async (run) => {
    disposeInputs();
    const before = numTensors();
    await expect(run.start()).rejects.toThrow('an odd batch');
    disposeInputs();
    expect(numTensors()).toBe(before);
  }),
);

test('saves every 30 seconds and when asked to, and ends with the same bytes', async () => {
  const weights = async (control: Partial<Control>, secondsPerStep: number) => {
    let bytes: unknown;
    let saved: number[] = [];
    const intervals = new Set<number>();
    const now = vi.spyOn(performance, 'now');
    await withRun(quick({ settings: { save_steps: 0, eval_steps: 4 }, validation: 0 }), async (run) => {
      // By the clock of the run, each step takes so long.
      now.mockImplementation(() => run.told.steps.length * secondsPerStep * 1000);
      await run.start(control, { saved: (_, every) => intervals.add(every) });
      saved = run.told.checkpoints.map(({ state }) => state.step);
      bytes = [...run.told.checkpoints.at(-1)!.tensors].map(([name, { data }]) => [name, ...data]);
    });
    now.mockRestore();
    return { bytes, saved, intervals: [...intervals] };
  };
  const undisturbed = await weights({}, 0);
  expect(undisturbed.saved).toEqual([10]);
  const timed = await weights({}, 8);
  // With a fourth step of 8 s it would be more than 30 s.
  expect(timed.saved).toEqual([3, 6, 9, 10]);
  expect(timed.intervals).toEqual([30]);
  let asks = 0;
  const asked = await weights({ takeSaveRequest: () => ++asks === 3 }, 0);
  expect(asked.saved).toEqual([3, 10]);
  expect([timed.bytes, asked.bytes]).toEqual([undisturbed.bytes, undisturbed.bytes]);
});
