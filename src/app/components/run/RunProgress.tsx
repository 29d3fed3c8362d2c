import { useTraining } from '../../../stores/training';
import { ProgressBar } from '../../ui/Progress';
import { formatDuration } from '../../util/format';

const words: Record<string, string> = {
  starting: 'Preparing the run',
  evaluating: 'Evaluating',
  sampling: 'Writing sample answers',
  saving: 'Saving a checkpoint',
  paused: 'Paused',
  stopping: 'Stopping after this step',
};

/** Where the run is: step, share and time left. */
export function RunProgress({ compact = false }: { compact?: boolean }) {
  const { phase, rows, run, totalSteps, secondsLeft } = useTraining();
  const step = rows.at(-1)?.step ?? run?.step ?? 0;
  const line = phase === 'starting' ? 'Starting' : `Step ${step} of ${totalSteps}`;
  const note = words[phase] ?? (secondsLeft === null ? '' : `${formatDuration(secondsLeft)} left`);
  return (
    <div className="space-y-2">
      <div className="flex flex-wrap items-baseline justify-between gap-x-3">
        <p className={compact ? 'font-semibold' : 'text-lg font-semibold'}>{line}</p>
        <p className="text-muted">{note}</p>
      </div>
      <ProgressBar label="Steps done" value={totalSteps > 0 ? step / totalSteps : null} text={line} />
    </div>
  );
}
