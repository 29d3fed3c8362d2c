/** Runs that learn from answers of their own, on both backends: what is rolled out, learned, saved and resumed. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { PromptExample } from '../../src/data/types';
import { createObjective } from '../../src/engine/objectives';
import type { AnswerToScore, Objective, Scores, ShownRollout } from '../../src/engine/objectives/objective';
import { answerLogProbs } from '../../src/engine/objectives/reinforcement/reused';
import type { Outside } from '../../src/engine/run/pass';
import { toolsOf } from '../../src/engine/run/prepare';
import { defaultSection, objectiveOf, paceOf } from '../../src/objectives';
import { resolveRecipe } from '../../src/recipe/defaults';
import type { ObjectiveSection, TrainingSection } from '../../src/recipe/types';
import { expectClose } from '../kernel-helpers';
import { type Checkpoint, numTensors, STOP, type TinyOptions, type TinyRun, timeless, withRun } from './tiny-run';

/** Prompts of different lengths. */
export const PROMPTS: PromptExample[] = [
  [3, 17, 9],
  [3, 30, 12, 25, 41],
  [3, 22],
  [3, 36, 11, 8],
  [3, 5, 6, 7],
  [3, 44, 9],
].map((ids, i) => ({
  ...{ kind: 'prompt', row: i + 1, ids: Int32Array.from(ids), prompt: ids.join(' '), columns: {}, truncatedBy: 0 },
}));

/** Its reward is the share of an answer's tokens below this one. */
const BELOW = 24;
export const rewardOf = ({ ids }: Pick<AnswerToScore, 'ids'>): number =>
  ids.reduce((sum, id) => sum + (id < BELOW ? 1 : 0), 0) / ids.length;

export interface Judge extends Outside {
  shown: { step: number; rollouts: readonly ShownRollout[] }[];
  asked: number;
}

export function judge(score: (answer: AnswerToScore, i: number) => number | null = rewardOf): Judge {
  const own: Judge = {
    shown: [],
    asked: 0,
    async score(answers): Promise<Scores> {
      own.asked++;
      return {
        names: ['low'],
        weights: [1],
        values: answers.map((answer, i) => [score(answer, i)]),
        texts: answers.map(({ ids }) => [...ids].join(' ')),
      };
    },
    show: (step, rollouts) => void own.shown.push({ step, rollouts }),
  };
  return own;
}

export const section = (type: ObjectiveSection['type'], more: Record<string, unknown>): ObjectiveSection =>
  ({ ...defaultSection(objectiveOf({ type })), ...more }) as ObjectiveSection;

const settings: Partial<TrainingSection> = {
  ...{ per_device_train_batch_size: 4, gradient_accumulation_steps: 2, learning_rate: 1e-2, warmup_ratio: 0 },
  ...{ lr_scheduler_type: 'constant', eval_steps: 3, save_steps: 1, seed: 5 },
};

export function options(of: ObjectiveSection, outside: Outside, more: TinyOptions = {}): TinyOptions {
  const training = { ...resolveRecipe({ version: 1 }).training, ...settings, ...more.settings };
  return {
    ...{ examples: PROMPTS, validation: 2, totalSteps: 6, outside, pace: paceOf(of, training) },
    objective: objective(of),
    ...more,
    settings: { ...settings, ...more.settings },
  };
}

export const objective = (of: ObjectiveSection): Objective =>
  createObjective(of, { maskTokenId: null, vocabSize: 48, task: null });

const GRPO = { num_generations: 4, max_completion_length: 6 };

const average = (list: number[]) => list.reduce((total, x) => total + x, 0) / list.length;

/** Everything that a run leaves behind. */
export async function finish(make: () => TinyOptions, from?: Checkpoint, during: Parameters<TinyRun['start']> = []) {
  return withRun(make(), async (run) => {
    if (from) run.restore(from);
    await run.start(...during);
    const { told, optimizer, state } = run;
    return {
      steps: timeless(told.steps),
      evaluations: timeless(told.evaluations),
      checkpoints: told.checkpoints,
      state: { ...state, seconds: 0 },
      final: await optimizer.save(),
    };
  });
}

/** Resumes from each checkpoint of a run, and pauses it in the middle of writing answers. */
export function resumes(name: string, make: () => TinyOptions): void {
  test(`${name}: resumed from any checkpoint, it ends with the same bytes`, async () => {
    const whole = await finish(make);
    const early = whole.checkpoints.filter(({ state }) => state.step < whole.state.step);
    expect(early.length).toBeGreaterThan(2);
    // A step before the first answers are written, one between steps on the same answers.
    for (const checkpoint of early) {
      const { step } = checkpoint.state;
      const rest = await finish(make, checkpoint);
      expect(rest.final, `from step ${step}`).toEqual(whole.final);
      expect(rest.steps, `from step ${step}`).toEqual(whole.steps.filter((report) => report.step > step));
      expect(rest.state).toEqual(whole.state);
    }
  });
}

/** `setUp` makes the backend ready. */
export function rolloutParity(backend: string, setUp: () => Promise<void>): void {
  describe(`${backend}: learning from its own answers`, () => {
    beforeAll(setUp);

    test('GRPO raises the reward, and says so under TRL’s names', async () => {
      const own = judge();
      const before = numTensors();
      const { steps, evaluations } = await finish(() => options(section('grpo', GRPO), own, { totalSteps: 12 }));
      expect(numTensors()).toBeLessThanOrEqual(before);
      expect(own.shown.map(({ step }) => step)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
      const [first] = own.shown;
      expect(first!.rollouts).toHaveLength(8);
      // Four answers to each of two prompts.
      expect(new Set(first!.rollouts.map(({ row }) => row)).size).toBe(2);
      for (const { reward, rewards, text, tokens } of first!.rollouts) {
        expect(rewards).toEqual({ low: reward });
        expect(text.split(' ')).toHaveLength(tokens);
        expect(rewardOf({ ids: Int32Array.from(text.split(' '), Number) })).toBeCloseTo(reward, 9);
      }
      const sum = first!.rollouts.reduce((total, { advantage }) => total + advantage!, 0);
      expect(sum).toBeCloseTo(0, 5);
      expect(Object.keys(steps[0]!.metrics).sort()).toEqual(
        [
          ...['reward', 'reward_std', 'rewards/low/mean', 'rewards/low/std', 'frac_reward_zero_std', 'num_tokens'],
          ...['mean', 'min', 'max'].flatMap((of) => [
            `completions/${of}_length`,
            `completions/${of}_terminated_length`,
          ]),
          ...['completions/clipped_ratio', 'entropy', 'clip_ratio/low_mean', 'clip_ratio/low_min'],
          ...['clip_ratio/high_mean', 'clip_ratio/high_max', 'clip_ratio/region_mean'],
        ].sort(),
      );
      const known = new Set(objectiveOf({ type: 'grpo' }).metrics.map(({ name }) => name));
      for (const name of Object.keys(steps[0]!.metrics))
        expect(known.has(name) || name.startsWith('rewards/')).toBe(true);
      const rewards = steps.map(({ metrics }) => metrics.reward!);
      expect(average(rewards.slice(-4))).toBeGreaterThan(average(rewards.slice(0, 4)) + 0.1);
      // The best evaluation is the one with the highest reward.
      for (const { loss, metrics } of evaluations as unknown as { loss: number; metrics: { reward: number } }[]) {
        expect(loss).toBeCloseTo(-metrics.reward, 6);
      }
      expect(evaluations.at(-1)!.metrics.reward).toBeGreaterThan(evaluations[0]!.metrics.reward!);
    });

    test('answers behind prompts of different lengths have the log-probabilities that they were drawn with', () =>
      withRun(options(section('grpo', GRPO), judge()), async ({ setup }) => {
        const { settings } = setup;
        const at = { step: 0, settings, draw: { seed: 1, pass: 0 }, stopped: () => false, report: () => {} };
        const tools = toolsOf(setup, at);
        const prompts = PROMPTS.flatMap((prompt) => [prompt, prompt]);
        const drawn = await tools.generateBatch(
          prompts.map(({ ids }) => ids),
          {
            ...{ temperature: 0.7, topP: 1, topK: 0, maxNewTokens: 6, stopTokenIds: [STOP], seed: 3, draw: 0 },
          },
        );
        // The token that ends an answer is learned with it.
        for (const { ids, finished } of drawn) expect(ids.at(-1) === STOP).toBe(finished);
        expect(new Set(drawn.map(({ ids }) => ids.length)).size).toBeGreaterThan(1);
        const answers = drawn.map(({ ids, finished }, i) => ({ prompt: prompts[i]!, ids, finished }));
        const found = (await answerLogProbs(tools, tools.policy, answers, 0.7))!;
        found.forEach((list, i) => {
          expectClose(list, [...drawn[i]!.logProbs], { atol: 1e-4 });
        });
      }));

    test('rejection sampling raises it too, and learns from the best answers alone', async () => {
      const own = judge();
      const of = section('rejection_sampling', GRPO);
      const { steps } = await finish(() => options(of, own, { totalSteps: 12 }));
      for (const { rollouts } of own.shown) {
        for (let first = 0; first < rollouts.length; first += 4) {
          const group = rollouts.slice(first, first + 4);
          const kept = group.filter(({ advantage }) => advantage === 1);
          expect(kept.length).toBeLessThanOrEqual(1);
          for (const { reward } of kept) expect(reward).toBe(Math.max(...group.map((one) => one.reward)));
        }
      }
      const rewards = steps.map(({ metrics }) => metrics.reward!);
      expect(average(rewards.slice(-4))).toBeGreaterThan(average(rewards.slice(0, 4)) + 0.1);
      const known = new Set(objectiveOf(of).metrics.map(({ name }) => name));
      for (const name of Object.keys(steps[0]!.metrics))
        expect(known.has(name) || name.startsWith('rewards/')).toBe(true);
    });

    test('RLOO raises it too', async () => {
      const of = section('rloo', { ...GRPO, beta: 0.01 });
      const { steps } = await finish(() => options(of, judge(), { totalSteps: 12 }));
      const rewards = steps.map(({ metrics }) => metrics.reward!);
      expect(average(rewards.slice(-4))).toBeGreaterThan(average(rewards.slice(0, 4)) + 0.1);
      // A new adapter is its reference.
      expect(steps[0]!.metrics.kl).toBeCloseTo(0, 5);
      expect(steps.at(-1)!.metrics.kl).toBeGreaterThan(0);
      const known = new Set(objectiveOf(of).metrics.map(({ name }) => name));
      for (const name of Object.keys(steps[0]!.metrics))
        expect(known.has(name) || name.startsWith('rewards/')).toBe(true);
    });

    resumes('RLOO, two steps on the same answers', () =>
      options(section('rloo', { ...GRPO, num_iterations: 2 }), judge(), { settings: { save_steps: 1 } }),
    );

    test('online DPO raises it too, preferring the answer that scored higher', async () => {
      const own = judge();
      const of = section('online_dpo', { max_new_tokens: 6, temperature: 1 });
      const small = { per_device_train_batch_size: 2, gradient_accumulation_steps: 2 };
      const { steps } = await finish(() => options(of, own, { totalSteps: 16, settings: small }));
      for (const { rollouts } of own.shown) {
        expect(rollouts).toHaveLength(8);
        for (let p = 0; p < rollouts.length; p += 2) {
          const [first, second] = [rollouts[p]!, rollouts[p + 1]!];
          expect(first.row).toBe(second.row);
          expect(first.advantage).toBe(first.reward >= second.reward ? 1 : -1);
          expect(second.advantage).toBe(-first.advantage!);
        }
      }
      // A new adapter is its reference.
      expect(steps[0]!.loss).toBeCloseTo(Math.LN2, 5);
      const rewards = steps.map(({ metrics }) => metrics.reward!);
      expect(average(rewards.slice(-4))).toBeGreaterThan(average(rewards.slice(0, 4)) + 0.1);
      const known = new Set(objectiveOf(of).metrics.map(({ name }) => name));
      for (const name of Object.keys(steps[0]!.metrics)) {
        expect(known.has(name) || name.startsWith('rewards/low'), name).toBe(true);
      }
    });

    const PPO = { response_length: 6, num_ppo_epochs: 2, kl_coef: 0.01, temperature: 1 };

    test('PPO raises it too, and its value model learns what to expect', async () => {
      const of = section('ppo', { ...PPO, vf_coef: 1 });
      const { steps } = await finish(() => options(of, judge(), { totalSteps: 24 }));
      const turns = steps.filter((_, i) => i % 2 === 0);
      const scores = turns.map(({ metrics }) => metrics['objective/scores']!);
      expect(average(scores.slice(-4))).toBeGreaterThan(average(scores.slice(0, 4)) + 0.1);
      const losses = turns.map(({ metrics }) => metrics['loss/value_avg']!);
      expect(average(losses.slice(-4))).toBeLessThan(0.5 * losses[0]!);
      // A new adapter is its reference; the first step of a turn is on the model's own answers.
      expect(turns[0]!.metrics['objective/kl']).toBeCloseTo(0, 5);
      for (const { metrics } of turns) expect(metrics['val/ratio']).toBeCloseTo(1, 4);
      const known = new Set(objectiveOf(of).metrics.map(({ name }) => name));
      const named = new Set(steps.flatMap(({ metrics }) => Object.keys(metrics)));
      for (const name of named) expect(known.has(name) || name.startsWith('rewards/'), name).toBe(true);
    });

    resumes('PPO, in the middle of its epochs', () =>
      options(section('ppo', { ...PPO, num_mini_batches: 2, missing_eos_penalty: 0.5 }), judge(), {
        settings: { lr_scheduler_type: 'linear' },
      }),
    );

    const iterated = section('grpo', { ...GRPO, num_iterations: 3, beta: 0.1 });
    resumes('GRPO, three steps on the same answers', () => options(iterated, judge()));

    test('a pause in the middle of writing answers changes nothing', async () => {
      const make = () => options(iterated, judge());
      const whole = await finish(make);
      let looks = 0;
      let asked = false;
      let pauses = 0;
      const paused = await finish(make, undefined, [
        // Asked before every token: the first comes in the middle of the first answers.
        {
          pauseRequested: () => {
            looks++;
            asked ||= [4, 23, 60].includes(looks);
            // Taken back before anybody but the answers has seen it.
            return looks === 12 || asked;
          },
          resumed: async () => {
            asked = false;
            pauses++;
          },
        },
      ]);
      expect(pauses).toBe(3);
      expect(paused.final).toEqual(whole.final);
      expect(paused.steps).toEqual(whole.steps);
    });

    test('answers that all score alike end the run with a sentence', async () => {
      const run = finish(() =>
        options(
          section('grpo', GRPO),
          judge(() => 1),
          { totalSteps: 9 },
        ),
      );
      await expect(run).rejects.toMatchObject({
        code: 'no_signal',
        message: 'All 8 answers to the same prompts scored alike, 5 times in a row, so there is nothing to learn from.',
      });
    });

    test('a reward that says nothing, or no number, is left out; an infinite one is refused', async () => {
      const silent = (answer: AnswerToScore, i: number) =>
        i % 4 === 0 ? null : i % 4 === 1 ? Number.NaN : rewardOf(answer);
      const own = judge(silent);
      const { steps } = await finish(() => options(section('grpo', GRPO), own, { totalSteps: 2 }));
      expect(steps.every(({ loss }) => Number.isFinite(loss))).toBe(true);
      for (const { rollouts } of own.shown) {
        expect(rollouts.filter(({ advantage }) => advantage === 0).length).toBeGreaterThanOrEqual(4);
      }
      const none = finish(() =>
        options(
          section('grpo', GRPO),
          judge(() => null),
          { totalSteps: 9 },
        ),
      );
      await expect(none).rejects.toMatchObject({ code: 'no_signal', message: /said nothing about any of 8 answers/ });
      const infinite = finish(() =>
        options(
          section('grpo', GRPO),
          judge(() => Infinity),
        ),
      );
      await expect(infinite).rejects.toMatchObject({ code: 'bad_recipe', where: 'objective.rewards' });
      const thrown = finish(() =>
        options(
          section('grpo', GRPO),
          judge(() => {
            throw new Error('The reward is broken.');
          }),
        ),
      );
      await expect(thrown).rejects.toThrow('The reward is broken.');
    });
  });
}
