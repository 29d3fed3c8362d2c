/**
 * Losses and metrics of preferences on numbers that can be checked by hand. The expected ones are TRL 1.16's own, from its trainers'
 * loss functions on these log-probabilities. One body for both backends.
 */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { pairBatch } from '../../src/data/preference-batches';
import type { PairExample } from '../../src/data/types';
import { cpoResult } from '../../src/engine/objectives/cpo';
import { dpoResult, dpoTokenWeight } from '../../src/engine/objectives/dpo';
import { ktoResult } from '../../src/engine/objectives/kto';
import type { LossResult } from '../../src/engine/objectives/objective';
import { orpoResult } from '../../src/engine/objectives/orpo';
import { type AnswerTokens, answersAmong, answerTokens, rowSums } from '../../src/engine/objectives/preference/answers';
import type { TargetFigures } from '../../src/engine/objectives/tokens';
import { readFloats } from '../../src/engine/webgpu/backend';
import { defaultSection } from '../../src/objectives';
import { type CpoObjective, cpo } from '../../src/objectives/cpo';
import { type DpoObjective, dpo } from '../../src/objectives/dpo';
import { type KtoObjective, kto } from '../../src/objectives/kto';
import { type OrpoObjective, orpo } from '../../src/objectives/orpo';
import { expectClose } from '../kernel-helpers';

/** Log-probabilities of the tokens of two better answers, then of the two others. */
const POLICY = [
  [-0.5, -1, -0.25],
  [-2, -0.5],
  [-1.5, -1],
  [-0.75, -0.5, -1],
];
const REFERENCE = [
  [-0.6, -1.1, -0.4],
  [-1.8, -0.7],
  [-1.2, -0.9],
  [-0.7, -0.6, -0.8],
];

/** Answers as long as these, behind a prompt of two tokens; what the tokens are does not matter. */
function pairsLike(rows: number[][]): AnswerTokens {
  const pairs = rows.length / 2;
  const ids = (row: number[]) => Int32Array.from([1, 2, ...row.map((_, i) => 3 + i)]);
  const examples = rows.slice(0, pairs).map(
    (row, i): PairExample => ({
      ...{ kind: 'pair', row: i + 1, ids: ids(row), rejected: ids(rows[pairs + i]!) },
      ...{ promptLength: 2, margin: 0, truncatedBy: 0 },
    }),
  );
  return answerTokens(pairBatch(examples, 0, 8));
}

/** One number for each token, padded as its targets are. */
const perToken = (tokens: AnswerTokens, rows: number[][]) =>
  tf.tensor1d(Float32Array.from(tokens.rowOf, (row, i) => (row < 0 ? 0 : rows[row]![tokens.placeOf[i]!]!)));

const section = (changes: Partial<DpoObjective> = {}): DpoObjective => ({
  ...(defaultSection(dpo as never) as DpoObjective),
  ...changes,
});

interface Given {
  policy?: number[][];
  reference?: number[][];
  /** log Σ p² of every token, for WPO. */
  logSumSq?: number[][];
}

/** As means over the pairs. */
function dpoOn(changes: Partial<DpoObjective>, { policy = POLICY, reference = REFERENCE, logSumSq }: Given = {}) {
  const own = section(changes);
  const pairs = policy.length / 2;
  return numbersOf(() => {
    const tokens = pairsLike(policy);
    const figures = figuresOf(perToken(tokens, policy), logSumSq && perToken(tokens, logSumSq));
    const compared = rowSums(tokens, perToken(tokens, reference), dpoTokenWeight(own, tokens));
    return dpoResult(own, { scale: 1 / pairs, pairs, tokens, figures, reference: compared });
  });
}

const LOSSES: [string, Partial<DpoObjective>, number][] = [
  ['sigmoid', {}, 0.671013],
  ['sigmoid, beta 0.5', { beta: 0.5 }, 0.589737],
  ['sigmoid_norm', { loss_type: ['sigmoid_norm'] }, 0.684045],
  ['hinge', { loss_type: ['hinge'] }, 0.955],
  ['ipo', { loss_type: ['ipo'] }, 23.218056],
  ['robust', { loss_type: ['robust'], label_smoothing: 0.1 }, 0.665388],
  ['exo_pair', { loss_type: ['exo_pair'], label_smoothing: 1e-3 }, 2.683926],
  ['nca_pair', { loss_type: ['nca_pair'] }, 1.375216],
  ['bco_pair', { loss_type: ['bco_pair'] }, 1.363985],
  ['sppo_hard', { loss_type: ['sppo_hard'] }, 45.652496],
  ['aot', { loss_type: ['aot'] }, 0.671013],
  ['aot_unpaired', { loss_type: ['aot_unpaired'] }, 0.670903],
  ['apo_zero', { loss_type: ['apo_zero'] }, 0.988751],
  ['apo_down', { loss_type: ['apo_down'] }, 0.993129],
  ['discopop', { loss_type: ['discopop'] }, 0.867959],
  ['sft', { loss_type: ['sft'] }, 0.85],
  ['MPO', { loss_type: ['sigmoid', 'bco_pair', 'sft'], loss_weights: [0.8, 0.2, 1] }, 1.659607],
  ['forward KL', { f_divergence_type: 'forward_kl' }, 0.669826],
  ['Jensen-Shannon', { f_divergence_type: 'js_divergence' }, 0.681805],
  ['alpha 0.5', { f_divergence_type: 'alpha_divergence' }, 0.670535],
  ['LD-DPO', { ld_alpha: 0.5 }, 0.675308],
];

const PAIRS = 2;

/** Figures of distributions that no loss here looks at. */
const figuresOf = (logProbs: tf.Tensor1D, logSumSq?: tf.Tensor1D): TargetFigures => {
  const zeros = tf.zerosLike(logProbs);
  return { logProbs, entropy: zeros, meanLogit: zeros, hits: zeros, logSumSq: logSumSq ?? zeros };
};

/** The loss and the metrics of what `compute` gives, as numbers. */
async function numbersOf(compute: () => LossResult): Promise<Record<string, number> & { loss: number }> {
  const result = tf.tidy(() => {
    const { loss, metrics, counts = {} } = compute();
    const own = Object.entries(metrics).filter(([name]) => counts[name] !== 0);
    // Metrics over something else than the targets are undone by the loop.
    return { loss, ...Object.fromEntries(own) };
  });
  const names = Object.keys(result);
  const values = await Promise.all(Object.values(result).map((tensor) => readFloats(tensor)));
  tf.dispose(result);
  return Object.fromEntries(names.map((name, i) => [name, values[i]![0]!])) as Record<string, number> & {
    loss: number;
  };
}

/** Sums of the mismatched answers. */
const MISMATCHED = { policy: [-4, -5, -3.5, -6], reference: [-4.2, -5.1, -3.3, -6.4] };

function ktoOn(changes: Partial<KtoObjective>, good: number[], mismatched: typeof MISMATCHED | null = MISMATCHED) {
  const own = { ...(defaultSection(kto as never) as KtoObjective), ...changes };
  return numbersOf(() => {
    const tokens = pairsLike(POLICY);
    return ktoResult(own, {
      scale: 1 / good.length,
      good: Uint8Array.from(good),
      tokens,
      figures: figuresOf(perToken(tokens, POLICY)),
      reference: rowSums(tokens, perToken(tokens, REFERENCE)),
      mismatched: mismatched && {
        policy: tf.tensor1d(mismatched.policy),
        reference: tf.tensor1d(mismatched.reference),
      },
    });
  });
}

const [TTFF, TTTF] = [
  [1, 1, 0, 0],
  [1, 1, 1, 0],
];

function cpoOn(changes: Partial<CpoObjective>) {
  const own = { ...(defaultSection(cpo as never) as CpoObjective), cpo_alpha: 0, ...changes };
  return numbersOf(() => {
    const tokens = pairsLike(POLICY);
    const figures = figuresOf(perToken(tokens, POLICY));
    return cpoResult(own, { scale: 1 / PAIRS, pairs: PAIRS, tokens, figures });
  });
}

/** Means of the two pairs' losses, which the research lists one by one. */
const CPO: [string, Partial<CpoObjective>, number][] = [
  ['CPO', {}, (0.65635 + 0.705725) / 2],
  ['CPO, smoothed', { label_smoothing: 0.1 }, 0.683538],
  ['CPO with cross-entropy', { cpo_alpha: 1 }, 0.681038 + 0.85],
  ['SimPO, beta 2, gamma 1', { loss_type: 'simpo', beta: 2, simpo_gamma: 1 }, (0.540306 + 2.126928) / 2],
  ['SimPO, beta 0.1, gamma 0.5', { loss_type: 'simpo', simpo_gamma: 0.5 }, (0.933105 + 1.005492) / 2],
  ['AlphaPO', { loss_type: 'simpo', simpo_gamma: 0.5, alpha: 0.25 }, (0.922665 + 1.014548) / 2],
];

export function preferenceParity(backend: string, setUp: () => Promise<void>): void {
  describe(`${backend}: losses of pairs`, () => {
    beforeAll(setUp);

    test.each(LOSSES)('%s is TRL’s', async (_name, changes, loss) => {
      expectClose([(await dpoOn(changes)).loss], [loss], { rtol: 1e-6, atol: 1e-6 });
    });

    test.each([
      ['as many good as bad', {}, TTFF, MISMATCHED, 0.494376],
      ['desirable_weight', { desirable_weight: 1.33 }, TTFF, MISMATCHED, 0.57667],
      ['three good, one bad', {}, TTTF, MISMATCHED, 0.500937],
      ['no drift', {}, TTTF, { ...MISMATCHED, policy: MISMATCHED.reference }, 0.499375],
      // Its sum is 1.493 + 3 · 0.499.
      ['undesirable_weight', { undesirable_weight: 3 }, TTTF, MISMATCHED, 0.7475],
    ] as const)('KTO, %s, is TRL’s', async (_name, changes, good, mismatched, loss) => {
      const { kl, ...given } = await ktoOn(changes, [...good], mismatched);
      expectClose([given.loss], [loss], { atol: 2e-6 });
      expectClose([kl!], [mismatched === MISMATCHED ? 0.125 : 0], { atol: 1e-6 });
    });

    test('KTO: the drift is never below 0, and a side without answers has no metrics', async () => {
      const turned = { policy: MISMATCHED.reference, reference: MISMATCHED.policy };
      expect((await ktoOn({}, TTTF, turned)).kl).toBe(0);
      const none = await ktoOn({}, [1, 1, 1, 1]);
      expect(Object.keys(none)).not.toContain('rewards/rejected');
      expect(Object.keys(none)).not.toContain('rewards/margins');
      expect(Object.keys(none)).toContain('rewards/chosen');
      // Without drift: 1 − σ(βr) of good answers, σ(βr) of bad ones.
      const sigma = (x: number) => 1 / (1 + Math.exp(-x));
      const apo = (1 - sigma(0.035) + (1 - sigma(0)) + sigma(-0.04) + sigma(-0.015)) / 4;
      expectClose([(await ktoOn({ loss_type: 'apo_zero_unpaired' }, TTFF, null)).loss], [apo], { atol: 1e-6 });
    });

    test('ORPO is TRL’s', async () => {
      // The prompts' tokens are among what is learned: two of each better answer, whose log-probabilities make the mean 1.2.
      const prompts = [-2.35, -2.35 + 0.2];
      const { loss, ...metrics } = await numbersOf(() => {
        const rows = POLICY.map((row, i) => (i < PAIRS ? [prompts[i]!, ...row] : row));
        const all = pairsLike(rows);
        const answers = answersAmong(
          all,
          POLICY.map((row) => row.length),
        );
        const own = defaultSection(orpo as never) as OrpoObjective;
        return orpoResult(own, {
          scale: 1 / PAIRS,
          pairs: PAIRS,
          all,
          answers,
          figures: figuresOf(perToken(all, rows)),
        });
      });
      const likelihood = (4.25 + 2.35 + 2.15) / 7;
      const expected = {
        log_odds_ratio: -0.724231,
        log_odds_chosen: 0.171919,
        nll_loss: likelihood,
        'logps/chosen': (-0.583333 - 1.25) / 2,
        'logps/rejected': (-1.25 - 0.75) / 2,
        'rewards/margins': 0.1 * ((-0.583333 - 1.25 + 1.25 + 0.75) / 2),
        'rewards/accuracies': 0.5,
      };
      for (const [name, value] of Object.entries(expected))
        expectClose([metrics[name]!], [value], { atol: 1e-6 }, name);
      expectClose([loss], [likelihood + 0.0724231], { atol: 2e-6 });
    });

    test.each(CPO)('%s is TRL’s', async (_name, changes, loss) => {
      expectClose([(await cpoOn(changes)).loss], [loss], { atol: 2e-6 });
    });

    test('metrics are TRL’s', async () => {
      const { loss: _, ...metrics } = await dpoOn({});
      const expected = {
        'rewards/chosen': 0.0175,
        'rewards/rejected': -0.0275,
        'rewards/accuracies': 1,
        'rewards/margins': 0.045,
        'logps/chosen': -2.125,
        'logps/rejected': -2.375,
      };
      for (const [name, value] of Object.entries(expected))
        expectClose([metrics[name]!], [value], { atol: 1e-6 }, name);
    });
  });
}
