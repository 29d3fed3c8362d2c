import { Play, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { RunRecord } from '../../../storage/types';
import { useCompare } from '../../../stores/compare';
import { useRuns } from '../../../stores/runs';
import { useTraining } from '../../../stores/training';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { IconButton } from '../../ui/IconButton';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { cx } from '../../util/cx';
import { formatFigure, formatWhen } from '../../util/format';
import { hashOf } from '../../util/route';
import { continueRun } from '../../util/runActions';
import { Swatch } from '../charts/Swatch';
import { overlayLooks } from './LossPanel';
import { StatusBadge } from './RunFacts';

const unfinished = (run: RunRecord) => run.status === 'interrupted' || run.status === 'paused';

/** Every run in this browser: look at it again, lay its curve over another, go on with it, delete it. */
export function RunHistory() {
  const { runs, error, remove } = useRuns();
  const { run: shown, phase, forgetRun } = useTraining();
  const adapters = useCompare((state) => state.adapters);
  const [deleting, setDeleting] = useState<RunRecord | null>(null);
  const busy = phase !== 'idle' && 'Not while a run is going on.';
  if (runs.length === 0 && !error) return null;
  return (
    <Panel title="Runs" description="Tick a run to lay its loss over the shown one." flush>
      {error && (
        <div className="px-4 pb-3">
          <ErrorNotice error={error} />
        </div>
      )}
      <ul className="divide-y border-t">
        {runs.map((run) => (
          <RunItem key={run.id} run={run} shown={run.id === shown?.id} busy={busy} onDelete={() => setDeleting(run)} />
        ))}
      </ul>
      <Confirm
        open={deleting !== null}
        title={`Delete “${deleting?.name}”?`}
        action="Delete run"
        onCancel={() => setDeleting(null)}
        onConfirm={() => {
          if (!deleting) return;
          forgetRun(deleting.id);
          const open = adapters.find(({ runId }) => runId === deleting.id);
          if (open) void useCompare.getState().removeAdapter(open.id);
          void remove(deleting.id);
        }}
      >
        Its curve, its checkpoints and what it learned are deleted. This cannot be undone. Adapters that you have
        exported stay on your disk.
      </Confirm>
    </Panel>
  );
}

function RunItem({
  run,
  shown,
  busy,
  onDelete,
}: {
  run: RunRecord;
  shown: boolean;
  busy: string | false;
  onDelete: () => void;
}) {
  const { overlay, toggleOverlay } = useRuns();
  const place = overlay.indexOf(run.id);
  const when = formatWhen(run.createdAt);
  return (
    <li className={cx('flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2', shown && 'bg-accent-soft')}>
      <span className="flex w-14 items-center gap-2">
        <input
          type="checkbox"
          className="size-6"
          aria-label={`Lay ${run.name} of ${when} over the shown run`}
          checked={place >= 0}
          onChange={() => void toggleOverlay(run.id)}
        />
        {place >= 0 && !shown && <Swatch series={overlayLooks[place]!} />}
      </span>
      <span className="min-w-0 flex-1 basis-40">
        <a
          href={hashOf('train', run.id)}
          aria-current={shown ? 'true' : undefined}
          onClick={() => void useTraining.getState().show(run)}
          className="inline-block min-h-6 font-medium break-words underline-offset-2 hover:underline"
        >
          {run.name}
        </a>
        <span className="block text-[0.8125rem] text-muted">
          {when} · step {run.step} of {run.totalSteps}
        </span>
      </span>
      <StatusBadge status={run.status} />
      <span className="min-w-28 text-right text-[0.8125rem]">
        {run.bestEvalLoss !== null ? (
          <>
            <span className="text-muted">validation </span>
            {formatFigure(run.initialEvalLoss)} → <strong>{formatFigure(run.bestEvalLoss)}</strong>
          </>
        ) : (
          <>
            <span className="text-muted">loss </span>
            {formatFigure(run.finalLoss)}
          </>
        )}
      </span>
      <span className="flex items-center gap-1">
        {unfinished(run) && (
          <Button
            size="small"
            why={busy}
            aria-label={`Go on with ${run.name} of ${when}`}
            onClick={() => continueRun(run)}
          >
            <Play aria-hidden size={14} fill="currentColor" /> Go on
          </Button>
        )}
        <IconButton icon={Trash2} label={`Delete ${run.name} of ${when}`} why={busy} onClick={onDelete} />
      </span>
    </li>
  );
}
