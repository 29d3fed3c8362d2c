/**
 * The status line for screen readers: changes of state at once, progress at most every ten seconds, so that a screen
 * reader is not interrupted all the time.
 */
import { create } from 'zustand';
import { announcements, outcomeOf } from './announcements';
import { useDownloads } from './downloads';
import { lastStep, useTraining } from './training';

interface AnnouncerState {
  text: string;
}

export const useAnnouncer = create<AnnouncerState>()(() => ({ text: '' }));

/** Between announcements of progress, in milliseconds. */
const every = 10_000;

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
      if (state === 'done' && known && known.state !== 'done') say(announcements.downloaded(title));
      if (error && error.message !== known?.error?.message) {
        say(announcements.downloadStopped(title, error.message));
      }
    }
  });
  const stopTraining = useTraining.subscribe((state, before) => {
    const { phase, run, rows, totalSteps, error, refused } = state;
    if (phase !== before.phase) {
      const sentence = announcements.phases[phase];
      if (sentence) say(sentence);
      else if (phase === 'idle' && refused && error) say(announcements.refused(error.message));
      else if (phase === 'idle' && run && before.phase !== 'idle') say(outcomeOf(run));
    }
    if (phase !== 'training' || rows === before.rows || Date.now() - last < every) return;
    const row = lastStep(state);
    if (row) say(announcements.step(row.step, totalSteps, row.loss.toFixed(2)));
  });
  return () => {
    stopDownloads();
    stopTraining();
  };
}
