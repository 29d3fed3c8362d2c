import { useEffect } from 'react';
import type { RunRecord } from '../../storage/types';
import { stepReached, useTraining } from '../../stores/training';
import { titleText as text } from '../text/shell';

type Training = ReturnType<typeof useTraining.getState>;

function whileLive(state: Training): string {
  const { phase, totalSteps } = state;
  if (phase === 'starting' || totalSteps === 0) return text.starting;
  const percent = Math.floor((100 * stepReached(state)) / totalSteps);
  return phase === 'paused' ? text.paused(percent) : text.progress(percent);
}

const afterwards = ({ status, name }: RunRecord): string =>
  text.ended(text.outcomes[status] ?? text.outcomes.stopped, name);

/** The title of the tab says how far a run is. Its end stays there until the person does something in this tab. */
export function useTitle(): void {
  useEffect(() => {
    const usual = document.title;
    const show = (title: string) => {
      if (document.title !== title) document.title = title;
    };
    const seen = () => {
      if (!document.hidden && useTraining.getState().phase === 'idle') show(usual);
    };
    const unsubscribe = useTraining.subscribe((state, before) => {
      if (state.phase !== 'idle') show(whileLive(state));
      else if (before.phase !== 'idle') show(state.run && !state.refused ? afterwards(state.run) : usual);
    });
    const events = ['pointerdown', 'keydown', 'visibilitychange'];
    for (const name of events) document.addEventListener(name, seen);
    return () => {
      unsubscribe();
      for (const name of events) document.removeEventListener(name, seen);
      show(usual);
    };
  }, []);
}
