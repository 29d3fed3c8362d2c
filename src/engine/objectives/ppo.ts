/**
 * Proximal policy optimisation (Schulman et al., 2017) as TRL 1.12.0's experimental PPOTrainer does it: one answer to each prompt, a
 * penalty at every token for what the reference finds unlikely, and a value model that says which tokens the score is due to.
 */
import * as tf from '@tensorflow/tfjs-core';
import { permutation, Stream } from '../../base/random';
import type { RolloutBatch } from '../../data/types';
import type { PpoObjective } from '../../objectives/ppo';
import { takeRows } from '../kernels/moves/row-moves';
import { batchAs, type Objective, type ObjectiveTwin, type PrepareTools, type View } from './objective';
import { answerTokens, perToken, tokenMean } from './reinforcement/answer-tokens';
import { figureOf, type HeldAnswer, rolloutBatch, rolloutBatches } from './reinforcement/held';
import { ppoLoss } from './reinforcement/ppo-loss';
import { ppoReturns } from './reinforcement/ppo-returns';
import { ofMicroBatch } from './reinforcement/result';
import { answerLogProbs, keep, reusedRollouts } from './reinforcement/reused';
import { type Answer, lengthMetrics, rewardMetrics, shownRollouts } from './reinforcement/rollouts';
import { padTargets, targetLogProbsAndEntropy } from './tokens';

/** Indices of the flattened hidden states that values are read at: before each token, and behind the last where wanted. */
function valuePlaces({ batchSize, length, lengths, figures }: RolloutBatch): { rows: Int32Array; count: number } {
  const { prompt_length: prompts, has_extra: extra } = figures;
  const pairs: [number, number][] = [];
  for (let b = 0; b < batchSize; b++) {
    const end = lengths[b]! - 1 + extra![b]!;
    for (let t = prompts![b]! - 1; t < end; t++) pairs.push([b * length + t, 0]);
  }
  return { rows: padTargets({ batchSize, length }, pairs).rows, count: pairs.length };
}

/** The value model's numbers at these rows, [rows]. */
function valuesAt(view: View, batch: RolloutBatch, rows: Int32Array): tf.Tensor1D {
  const head = view.model.heads.classification;
  if (head?.kind !== 'texts') throw new Error('The value model has no head of one score.');
  const hidden = takeRows(view.hidden(batch), view.ints('value_rows', rows, [rows.length]));
  // Each row is a text of one token, read at its end.
  const one = { batch: rows.length, length: 1, lengths: new Int32Array(rows.length).fill(1) };
  return tf.reshape(head.scores(hidden, one, view.hooks), [rows.length]);
}

const listed = (rows: Int32Array, figure: Float32Array) =>
  Float32Array.from(rows, (row) => (row < 0 ? 0 : figure[row]!));

/** Values of each answer: one for each token, and one behind the last if it is shorter than the longest. */
async function answerValues(
  tools: PrepareTools,
  answers: readonly Answer[],
  columns: number,
): Promise<number[][] | null> {
  const size = tools.settings.per_device_train_batch_size;
  const view = tools.value();
  const all: number[][] = [];
  for (let first = 0; first < answers.length; first += size) {
    if (tools.stopped()) return null;
    const some = answers.slice(first, first + size);
    const batch = rolloutBatch(
      some.map((answer) => ({ ...keep(answer), figures: shapeOf(answer, columns) })),
      tools.tokens.pad,
    );
    const { rows, count } = valuePlaces(batch);
    const values = await tools.read(() => valuesAt(view, batch, rows));
    const own: number[][] = some.map(() => []);
    for (let i = 0; i < count; i++) own[Math.floor(rows[i]! / batch.length)]!.push(values[i]!);
    all.push(...own);
  }
  return all;
}

const shapeOf = ({ prompt, ids }: Answer, columns: number) => ({
  prompt_length: prompt.ids.length,
  has_extra: ids.length < columns ? 1 : 0,
});

export function ppo(section: PpoObjective): Objective {
  const { num_ppo_epochs, num_mini_batches, response_length, temperature, missing_eos_penalty } = section;
  return {
    batches: 'prompt',
    usesReference: true,
    usesValue: true,
    ...reusedRollouts({
      steps: num_ppo_epochs * num_mini_batches,
      ...{ sampling: { temperature, top_p: 1, top_k: 0 }, maxNewTokens: response_length, generations: 1 },
      async turn(tools, scored, count) {
        const { answers, rewards } = scored;
        const columns = Math.max(...answers.map(({ ids }) => ids.length));
        const old = await answerLogProbs(tools, tools.policy, answers, temperature);
        const reference = old && (await answerLogProbs(tools, tools.reference(), answers, temperature));
        const values = reference && (await answerValues(tools, answers, columns));
        if (!old || !reference || !values) return null;
        const { advantages, returns, metrics } = ppoReturns(
          answers.map(({ finished }, i) => ({
            ...{ logProbs: old[i]!, reference: reference[i]!, values: values[i]! },
            // An answer that no reward says anything about has earned nothing.
            score: (Number.isNaN(rewards[i]!) ? 0 : rewards[i]!) - (finished ? 0 : missing_eos_penalty),
          })),
          section,
        );
        tools.show(
          shownRollouts(
            scored,
            advantages.map((list) => list.reduce((sum, x) => sum + x, 0) / Math.max(1, list.length)),
          ),
        );
        return {
          answers: answers.map((answer, i) => ({
            ...keep(answer),
            figures: {
              ...{ ...shapeOf(answer, columns), columns },
              ...{ old: old[i]!, advantage: advantages[i]! },
            },
            states: { value: values[i]!, return: returns[i]! },
          })),
          metrics: {
            ...rewardMetrics(scored),
            ...metrics,
            'val/num_eos_tokens': answers.filter(({ finished }) => finished).length,
            ...lengthMetrics(answers),
            episode: (count + 1) * answers.length,
          },
        };
      },
      batches(answers, within, { settings, tokens }, turn) {
        const epoch = turn * num_ppo_epochs + Math.floor(within / num_mini_batches);
        const order = permutation(answers.length, settings.seed, Stream.rolloutOrder, epoch);
        const at = within % num_mini_batches;
        const size = Math.ceil(answers.length / num_mini_batches);
        const own: HeldAnswer[] = Array.from(order.subarray(at * size, (at + 1) * size), (i) => answers[i]!);
        // The last turn of an epoch may have too few answers for every step.
        const some = own.length > 0 ? own : [answers[order[0]!]!];
        return rolloutBatches(some, settings.per_device_train_batch_size, tokens.pad);
      },
    }),
    loss(pass, batch) {
      const own = batchAs(batch, 'rollout');
      const tokens = answerTokens(own);
      const { policy } = pass;
      const { logProbs, entropy } = targetLogProbsAndEntropy(policy, policy.hidden(own), tokens.targets, temperature);
      const given = (name: string) => perToken(tokens, figureOf(own, name), own.batchSize);
      const { rows, count } = valuePlaces(own);
      const { loss, metrics } = ppoLoss(
        { tokens, logProbs, old: given('old'), advantages: given('advantage') },
        {
          values: valuesAt(pass.value(), own, rows),
          count,
          old: listed(rows, figureOf(own, 'value')),
          returns: listed(rows, figureOf(own, 'return')),
        },
        own.batchSize * figureOf(own, 'columns')[0]!,
        section,
      );
      return ofMicroBatch(pass, loss, { ...metrics, 'policy/entropy_avg': tokenMean(tokens, entropy) });
    },
  };
}

export const ppoTwin: ObjectiveTwin<PpoObjective> = { type: 'ppo', create: ppo };
