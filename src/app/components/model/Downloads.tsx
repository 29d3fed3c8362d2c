import { Pause, Play, X } from 'lucide-react';
import { useState } from 'react';
import type { Download } from '../../../hub/descriptions';
import { useDownloads } from '../../../stores/downloads';
import { useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import { runActive, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { downloadText as text } from '../../text/hub';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { ProgressBar } from '../../ui/Progress';
import { formatBytes, formatDuration, formatWhen } from '../../util/format';

/** Progress in words. */
function progressOf({ state, loaded, total, rate, secondsLeft }: Download): string {
  const amount = text.amount(formatBytes(loaded), formatBytes(total));
  if (state === 'verifying') return text.verifying(amount);
  const speed = state === 'downloading' && rate ? text.rate(formatBytes(rate)) : '';
  const left = state === 'downloading' && secondsLeft !== null ? common.timeLeft(formatDuration(secondsLeft)) : '';
  return [amount, speed, left].filter(Boolean).join(' · ');
}

/** Downloads that are active, paused, failed or were interrupted by a reload. */
export function Downloads() {
  const all = useDownloads((state) => state.downloads);
  const error = useDownloads((state) => state.error);
  const chosen = useRecipe((state) => state.recipe.model.source);
  const [cancelling, setCancelling] = useState<Download | null>(null);
  const cancel = useDownloads((state) => state.cancel);
  // A downloaded model that is also chosen is open or about to open: nothing is left to do.
  const downloads = all.filter(({ source, state }) => state !== 'done' || source !== chosen);
  if (downloads.length === 0 && !error) return null;
  return (
    <Panel title={text.title} flush>
      <div className="space-y-3 px-4 pb-3 empty:hidden">
        {error && <ErrorNotice error={error} onDismiss={() => useDownloads.setState({ error: null })} />}
      </div>
      <ul className="divide-y border-t">
        {downloads.map((download) => (
          <DownloadRow key={download.source} download={download} onCancel={() => setCancelling(download)} />
        ))}
      </ul>
      <Confirm
        open={cancelling !== null}
        title={text.cancelQuestion(cancelling?.title ?? '')}
        action={text.cancelAction}
        onCancel={() => setCancelling(null)}
        onConfirm={() => cancelling && void cancel(cancelling.source)}
      >
        {text.cancelConsequence(formatBytes(cancelling?.loaded ?? 0))}
      </Confirm>
    </Panel>
  );
}

function DownloadRow({ download, onCancel }: { download: Download; onCancel: () => void }) {
  const { title, state, file, loaded, total, source } = download;
  const { pause, resume, open } = useDownloads(useFields('pause', 'resume', 'open'));
  const busy = useTraining(runActive) && common.modelInUse;
  const working = state === 'downloading' || state === 'verifying' || state === 'waiting';
  const broken = state === 'failed' || (state === 'paused' && download.error !== null);
  const progress = progressOf(download);
  return (
    <li className="space-y-2 px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <div className="min-w-0 flex-1 basis-56">
          <p className="break-words font-medium">{title}</p>
          <p className="break-words text-[0.8125rem] text-muted">
            {broken ? text.stopped : text.states[state]}
            {working && file && (
              <>
                {' '}
                <span className="font-mono text-xs">{file}</span>
              </>
            )}
            {state === 'paused' && text.lastActive(formatWhen(download.updatedAt))}
          </p>
        </div>
        <div className="flex flex-wrap gap-2">
          {(state === 'downloading' || state === 'waiting') && (
            <Button size="small" aria-label={text.pauseLabel(title)} onClick={() => void pause(source)}>
              <Pause aria-hidden size={14} fill="currentColor" /> {common.pause}
            </Button>
          )}
          {state === 'paused' && !broken && (
            <Button
              size="small"
              variant="primary"
              aria-label={text.resumeLabel(title)}
              onClick={() => void resume(source)}
            >
              <Play aria-hidden size={14} fill="currentColor" /> {common.resume}
            </Button>
          )}
          {broken && (
            <Button
              size="small"
              variant="primary"
              aria-label={text.retryLabel(title)}
              onClick={() => void resume(source)}
            >
              {text.retry}
            </Button>
          )}
          {state === 'done' ? (
            <Button size="small" why={busy} aria-label={text.openLabel(title)} onClick={() => open(source)}>
              {text.open}
            </Button>
          ) : (
            <Button size="small" variant="quiet" aria-label={text.cancelLabel(title)} onClick={onCancel}>
              <X aria-hidden size={14} /> {common.cancel}
            </Button>
          )}
        </div>
      </div>
      {state !== 'done' && (
        <>
          <ProgressBar label={text.downloaded(title)} value={total > 0 ? loaded / total : null} text={progress} />
          <p className="text-[0.8125rem] text-muted">
            {progress}
            {download.note && <span className="block text-warn">{download.note}</span>}
          </p>
        </>
      )}
      {broken && download.error && <ErrorNotice error={download.error} />}
    </li>
  );
}
