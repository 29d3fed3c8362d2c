import { type Blocker, useBlockers } from '../../../stores/blockers';
import { useTraining } from '../../../stores/training';

/** What the start button does now, and why it cannot. */
export function useRunControls(): {
  mode: 'start' | 'starting' | 'running' | 'paused' | 'stopping';
  blockers: Blocker[];
  why: string | null;
} {
  const phase = useTraining((state) => state.phase);
  const blockers = useBlockers();
  const mode =
    phase === 'idle'
      ? 'start'
      : phase === 'starting' || phase === 'paused' || phase === 'stopping'
        ? phase
        : ('running' as const);
  const first = blockers[0];
  const why = first ? [first.error.message, first.error.action].filter(Boolean).join(' ') : null;
  return { mode, blockers, why };
}
