import { ShieldCheck, Trash2 } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { StorageItem } from '../../../session/api';
import { type StorageReport, useStorage } from '../../../stores/storage';
import { useTraining } from '../../../stores/training';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { Dialog } from '../../ui/Dialog';
import { IconButton } from '../../ui/IconButton';
import { ErrorNotice } from '../../ui/Notice';
import { formatBytes, formatShare, formatWhen } from '../../util/format';

const kinds: { kind: StorageItem['kind']; title: string; className: string; empty: string }[] = [
  { kind: 'model', title: 'Models', className: 'bg-series-1', empty: 'Models that you download or drop in.' },
  { kind: 'run', title: 'Runs', className: 'bg-series-2', empty: 'Runs that you train, with their checkpoints.' },
  { kind: 'dataset', title: 'Datasets', className: 'bg-series-3', empty: 'Dataset files that you drop in.' },
];

/** What takes space in this browser, how safe it is there, and ways to be rid of it. */
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
        be undone. What you have exported stays on your disk.
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
    <div className="space-y-5">
      {error && <ErrorNotice error={error} />}
      {report && <Used report={report} />}
      {report && <Safety persisted={report.persisted} />}
      {report &&
        kinds.map(({ kind, title, className, empty }) => {
          const items = report.items.filter((item) => item.kind === kind);
          return (
            <section key={kind} aria-label={title}>
              <h3 className="flex items-center gap-2 font-semibold">
                <span aria-hidden className={`size-2.5 rounded-sm ${className}`} />
                <span className="flex-1">{title}</span>
                <span className="font-normal text-muted">{formatBytes(bytesOf(items))}</span>
              </h3>
              {items.length === 0 ? (
                <p className="mt-1 text-muted">None yet. {empty}</p>
              ) : (
                <ul className="mt-1.5 divide-y rounded-lg border">
                  {items.map((item) => (
                    <li key={item.id} className="flex items-center gap-3 py-1.5 pr-2 pl-3">
                      <span className="min-w-0 flex-1">
                        <span className="block font-medium break-words">{item.name}</span>
                        <span className="block text-[0.8125rem] text-muted">{whenOf(item)}</span>
                      </span>
                      <span className="shrink-0">{formatBytes(item.bytes)}</span>
                      <IconButton
                        icon={Trash2}
                        label={`Delete ${item.name}`}
                        why={busy}
                        onClick={() => setChosen(item)}
                      />
                    </li>
                  ))}
                </ul>
              )}
            </section>
          );
        })}
      <Confirm
        open={chosen !== null}
        title={`Delete ${chosen?.name}?`}
        action="Delete"
        onCancel={() => setChosen(null)}
        onConfirm={() => chosen && void remove(chosen.id)}
      >
        {chosen && consequence(chosen)}
      </Confirm>
    </div>
  );
}

const bytesOf = (items: StorageItem[]) => items.reduce((sum, { bytes }) => sum + bytes, 0);

function whenOf({ createdAt, usedAt, total }: StorageItem): string {
  if (total !== undefined) return `Unfinished download of ${formatBytes(total)}, begun ${formatWhen(createdAt)}`;
  const kept = `Kept since ${formatWhen(createdAt)}`;
  if (usedAt === undefined) return kept;
  return `${kept}, ${usedAt === null ? 'never opened' : `last opened ${formatWhen(usedAt)}`}`;
}

function consequence({ id, kind, bytes }: StorageItem): string {
  switch (kind) {
    case 'run':
      return 'Its curves and checkpoints are deleted. Export the adapter first if you want to keep it. This cannot be undone.';
    case 'model':
      return id.startsWith('hf:')
        ? `It frees ${formatBytes(bytes)}. The model can be downloaded again; runs on it stay, and cannot be compared or resumed until then.`
        : 'Only the copy in this browser is deleted; your own files stay.';
    case 'dataset':
      return 'Only the copy in this browser is deleted, with the edits you made here; your own file stays.';
    default:
      return kind satisfies never;
  }
}

/** How much of what the browser allows is used, by kind. The lists below say the same in words. */
function Used({ report: { usage, quota, items } }: { report: StorageReport }) {
  const known = kinds.map(({ kind, className }) => ({
    kind,
    className,
    bytes: bytesOf(items.filter((item) => item.kind === kind)),
  }));
  const rest = Math.max(0, usage - known.reduce((sum, { bytes }) => sum + bytes, 0));
  const whole = Math.max(quota, usage, 1);
  return (
    <div className="space-y-1.5">
      <p>
        <strong>{formatBytes(usage)}</strong> used
        {quota > 0 && (
          <>
            {' '}
            of the {formatBytes(quota)} that this browser allows ({formatShare(usage / quota)})
          </>
        )}
        .
      </p>
      <div aria-hidden className="flex h-2 overflow-hidden rounded-full bg-line">
        {known.map(({ kind, className, bytes }) => (
          <div
            key={kind}
            className={className}
            style={{ width: `${(bytes / whole) * 100}%`, minWidth: bytes > 0 ? 3 : 0 }}
          />
        ))}
        <div className="bg-edge" style={{ width: `${(rest / whole) * 100}%` }} />
      </div>
    </div>
  );
}

/** Whether the browser may throw it away by itself, and asking it not to. */
function Safety({ persisted }: { persisted: boolean }) {
  const { persist, refused } = useStorage();
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 rounded-lg border px-4 py-3">
      <ShieldCheck aria-hidden size={18} className={persisted ? 'text-accent' : 'text-muted'} />
      <p role="status" className="min-w-0 flex-1 basis-64">
        {persisted
          ? 'The browser keeps this until you delete it.'
          : refused
            ? 'The browser said no for now. It often says yes after a bookmark, an installation as an app, or a few more visits.'
            : 'The browser may clear this when the disk runs full.'}
      </p>
      {!persisted && <Button onClick={() => void persist()}>Keep my data</Button>}
    </div>
  );
}
