import { useMemo } from 'react';
import type { RunRecord } from '../../../storage/types';
import { useBuiltins } from '../../../stores/builtins';
import { useRunTable } from '../../../stores/run-table';
import { useRuns } from '../../../stores/runs';
import { useFields } from '../../../stores/select';
import { runActive, stepReached, useTraining } from '../../../stores/training';
import { entriesOf, type RunEntry } from './columns';

/** Every run, the one in progress as far as it is now. */
export function useEntries(): RunEntry[] {
  const runs = useRuns((state) => state.runs);
  const sizes = useRunTable((state) => state.sizes);
  const models = useBuiltins((state) => state.models);
  const active = useTraining(runActive);
  const live = useTraining((state) => (runActive(state) ? state.run?.id : undefined));
  const step = useTraining(stepReached);
  const { phase, totalSteps } = useTraining(useFields('phase', 'totalSteps'));
  const current = useMemo((): RunRecord[] => {
    if (!active || live === undefined) return runs;
    const status = phase === 'paused' ? 'paused' : 'running';
    return runs.map((run) =>
      run.id === live ? { ...run, status, step, totalSteps: totalSteps || run.totalSteps } : run,
    );
  }, [runs, active, live, step, phase, totalSteps]);
  return useMemo(() => {
    const titles = new Map(models.map(({ name, title }) => [name, title]));
    return entriesOf(current, titles, sizes);
  }, [current, models, sizes]);
}
