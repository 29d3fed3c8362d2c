import { ShieldCheck, Trash2 } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { StorageItem } from '../../../session/api';
import { useFields } from '../../../stores/select';
import { type StorageReport, useStorage } from '../../../stores/storage';
import { runActive, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { shell, storageText as text } from '../../text/shell';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { Dialog } from '../../ui/Dialog';
import { IconButton } from '../../ui/IconButton';
import { ErrorNotice } from '../../ui/Notice';
import { Rich } from '../../ui/Rich';
import { formatBytes, formatShare, formatWhen } from '../../util/format';

const kinds: { kind: StorageItem['kind']; className: string }[] = [
  { kind: 'model', className: 'bg-series-1' },
  { kind: 'run', className: 'bg-series-2' },
  { kind: 'dataset', className: 'bg-series-3' },
  { kind: 'prompts', className: 'bg-series-4' },
  { kind: 'draft', className: 'bg-edge' },
  { kind: 'votes', className: 'bg-edge' },
];

/** What takes up space in this browser, how safe it is there, and how to delete it. */
export function StorageDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const eraseEverything = useStorage((state) => state.eraseEverything);
  const busy = useTraining(runActive) && common.notDuringRun;
  const [erasing, setErasing] = useState(false);
  return (
    <Dialog
      open={open}
      onClose={onClose}
      shape="wide"
      title={shell.storage}
      description={text.description}
      footer={
        <Button variant="danger" why={busy} onClick={() => setErasing(true)}>
          <Trash2 aria-hidden size={16} /> {text.eraseEverything}
        </Button>
      }
    >
      <Contents busy={busy} />
      <Confirm
        open={erasing}
        title={text.eraseQuestion}
        action={text.eraseEverything}
        onCancel={() => setErasing(false)}
        onConfirm={async () => {
          if (!(await eraseEverything())) return;
          for (const key of Object.keys(localStorage)) if (key.startsWith('tabtune.')) localStorage.removeItem(key);
          window.location.hash = '';
          window.location.reload();
        }}
      >
        {text.eraseConsequence}
      </Confirm>
    </Dialog>
  );
}

function Contents({ busy }: { busy: string | false }) {
  const { report, error, refresh, remove } = useStorage(useFields('report', 'error', 'refresh', 'remove'));
  const [chosen, setChosen] = useState<StorageItem | null>(null);
  // What is stored changes outside React: it is read when the dialog opens.
  useEffect(() => void refresh(), [refresh]);
  return (
    <div className="space-y-5">
      {error && <ErrorNotice error={error} />}
      {report && <Used report={report} />}
      {report && <Safety persisted={report.persisted} />}
      {report &&
        kinds.map(({ kind, className }) => {
          const { title, empty } = text.kinds[kind];
          const items = report.items.filter((item) => item.kind === kind);
          return (
            <section key={kind} aria-label={title}>
              <h3 className="flex items-center gap-2 font-semibold">
                <span aria-hidden className={`size-2.5 rounded-sm ${className}`} />
                <span className="flex-1">{title}</span>
                <span className="font-normal text-muted">{formatBytes(bytesOf(items))}</span>
              </h3>
              {items.length === 0 ? (
                <p className="mt-1 text-muted">{empty}</p>
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
                        label={text.deleteItem(item.name)}
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
        title={text.deleteQuestion(chosen?.name ?? '')}
        action={text.delete}
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
  const created = formatWhen(createdAt);
  if (total !== undefined) return text.unfinished(formatBytes(total), created);
  if (usedAt === undefined) return text.stored(created);
  return usedAt === null ? text.storedNeverOpened(created) : text.storedAndOpened(created, formatWhen(usedAt));
}

function consequence({ id, kind, bytes }: StorageItem): string {
  const { run, hubModel, ownModel, dataset, prompts, draft, votes } = text.consequences;
  switch (kind) {
    case 'run':
      return run;
    case 'model':
      return id.startsWith('hf:') ? hubModel(formatBytes(bytes)) : ownModel;
    case 'dataset':
      return dataset;
    case 'prompts':
      return prompts;
    case 'draft':
      return draft;
    case 'votes':
      return votes;
    default:
      return kind satisfies never;
  }
}

/** How much of the browser's quota is used, by kind. The lists below say the same in words. */
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
        <Rich
          text={
            quota > 0
              ? text.usedOf(formatBytes(usage), formatBytes(quota), formatShare(usage / quota))
              : text.used(formatBytes(usage))
          }
        />
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

/** Whether the browser may delete the data by itself, and a request not to. */
function Safety({ persisted }: { persisted: boolean }) {
  const persist = useStorage((state) => state.persist);
  const refused = useStorage((state) => state.refused);
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 rounded-lg border px-4 py-3">
      <ShieldCheck aria-hidden size={18} className={persisted ? 'text-accent' : 'text-muted'} />
      <p role="status" className="min-w-0 flex-1 basis-64">
        {persisted ? text.persisted : refused ? text.refused : text.notPersisted}
      </p>
      {!persisted && <Button onClick={() => void persist()}>{text.persist}</Button>}
    </div>
  );
}
