import { useEffect, useRef } from 'react';
import type { ReadingProgress } from '../../../data/reading-progress';
import { useData } from '../../../stores/data';
import { namedColumns, useLibrary } from '../../../stores/library';
import { useFields } from '../../../stores/select';
import { common } from '../../text/common';
import { dataText, openingText as text } from '../../text/data';
import { Button } from '../../ui/Button';
import { ErrorNotice } from '../../ui/Notice';
import { ProgressBar } from '../../ui/Progress';
import { pickDataset } from '../../util/fileDialogs';
import { formatBytes, formatCount } from '../../util/format';
import { MapColumns } from './MapColumns';

/** The file that is being opened: how far it is, what it asks, or why it was refused. The chosen dataset stays meanwhile. */
export function OpeningFile() {
  const { reading, refused, question, cancel, dismiss, answer } = useLibrary(
    useFields('reading', 'refused', 'question', 'cancel', 'dismiss', 'answer'),
  );
  const chosen = useData((state) => state.dataset?.name);
  const place = useRef<HTMLDivElement>(null);
  const shown = refused ?? question?.error;
  useEffect(() => {
    // A file may be dropped far down the page.
    if (shown) place.current?.scrollIntoView({ block: 'nearest' });
  }, [shown]);
  const stays = chosen !== undefined && <p>{text.stays(chosen)}</p>;
  return (
    <div ref={place} className="scroll-my-20 space-y-3 empty:hidden">
      {reading && <Reading name={reading.name} progress={reading.progress} onCancel={cancel} />}
      {refused && (
        <ErrorNotice
          error={refused}
          onDismiss={dismiss}
          actions={<Button onClick={pickDataset}>{dataText.openAnother}</Button>}
        >
          {stays}
        </ErrorNotice>
      )}
      {question && (
        <>
          <ErrorNotice
            // A question is no failure, whether it has buttons or a form.
            error={{ choices: [], ...question.error }}
            actions={
              <>
                {question.error.choices?.map(({ label, set }) => (
                  <Button key={label} onClick={() => void answer(set)}>
                    {label}
                  </Button>
                ))}
                <Button variant="quiet" onClick={dismiss}>
                  {text.leave}
                </Button>
              </>
            }
          >
            {stays}
          </ErrorNotice>
          {!question.error.choices?.length && (
            <MapColumns columns={namedColumns(question.error)} onApply={(columns) => void answer(columns)} />
          )}
        </>
      )}
    </div>
  );
}

/** `12.0 of 19.7 MB`, `120,000 rows so far`, `120,000 of 200,000 rows`. */
function amountOf(progress: ReadingProgress | null): string {
  if (!progress) return '';
  const { stage, done, total } = progress;
  if (stage === 'bytes') return text.of(formatBytes(done), formatBytes(total ?? 0));
  return total === null ? text.soFar(formatCount(done)) : text.rowsOf(formatCount(done), formatCount(total));
}

/** Without `onCancel` there is nothing to go back to. */
export function Reading({
  name,
  progress,
  onCancel,
}: {
  name: string;
  progress: ReadingProgress | null;
  onCancel?: () => void;
}) {
  const amount = amountOf(progress);
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 rounded-lg border bg-surface px-4 py-3">
      <div className="min-w-48 flex-1 space-y-2">
        <p className="flex flex-wrap justify-between gap-x-4">
          <span role="status" className="min-w-0 break-words">
            {text.reading(name)}
          </span>
          <span className="text-muted">{amount}</span>
        </p>
        <ProgressBar
          label={text.reading(name)}
          value={progress?.total ? progress.done / progress.total : null}
          text={amount || undefined}
        />
      </div>
      {onCancel && <Button onClick={onCancel}>{common.cancel}</Button>}
    </div>
  );
}
