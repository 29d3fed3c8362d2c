/** Rewards that are computed from text, patterns of strangers among them: a worker can be ended when one does not. */
import { TabtuneError } from '../../base/errors';
import { rewardOf } from '../../rewards';
import type { DataApi } from './api';

export const scoreAnswers: DataApi['scoreAnswers'] = async (reward, answers, onAnswer) => {
  const { scorer } = rewardOf(reward);
  if (!scorer) throw new Error(`${reward.type} is not computed in the data worker.`);
  const score = await scorer(reward);
  return answers.map((answer, at) => {
    onAnswer(at);
    const value = score(answer);
    if (value === null || Number.isFinite(value)) return value;
    throw new TabtuneError({
      code: 'bad_reward',
      message: `${reward.name} gave ${value} for answer ${at + 1}.`,
      where: 'objective.rewards',
      action: 'Change its settings, or use another reward.',
    });
  });
};
