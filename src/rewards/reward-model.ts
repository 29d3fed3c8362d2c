/** A model that was trained to tell better answers from worse ones. The engine runs it. */
import { NO_COLUMNS, type RewardCommon, type RewardDescriptor } from './reward';

export interface RewardModel extends RewardCommon {
  type: 'reward_model';
  source: string;
}

export const rewardModel: RewardDescriptor<RewardModel> = {
  type: 'reward_model',
  label: 'Reward model',
  text: 'Gives the score of a reward model that was trained here or loaded.',
  runs: 'engine',
  range: () => null,
  columns: NO_COLUMNS,
  fields: {
    source: {
      kind: 'text',
      label: 'Reward model',
      help: 'run:ID of a run of this browser, or file:NAME of an adapter with a reward head.',
      default: '',
      placeholder: 'run:ID or file:NAME',
      source: 'yours',
    },
  },
  *problems({ source }) {
    if (/^(run|file):.*\S/.test(source)) return;
    yield { key: 'source', message: `must be run:ID or file:NAME, not ${JSON.stringify(source)}.` };
  },
};
