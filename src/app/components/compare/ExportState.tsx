import { TabtuneError } from '../../../base/errors';
import { exportBy } from '../../../exports';
import { proofSentences } from '../../../exports/proof';
import type { FinishedExport } from '../../../session/api';
import { useExports } from '../../../stores/exports';
import { useFields } from '../../../stores/select';
import { common } from '../../text/common';
import { exportText as text } from '../../text/compare';
import { Button } from '../../ui/Button';
import { Notice } from '../../ui/Notice';
import { ProgressBar } from '../../ui/Progress';
import { formatBytes, formatDuration } from '../../util/format';
import { PushButton } from './PushButton';

/** What an export is doing now. */
export function ExportProgress() {
  const { state, progress, secondsLeft, cancel } = useExports(useFields('state', 'progress', 'secondsLeft', 'cancel'));
  const writing = progress?.phase === 'writing' ? progress : null;
  const doing =
    state === 'saving'
      ? text.saving
      : progress?.phase === 'checking'
        ? text.checking
        : writing
          ? text.writing
          : text.preparing;
  const amount = writing && text.writingAmount(formatBytes(writing.done), formatBytes(writing.total));
  const left = secondsLeft === null ? null : text.timeLeft(formatDuration(secondsLeft));
  const detail = [amount, left].filter(Boolean).join(', ');
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 rounded-lg border px-4 py-3">
      <div className="min-w-0 flex-1 basis-48 space-y-2">
        <p role="status">{doing}</p>
        <ProgressBar
          label={text.progress}
          value={progress && progress.total > 0 ? progress.done / progress.total : null}
          text={detail || doing}
        />
        {detail && <p className="text-[0.8125rem] text-muted">{detail}</p>}
      </div>
      <Button onClick={cancel}>{common.cancel}</Button>
    </div>
  );
}

const baseName = (fileName: string) => fileName.replace(/\.(zip|gguf)$/, '');

/** Those of an export are there until the next one is written. */
async function filesOf({ files, card }: FinishedExport): Promise<FinishedExport['files']> {
  const { result } = useExports.getState();
  if (result?.files === files) return card ? [...files, card] : files;
  throw new TabtuneError({ code: 'storage', message: text.gone, action: text.exportAgain });
}

/** What was saved, and how it compares with the model; what is pushed to the Hub is the same files. */
export function ExportResultNotice({ result }: { result: FinishedExport }) {
  const { id, fileName, bytes, notes, proof } = result;
  return (
    <div role="status">
      <Notice title={text.saved(fileName, formatBytes(bytes))} onDismiss={() => useExports.setState({ result: null })}>
        {proof && proofSentences(proof, text.live).map((line) => <p key={line}>{line}</p>)}
        {notes.map((note) => (
          <p key={note}>{note}</p>
        ))}
        {exportBy(id).group !== 'trainer' && (
          <div className="pt-1">
            <PushButton
              size="small"
              subject={{ name: baseName(fileName), id: `${id} ${fileName}`, files: () => filesOf(result) }}
            />
          </div>
        )}
      </Notice>
    </div>
  );
}
