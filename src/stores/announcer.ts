/**
 * What the status line says: changes of state at once, progress at most every ten seconds, so that a screen reader is
 * told how it goes and is not talked over.
 */
import { create } from 'zustand';
import { useDownloads } from './downloads';
import { type Phase, useTraining } from './training';

interface AnnouncerState {
  text: string;
}

export const useAnnouncer = create<AnnouncerState>()(() => ({ text: '' }));

const every = 10_000;

const words: Partial<Record<Phase, string>> = {
  starting: 'Training is starting.',
  paused: 'Training is paused.',
  stopping: 'Training stops after this step.',
};

export function outcomeOf(status: string, step: number, total: number): string {
  switch (status) {
    case 'completed':
      return `Training finished after ${step} of ${total} steps.`;
    case 'early_stopped':
      return `Training stopped early at step ${step} of ${total}: the validation loss no longer improved.`;
    case 'stopped':
      return `Training was stopped at step ${step} of ${total}. What was learned is kept.`;
    case 'failed':
      return `Training failed at step ${step} of ${total}.`;
    default:
      return `Training was interrupted at step ${step} of ${total}.`;
  }
}

/** Returns a function that stops it. */
export function startAnnouncer(): () => void {
  let last = 0;
  const say = (text: string) => {
    last = Date.now();
    useAnnouncer.setState({ text });
  };
  const stopDownloads = useDownloads.subscribe(({ downloads }, { downloads: before }) => {
    for (const { source, title, state, error } of downloads) {
      const known = before.find((other) => other.source === source);
      if (state === 'done' && known && known.state !== 'done') say(`${title} is downloaded.`);
      if (error && error.message !== known?.error?.message) say(`The download of ${title} stopped. ${error.message}`);
    }
  });
  const stopTraining = useTraining.subscribe((state, before) => {
    const { phase, run, rows, totalSteps } = state;
    if (phase !== before.phase) {
      const word = words[phase];
      if (word) say(word);
      else if (phase === 'idle' && run && before.phase !== 'idle') say(outcomeOf(run.status, run.step, run.totalSteps));
    }
    if (phase !== 'training' || rows === before.rows || Date.now() - last < every) return;
    const row = rows.findLast((candidate) => candidate.kind === 'step');
    if (row?.kind === 'step') say(`Training: step ${row.step} of ${totalSteps}, loss ${row.loss.toFixed(2)}.`);
  });
  return () => {
    stopDownloads();
    stopTraining();
  };
}
