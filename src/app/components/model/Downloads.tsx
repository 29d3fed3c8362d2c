import { Pause, Play, X } from 'lucide-react';
import { useState } from 'react';
import type { Download } from '../../../hub/descriptions';
import { useDownloads } from '../../../stores/downloads';
import { useRecipe } from '../../../stores/recipe';
import { useTraining } from '../../../stores/training';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { ProgressBar } from '../../ui/Progress';
import { formatBytes, formatDuration, formatWhen } from '../../util/format';

/** How far it is, in words. */
export function progressOf({ state, loaded, total, rate, secondsLeft }: Download): string {
  const amount = `${formatBytes(loaded)} of ${formatBytes(total)}`;
  if (state === 'verifying') return `Verifying what arrived: ${amount}`;
  const speed = state === 'downloading' && rate ? `${formatBytes(rate)}/s` : '';
  const left = state === 'downloading' && secondsLeft !== null ? `${formatDuration(secondsLeft)} left` : '';
  return [amount, speed, left].filter(Boolean).join(' · ');
}

const words: Record<Download['state'], string> = {
  waiting: 'Waiting for its turn',
  downloading: 'Downloading',
  paused: 'Paused',
  verifying: 'Verifying',
  done: 'Downloaded',
  failed: 'Failed',
};

/** Whatever is being fetched, was paused or left unfinished by a reload, or went wrong. */
export function Downloads() {
  const { downloads: all, error } = useDownloads();
  const chosen = useRecipe((state) => state.recipe.model.source);
  const [cancelling, setCancelling] = useState<Download | null>(null);
  const cancel = useDownloads((state) => state.cancel);
  // What is here and chosen is open, or about to be: nothing is left to be done about it.
  const downloads = all.filter(({ source, state }) => state !== 'done' || source !== chosen);
  if (downloads.length === 0 && !error) return null;
  return (
    <Panel title="Downloads" flush>
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
        title={`Cancel the download of ${cancelling?.title}?`}
        action="Cancel the download"
        onCancel={() => setCancelling(null)}
        onConfirm={() => cancelling && void cancel(cancelling.source)}
      >
        The {formatBytes(cancelling?.loaded ?? 0)} that are here already are deleted. Pause it instead to go on later,
        after a reload too.
      </Confirm>
    </Panel>
  );
}

function DownloadRow({ download, onCancel }: { download: Download; onCancel: () => void }) {
  const { title, state, file, loaded, total, source } = download;
  const { pause, resume, open } = useDownloads();
  const busy = useTraining((training) => training.phase !== 'idle') && 'A run is using the open model.';
  const working = state === 'downloading' || state === 'verifying' || state === 'waiting';
  const broken = state === 'failed' || (state === 'paused' && download.error !== null);
  const progress = progressOf(download);
  return (
    <li className="space-y-2 px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <div className="min-w-0 flex-1 basis-56">
          <p className="break-words font-medium">{title}</p>
          <p className="break-words text-[0.8125rem] text-muted">
            {broken ? 'Stopped' : words[state]}
            {working && file && (
              <>
                {' '}
                <span className="font-mono text-xs">{file}</span>
              </>
            )}
            {state === 'paused' && `, last at work ${formatWhen(download.updatedAt)}`}
          </p>
        </div>
        <div className="flex flex-wrap gap-2">
          {(state === 'downloading' || state === 'waiting') && (
            <Button size="small" aria-label={`Pause the download of ${title}`} onClick={() => void pause(source)}>
              <Pause aria-hidden size={14} fill="currentColor" /> Pause
            </Button>
          )}
          {state === 'paused' && !broken && (
            <Button
              size="small"
              variant="primary"
              aria-label={`Resume the download of ${title}`}
              onClick={() => void resume(source)}
            >
              <Play aria-hidden size={14} fill="currentColor" /> Resume
            </Button>
          )}
          {broken && (
            <Button
              size="small"
              variant="primary"
              aria-label={`Retry the download of ${title}`}
              onClick={() => void resume(source)}
            >
              Retry
            </Button>
          )}
          {state === 'done' ? (
            <Button size="small" why={busy} aria-label={`Open ${title}`} onClick={() => open(source)}>
              Open
            </Button>
          ) : (
            <Button size="small" variant="quiet" aria-label={`Cancel the download of ${title}`} onClick={onCancel}>
              <X aria-hidden size={14} /> Cancel
            </Button>
          )}
        </div>
      </div>
      {state !== 'done' && (
        <>
          <ProgressBar label={`${title} downloaded`} value={total > 0 ? loaded / total : null} text={progress} />
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
