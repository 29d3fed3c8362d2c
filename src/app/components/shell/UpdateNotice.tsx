import { RefreshCw } from 'lucide-react';
import { useState } from 'react';
import { runActive, useTraining } from '../../../stores/training';
import { useUpdates } from '../../../stores/updates';
import { shell } from '../../text/shell';
import { Button } from '../../ui/Button';
import { Notice } from '../../ui/Notice';

/** Offers a new version of the app, never while this tab trains. Nothing changes until it is pressed. */
export function UpdateNotice() {
  const state = useUpdates((updates) => updates.state);
  const update = useUpdates((updates) => updates.update);
  const active = useTraining(runActive);
  const [dismissed, setDismissed] = useState<typeof state>('none');
  if (state === 'none' || state === dismissed || active) return null;
  const { offered, taken, action } = shell.update;
  return (
    <Notice
      title={state === 'offered' ? offered : taken}
      onDismiss={() => setDismissed(state)}
      actions={
        <Button onClick={() => void update()}>
          <RefreshCw aria-hidden size={16} />
          {action}
        </Button>
      }
    />
  );
}
