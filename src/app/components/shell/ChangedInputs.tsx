import { useTraining } from '../../../stores/training';
import { shell } from '../../text/shell';
import { Confirm } from '../../ui/Confirm';
import { continueRun, startAgain } from '../../util/runActions';

/** Asks before a run is resumed with other data or another model than it was trained on. */
export function ChangedInputs() {
  const asked = useTraining((state) => state.asked);
  const dismiss = useTraining((state) => state.dismissAsked);
  const { title, action, again } = shell.changedInputs;
  return (
    <Confirm
      open={asked !== null}
      title={title}
      action={action}
      onConfirm={() => asked && continueRun(asked.run, 'use')}
      instead={{ action: again, onChoose: () => asked && startAgain(asked.run) }}
      onCancel={dismiss}
    >
      <p>{asked?.error.message}</p>
      <p className="mt-2">{asked?.error.action}</p>
    </Confirm>
  );
}
