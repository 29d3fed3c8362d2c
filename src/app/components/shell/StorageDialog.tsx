import { Trash2 } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useStorage } from '../../../stores/storage';
import { useTraining } from '../../../stores/training';
import type { StorageItem } from '../../../worker/api';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { Dialog } from '../../ui/Dialog';
import { IconButton } from '../../ui/IconButton';
import { ErrorNotice } from '../../ui/Notice';
import { formatBytes, formatWhen } from '../../util/format';

const kinds: Record<StorageItem['kind'], string> = { dataset: 'Dataset', model: 'Model', run: 'Run' };

/** What takes space in this browser, and ways to be rid of it. */
export function StorageDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { eraseEverything } = useStorage();
  const busy = useTraining((state) => state.phase !== 'idle') && 'Not while a run is going on.';
  const [erasing, setErasing] = useState(false);
  return (
    <Dialog
      open={open}
      onClose={onClose}
      shape="wide"
      title="Storage"
      description="What Tabtune keeps in this browser, on this device."
      footer={
        <Button variant="danger" why={busy} onClick={() => setErasing(true)}>
          <Trash2 aria-hidden size={16} /> Erase everything
        </Button>
      }
    >
      <Contents busy={busy} />
      <Confirm
        open={erasing}
        title="Erase everything?"
        action="Erase everything"
        onCancel={() => setErasing(false)}
        onConfirm={async () => {
          if (!(await eraseEverything())) return;
          localStorage.removeItem('tabtune.recipe');
          localStorage.removeItem('tabtune.preferences');
          window.location.hash = '';
          window.location.reload();
        }}
      >
        All datasets, models, runs and checkpoints in this browser are deleted, and your settings with them. This cannot
        be undone. Adapters that you have exported stay on your disk.
      </Confirm>
    </Dialog>
  );
}

function Contents({ busy }: { busy: string | false }) {
  const { report, error, refresh, remove } = useStorage();
  const [chosen, setChosen] = useState<StorageItem | null>(null);
  // What is stored is outside of React: it is read when the dialog opens.
  useEffect(() => void refresh(), [refresh]);
  return (
    <div className="space-y-4">
      {error && <ErrorNotice error={error} />}
      {report && (
        <p>
          <strong>{formatBytes(report.usage)}</strong> used; this browser allows {formatBytes(report.quota)}.{' '}
          {report.persisted
            ? 'It is kept until you delete it.'
            : 'The browser may clear it when the disk runs full, so export what you want to keep.'}
        </p>
      )}
      {report?.items.length === 0 && (
        <p className="text-muted">
          Nothing is kept yet. Files that you drop in and runs that you train will be listed here.
        </p>
      )}
      {report && report.items.length > 0 && (
        <ul className="divide-y rounded-lg border">
          {report.items.map((item) => (
            <li key={item.id} className="flex items-center gap-3 px-3 py-1.5">
              <span className="w-16 shrink-0 text-[0.8125rem] text-muted">{kinds[item.kind]}</span>
              <span className="min-w-0 flex-1">
                <span className="block break-words font-medium">{item.name}</span>
                <span className="block text-[0.8125rem] text-muted">{formatWhen(item.createdAt)}</span>
              </span>
              <span className="shrink-0">{formatBytes(item.bytes)}</span>
              <IconButton icon={Trash2} label={`Delete ${item.name}`} why={busy} onClick={() => setChosen(item)} />
            </li>
          ))}
        </ul>
      )}
      <Confirm
        open={chosen !== null}
        title={`Delete ${chosen?.name}?`}
        action="Delete"
        onCancel={() => setChosen(null)}
        onConfirm={() => chosen && void remove(chosen.id)}
      >
        {chosen?.kind === 'run'
          ? 'Its curve, checkpoints and adapter are deleted. This cannot be undone.'
          : 'The copy in this browser is deleted; the file on your disk stays.'}
      </Confirm>
    </div>
  );
}
