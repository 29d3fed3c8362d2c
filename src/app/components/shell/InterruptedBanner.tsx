import { Play } from 'lucide-react';
import { useState } from 'react';
import { useRuns } from '../../../stores/runs';
import { useTraining } from '../../../stores/training';
import { useRoute } from '../../hooks/useRoute';
import { Button } from '../../ui/Button';
import { Notice } from '../../ui/Notice';
import { formatWhen } from '../../util/format';
import { continueRun } from '../../util/runActions';

/** A run that a reload, a crash or a lost GPU cut short is offered again. */
export function InterruptedBanner() {
  const runs = useRuns((state) => state.runs);
  const { phase, error, resumable, run: shown } = useTraining();
  const { page } = useRoute();
  const [dismissed, setDismissed] = useState<string | null>(null);
  if (phase !== 'idle') return null;
  // One that says `running` is at work in another tab.
  const run = runs.find(({ status }) => status === 'interrupted' || status === 'paused');
  if (!run || run.id === dismissed) return null;
  // The error of that very run, on the screen already, offers the same.
  if (page === 'train' && error && resumable && shown?.id === run.id) return null;
  return (
    <Notice
      title={`“${run.name}” stopped at step ${run.step} of ${run.totalSteps}`}
      onDismiss={() => setDismissed(run.id)}
      actions={
        <Button variant="primary" onClick={() => continueRun(run)}>
          <Play aria-hidden size={16} fill="currentColor" />
          Resume
        </Button>
      }
    >
      <p>
        It was last at work {formatWhen(run.updatedAt)}. It goes on from its last checkpoint, or from its beginning when
        it had none yet.
      </p>
    </Notice>
  );
}
