/** English of the status line and of notifications: what happened to a run or a download. */
import type { RunRecord } from '../storage/types';
import type { Phase } from './training';

const phases: Partial<Record<Phase, string>> = {
  starting: 'Training is starting.',
  paused: 'Training is paused.',
  stopping: 'Training stops after this step.',
};

export const announcements = {
  phases,
  refused: (why: string) => `Training did not start. ${why}`,
  step: (step: number, total: number, loss: string) => `Training: step ${step} of ${total}, loss ${loss}.`,
  downloaded: (title: string) => `${title} is downloaded.`,
  downloadStopped: (title: string, why: string) => `The download of ${title} stopped. ${why}`,
};

/** How a run ended. */
export function outcomeOf({ status, step, totalSteps: total }: RunRecord): string {
  switch (status) {
    case 'completed':
      return `Training finished after ${step} of ${total} steps.`;
    case 'early_stopped':
      return `Training stopped early at step ${step} of ${total}: the validation loss no longer improved.`;
    case 'stopped':
      return `Training was stopped at step ${step} of ${total}. The weights trained so far are kept.`;
    case 'failed':
      return `Training failed at step ${step} of ${total}.`;
    default:
      return `Training was interrupted at step ${step} of ${total}.`;
  }
}
