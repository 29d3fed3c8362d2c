import { useFields } from '../../../stores/select';
import { isStarting, stepReached, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { runText } from '../../text/run';
import { ProgressBar } from '../../ui/Progress';
import { formatDuration } from '../../util/format';

/** How far the run is: step, share and time left. */
export function RunProgress({ compact = false }: { compact?: boolean }) {
  const { phase, totalSteps, secondsLeft, preparedShare } = useTraining(
    useFields('phase', 'totalSteps', 'secondsLeft', 'preparedShare'),
  );
  const step = useTraining(stepReached);
  const line = isStarting(phase) ? runText.starting : common.stepOf(step, totalSteps);
  const share = preparedShare ?? (totalSteps > 0 ? step / totalSteps : null);
  const note = runText.phases[phase] ?? (secondsLeft === null ? '' : common.timeLeft(formatDuration(secondsLeft)));
  return (
    <div className="space-y-2">
      <div className="flex flex-wrap items-baseline justify-between gap-x-3">
        <p className={compact ? 'font-semibold' : 'text-lg font-semibold'}>{line}</p>
        <p className="text-muted">{note}</p>
      </div>
      <ProgressBar label={runText.stepsDone} value={share} text={line} />
    </div>
  );
}
