/** What is said of rewards that fail. */
import { TabtuneError } from '../base/errors';
import type { RewardSection } from '../rewards';

/** A reward that did not end. `at`: the answer, from 0. */
export const endless = ({ name, type }: RewardSection, at: number): TabtuneError =>
  new TabtuneError({
    code: 'bad_reward',
    message: `${name} did not come to an end with answer ${at + 1}, and was stopped.`,
    where: 'objective.rewards',
    action:
      type === 'regex'
        ? 'Make its pattern simpler: one repetition inside another can take for ever.'
        : 'Make it simpler, or use another reward.',
  });

/** Code of somebody else, which the person has not agreed to. */
export const unseen = (name: string): TabtuneError =>
  new TabtuneError({
    code: 'bad_reward',
    message: `The code of ${name} came with the recipe, and nobody has agreed to it yet.`,
    where: 'objective.rewards',
    action: 'Read it on the Recipe page, and press Allow this code if you trust it.',
  });
