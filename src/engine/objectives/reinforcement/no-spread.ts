/** Notices when all answers to a prompt get the same reward, again and again: then there is nothing to learn from them. */
import { TabtuneError } from '../../../base/errors';

/** Turns in a row after which a run ends. */
const MOST = 5;

/** Why nothing is learned of a turn, where that is not for want of spread. */
export interface NothingLearned {
  message(turns: number): string;
  action: string;
}

export class NoSpread {
  /** Turns in a row without any spread. */
  turns = 0;

  /** `withoutSpread`: the share of groups whose answers all scored alike. Throws when it has been all of them for too long. */
  note(withoutSpread: number, answers: number, rewards: readonly number[], why?: NothingLearned): void {
    if (withoutSpread < 1 && rewards.some((reward) => !Number.isNaN(reward))) {
      this.turns = 0;
      return;
    }
    this.turns++;
    if (this.turns < MOST) return;
    const silent = rewards.every((reward) => Number.isNaN(reward));
    if (why && !silent) {
      const { message, action } = why;
      throw new TabtuneError({ code: 'no_signal', message: message(MOST), where: 'objective.rewards', action });
    }
    throw new TabtuneError({
      code: 'no_signal',
      message: silent
        ? `The rewards said nothing about any of ${answers} answers, ${MOST} times in a row, so there is nothing to learn from.`
        : `All ${answers} answers to the same prompts scored alike, ${MOST} times in a row, so there is nothing to learn from.`,
      where: 'objective.rewards',
      action: silent
        ? 'Look at the answers below the charts, and at the columns that the rewards read.'
        : 'Choose a reward that tells good answers from better ones, easier prompts, more answers a prompt, or a higher temperature.',
    });
  }
}
