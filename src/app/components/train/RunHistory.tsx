import { Play, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { RunRecord } from '../../../storage/types';
import { useCompare } from '../../../stores/compare';
import { useRuns } from '../../../stores/runs';
import { useFields } from '../../../stores/select';
import { runActive, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { historyText as text } from '../../text/train';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { IconButton } from '../../ui/IconButton';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { cx } from '../../util/cx';
import { formatMetric, formatWhen } from '../../util/format';
import { hashOf } from '../../util/route';
import { continueRun } from '../../util/runActions';
import { Swatch } from '../charts/Swatch';
import { overlayLooks } from './LossPanel';
import { StatusBadge } from './RunFacts';

const unfinished = (run: RunRecord) => run.status === 'interrupted' || run.status === 'paused';

/** Every run in this browser: show it, overlay its curve, resume it or delete it. */
export function RunHistory() {
  const { runs, error, remove } = useRuns(useFields('runs', 'error', 'remove'));
  const shown = useTraining((state) => state.run?.id);
  const forgetRun = useTraining((state) => state.forgetRun);
  const adapters = useCompare((state) => state.adapters);
  const [deleting, setDeleting] = useState<RunRecord | null>(null);
  const busy = useTraining(runActive) && common.notDuringRun;
  if (runs.length === 0 && !error) return null;
  return (
    <Panel title={text.title} description={text.description} flush>
      {error && (
        <div className="px-4 pb-3">
          <ErrorNotice error={error} />
        </div>
      )}
      <ul className="divide-y border-t">
        {runs.map((run) => (
          <RunItem key={run.id} run={run} shown={run.id === shown} busy={busy} onDelete={() => setDeleting(run)} />
        ))}
      </ul>
      <Confirm
        open={deleting !== null}
        title={text.deleteQuestion(deleting?.name ?? '')}
        action={text.deleteAction}
        onCancel={() => setDeleting(null)}
        onConfirm={() => {
          if (!deleting) return;
          forgetRun(deleting.id);
          const open = adapters.find(({ runId }) => runId === deleting.id);
          if (open) void useCompare.getState().removeAdapter(open.id);
          void remove(deleting.id);
        }}
      >
        {text.deleteConsequence}
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
  const toggleOverlay = useRuns((state) => state.toggleOverlay);
  const place = useRuns((state) => state.overlay.indexOf(run.id));
  const when = formatWhen(run.createdAt);
  return (
    <li className={cx('flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2', shown && 'bg-accent-soft')}>
      <span className="flex w-14 items-center gap-2">
        <input
          type="checkbox"
          className="size-6"
          aria-label={text.overlay(run.name, when)}
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
        <span className="block text-[0.8125rem] text-muted">{text.progress(when, run.step, run.totalSteps)}</span>
        {run.changes && (
          <span className="block text-[0.8125rem] text-warn">{text.changed(run.changes.map(({ step }) => step))}</span>
        )}
      </span>
      <StatusBadge status={run.status} />
      <span className="min-w-28 text-right text-[0.8125rem]">
        {run.bestEvalLoss !== null ? (
          <>
            <span className="text-muted">{text.validation}</span>
            {formatMetric(run.initialEvalLoss)} → <strong>{formatMetric(run.bestEvalLoss)}</strong>
          </>
        ) : (
          <>
            <span className="text-muted">{text.loss}</span>
            {formatMetric(run.finalLoss)}
          </>
        )}
      </span>
      <span className="flex items-center gap-1">
        {unfinished(run) && (
          <Button
            size="small"
            why={busy}
            aria-label={text.resumeLabel(run.name, when)}
            onClick={() => continueRun(run)}
          >
            <Play aria-hidden size={14} fill="currentColor" /> {common.resume}
          </Button>
        )}
        <IconButton icon={Trash2} label={text.deleteLabel(run.name, when)} why={busy} onClick={onDelete} />
      </span>
    </li>
  );
}
