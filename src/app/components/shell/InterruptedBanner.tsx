import { Play } from 'lucide-react';
import { useState } from 'react';
import { unfinished, useRuns } from '../../../stores/runs';
import { runActive, useTraining } from '../../../stores/training';
import { useRoute } from '../../hooks/useRoute';
import { common } from '../../text/common';
import { shell } from '../../text/shell';
import { Button } from '../../ui/Button';
import { Notice } from '../../ui/Notice';
import { formatWhen } from '../../util/format';
import { continueRun } from '../../util/runActions';

/** Offers to resume a run that a reload, a crash or a lost GPU cut short. */
export function InterruptedBanner() {
  // A run with the status `running` is training in another tab.
  const run = useRuns(({ runs }) => runs.find(unfinished));
  const active = useTraining(runActive);
  const offered = useTraining((state) => (state.error && state.resumable ? state.run?.id : undefined));
  const { page } = useRoute();
  const [dismissed, setDismissed] = useState<string | null>(null);
  if (active || !run || run.id === dismissed) return null;
  // The Train page offers the same with the error of this run.
  if (page === 'train' && offered === run.id) return null;
  return (
    <Notice
      title={shell.interrupted.title(run.name, run.step, run.totalSteps)}
      onDismiss={() => setDismissed(run.id)}
      actions={
        <Button variant="primary" onClick={() => continueRun(run)}>
          <Play aria-hidden size={16} fill="currentColor" />
          {common.resume}
        </Button>
      }
    >
      <p>{shell.interrupted.text(formatWhen(run.updatedAt), run.savedStep)}</p>
    </Notice>
  );
}
