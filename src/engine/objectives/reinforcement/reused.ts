/** What the objectives that learn from their own answers share: writing them, keeping them for several steps, evaluating. */
import { permutation, Stream } from '../../../base/random';
import type { Batch, PromptExample, RolloutBatch } from '../../../data/types';
import { batchAs, type Objective, type PrepareTools, type View } from '../objective';
import { targetLogProbs } from '../tokens';
import { mean } from './advantages';
import { answerTokens } from './answer-tokens';
import { type HeldAnswer, type HeldRollouts, rolloutBatch, rolloutBatches } from './held';
import { NoSpread, type NothingLearned } from './no-spread';
import {
  type Answer,
  answerPrompts,
  EVALUATION_DRAW,
  finite,
  lengthMetrics,
  rewardMetrics,
  type Sampling,
  type ScoredAnswers,
  scoreAnswers,
} from './rollouts';

/** What a turn of the examples comes to. */
export interface Turn {
  answers: HeldAnswer[];
  metrics: Record<string, number>;
  /** The share of groups whose answers all scored alike; left out where that does not matter. */
  withoutSpread?: number;
  /** Why nothing is learned, where that is not for want of spread. */
  why?: NothingLearned;
}

export interface ReuseOptions {
  /** Optimiser steps on the same answers. */
  steps: number;
  sampling: Sampling;
  maxNewTokens: number;
  /** Answers to each prompt. */
  generations: number;
  turn(tools: PrepareTools, scored: ScoredAnswers, count: number): Promise<Turn | null>;
  /** The micro-batches of the step `within` a turn; all answers in order if left out. */
  batches?(answers: readonly HeldAnswer[], within: number, tools: PrepareTools, turn: number): RolloutBatch[];
}

interface Saved {
  held?: HeldRollouts;
  turnsWithoutSpread: number;
  tokens: number;
}

export const promptsOf = (batches: readonly Batch[]): PromptExample[] =>
  batches.flatMap((batch) => [...batchAs(batch, 'prompt').prompts]);

/** Each of the list so many times in a row. */
export const repeated = <T>(list: readonly T[], times: number): T[] =>
  list.flatMap((item) => Array.from({ length: times }, () => item));

type Reused = Required<Pick<Objective, 'prepare' | 'state' | 'restore' | 'evaluate' | 'targets'>>;

export function reusedRollouts(options: ReuseOptions): Reused {
  const { steps, sampling, maxNewTokens, generations } = options;
  const spread = new NoSpread();
  let held: HeldRollouts | null = null;
  /** Of prompts and answers so far. */
  let tokens = 0;

  const roll = async (tools: PrepareTools, batches: Batch[], turn: number): Promise<HeldRollouts | null> => {
    const prompts = repeated(promptsOf(batches), generations);
    const answers = await answerPrompts(tools, prompts, sampling, maxNewTokens, turn);
    if (!answers) return null;
    const scored = await scoreAnswers(tools, answers);
    if (tools.stopped()) return null;
    const made = await options.turn(tools, scored, turn);
    if (!made || tools.stopped()) return null;
    tokens += answers.reduce((sum, { prompt, ids }) => sum + prompt.ids.length + ids.length, 0);
    if (made.withoutSpread !== undefined) spread.note(made.withoutSpread, answers.length, scored.rewards, made.why);
    return { turn, answers: made.answers, metrics: finite({ ...made.metrics, num_tokens: tokens }) };
  };

  return {
    // A micro-batch's loss is a mean of its own, and a step's the mean of those.
    targets: () => 1,
    async prepare(tools, batches) {
      const turn = Math.floor(tools.step / steps);
      const within = tools.step % steps;
      if (held?.turn !== turn) held = await roll(tools, batches, turn);
      if (!held) return [];
      if (within === 0) tools.report({ ...held.metrics });
      if (options.batches) return options.batches(held.answers, within, tools, turn);
      return rolloutBatches(held.answers, tools.settings.per_device_train_batch_size, tools.tokens.pad);
    },
    state(next = 0): Saved {
      const needed = held !== null && held.turn === Math.floor(next / steps);
      return { ...(needed ? { held: held! } : {}), turnsWithoutSpread: spread.turns, tokens };
    },
    restore(state) {
      const saved = state as Saved;
      held = saved.held ?? null;
      spread.turns = saved.turnsWithoutSpread;
      tokens = saved.tokens;
    },
    evaluate: (tools, batches) => evaluateAnswers(tools, batches, sampling, maxNewTokens),
  };
}

/** One answer to each held-out prompt, drawn with the same random numbers in every evaluation. */
export async function evaluateAnswers(
  tools: PrepareTools,
  batches: Batch[],
  sampling: Sampling,
  maxNewTokens: number,
): Promise<{ loss: number; metrics: Record<string, number> } | null> {
  const answers = await answerPrompts(tools, promptsOf(batches), sampling, maxNewTokens, EVALUATION_DRAW);
  if (!answers) return null;
  const scored = await scoreAnswers(tools, answers);
  const metrics = { ...rewardMetrics(scored), ...lengthMetrics(answers) };
  return { loss: -mean(scored.rewards), metrics };
}

/** An answer as it is kept. */
export const keep = ({ prompt, ids }: Answer): Pick<HeldAnswer, 'prompt' | 'answer'> => ({
  prompt: [...prompt.ids],
  answer: [...ids],
});

/** The order in which a turn's answers are cut into micro-batches. */
export function shuffled<T>(list: readonly T[], tools: PrepareTools, count: number): T[] {
  return Array.from(permutation(list.length, tools.settings.seed, Stream.rolloutOrder, count), (i) => list[i]!);
}

/** Log-probabilities of each answer's tokens, as one side of a pass gives them; null once the run is to stop. */
export async function answerLogProbs(
  tools: PrepareTools,
  view: View,
  answers: readonly Answer[],
  temperature: number,
): Promise<number[][] | null> {
  const rows = tools.settings.per_device_train_batch_size;
  const all: number[][] = [];
  for (let first = 0; first < answers.length; first += rows) {
    if (tools.stopped()) return null;
    const some = answers.slice(first, first + rows);
    const batch = rolloutBatch(
      some.map((answer) => ({ ...keep(answer), figures: {} })),
      tools.tokens.pad,
    );
    const list = answerTokens(batch);
    const values = await tools.read(() => targetLogProbs(view, view.hidden(batch), list.targets, temperature));
    const own: number[][] = some.map(() => []);
    for (let i = 0; i < list.count; i++) own[list.rowOf[i]!]!.push(values[i]!);
    all.push(...own);
  }
  return all;
}
