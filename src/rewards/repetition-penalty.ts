/** Takes away for token n-grams that come again, as TRL's get_repetition_penalty_reward does. */
import { NO_COLUMNS, type RewardCommon, type RewardDescriptor } from './reward';

export interface RepetitionPenalty extends RewardCommon {
  type: 'repetition_penalty';
  ngram_size: number;
  max_penalty: number;
}

export const repetitionPenalty: RewardDescriptor<RepetitionPenalty> = {
  type: 'repetition_penalty',
  label: 'Repetition penalty',
  text: 'Gives 0 if nothing comes twice, and less the more of the answer’s runs of tokens are repeats.',
  runs: 'worker',
  range: ({ max_penalty }) => [max_penalty, 0],
  columns: NO_COLUMNS,
  fields: {
    ngram_size: {
      kind: 'int',
      label: 'Tokens in a run',
      help: 'Runs of so many tokens are compared.',
      default: 3,
      min: 1,
      max: 100,
      step: 1,
      source: 'TRL get_repetition_penalty_reward',
    },
    max_penalty: {
      kind: 'number',
      label: 'Largest penalty',
      help: 'What an answer that only repeats itself comes close to.',
      default: -1,
      min: -100,
      max: 0,
      step: 0.1,
      source: 'TRL get_repetition_penalty_reward',
    },
  },
  scorer:
    ({ ngram_size, max_penalty }) =>
    ({ tokens }) => {
      const ids = Array.from(tokens);
      const total = ids.length - ngram_size + 1;
      if (total < 1) return 0;
      const distinct = new Set(Array.from({ length: total }, (_, at) => ids.slice(at, at + ngram_size).join()));
      const repeated = 1 - distinct.size / total;
      return repeated === 0 ? 0 : repeated * max_penalty;
    },
};
