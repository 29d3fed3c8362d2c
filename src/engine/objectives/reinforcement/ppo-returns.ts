/**
 * From scores to advantages and returns, as TRL 1.12.0's PPO computes them. An answer of n + 1 tokens has a value before each of
 * them, and one more behind the last where longer answers of the turn leave room for it: there its score is counted, otherwise at
 * the last token.
 */

export interface ScoredAnswer {
  /** Of each token, as the policy that wrote it and the reference see it. */
  logProbs: readonly number[];
  reference: readonly number[];
  /** One for each token, and one behind the last if the answer is shorter than the longest. */
  values: readonly number[];
  score: number;
}

export interface ReturnOptions {
  kl_coef: number;
  kl_estimator: 'k1' | 'k3';
  gamma: number;
  lam: number;
  whiten_rewards: boolean;
}

export interface Returns {
  /** Whitened over the turn; one for each token. */
  advantages: number[][];
  /** As many as values. */
  returns: number[][];
  /** Under TRL's names. */
  metrics: Record<string, number>;
}

const WHITENING = 1e-8;

const sum = (list: readonly number[]) => list.reduce((total, x) => total + x, 0);
const average = (list: readonly number[]) => sum(list) / Math.max(1, list.length);

/** Zero mean (unless it is kept) and unit variance over all numbers, with Bessel's correction. */
function whitened(lists: readonly (readonly number[])[], keepMean: boolean): number[][] {
  const all = lists.flat();
  const mean = average(all);
  const variance = sum(all.map((x) => (x - mean) ** 2)) / Math.max(1, all.length - 1);
  const scale = 1 / Math.sqrt(variance + WHITENING);
  return lists.map((list) => list.map((x) => (x - mean) * scale + (keepMean ? mean : 0)));
}

export function ppoReturns(answers: readonly ScoredAnswer[], options: ReturnOptions): Returns {
  const { kl_coef, kl_estimator, gamma, lam } = options;
  const kl = answers.map(({ logProbs, reference }) =>
    logProbs.map((own, t) => {
      const distance = reference[t]! - own;
      return kl_estimator === 'k1' ? -distance : Math.exp(distance) - 1 - distance;
    }),
  );
  const penalties = kl.map((list) => list.map((x) => -kl_coef * x));
  let rewards = answers.map(({ values, score }, i) => {
    const own = values.map((_, t) => penalties[i]![t] ?? 0);
    own[own.length - 1]! += score;
    return own;
  });
  if (options.whiten_rewards) rewards = whitened(rewards, true);
  const raw = answers.map(({ values }, i) => {
    const advantages = new Array<number>(values.length);
    let last = 0;
    for (let t = values.length - 1; t >= 0; t--) {
      const next = values[t + 1] ?? 0;
      last = rewards[i]![t]! + gamma * next - values[t]! + gamma * lam * last;
      advantages[t] = last;
    }
    return advantages;
  });
  const scores = average(answers.map(({ score }) => score));
  const nonScore = average(penalties.map(sum));
  return {
    advantages: whitened(
      raw.map((list, i) => list.slice(0, answers[i]!.logProbs.length)),
      false,
    ),
    returns: raw.map((list, i) => list.map((advantage, t) => advantage + answers[i]!.values[t]!)),
    metrics: {
      'objective/kl': average(kl.map(sum)),
      'objective/entropy': average(answers.map(({ logProbs }) => -sum(logProbs))),
      'objective/non_score_reward': nonScore,
      'objective/rlhf_reward': nonScore + scores,
      'objective/scores': scores,
    },
  };
}
