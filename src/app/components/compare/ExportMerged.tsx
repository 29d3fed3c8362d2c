import { PackageOpen } from 'lucide-react';
import { exportBy } from '../../../exports';
import { DTYPE_BYTES } from '../../../formats/safetensors';
import { leavesModel, methodOf } from '../../../methods';
import type { MethodType, ObjectiveType } from '../../../recipe/types';
import { useCompare } from '../../../stores/compare';
import { type Merged, mergeActive, useMerge } from '../../../stores/merge';
import { useModel } from '../../../stores/model';
import { useFields } from '../../../stores/select';
import { runActive, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { exportText, mergedText as text } from '../../text/compare';
import { Button } from '../../ui/Button';
import { ErrorNotice, Notice } from '../../ui/Notice';
import { ProgressBar } from '../../ui/Progress';
import { RadioList } from '../../ui/RadioList';
import { Rich } from '../../ui/Rich';
import { formatBytes } from '../../util/format';
import { saveMerged } from '../../util/saveFiles';

/** The whole model with its training, for programs without support for adapters. */
export function ExportMerged({ method, objective }: { method: MethodType; objective: ObjectiveType }) {
  const { dtype, result, error, setDtype } = useMerge(useFields('dtype', 'result', 'error', 'setDtype'));
  const merging = useMerge(mergeActive);
  const adapter = useCompare((state) => state.adapter);
  const busy = useCompare((state) => state.exporting || state.generating);
  const own = leavesModel(methodOf({ type: method }));
  const parameters = useModel((state) => state.info?.parameters ?? null);
  const training = useTraining(runActive);
  const why = training
    ? exportText.runInProgress
    : busy
      ? text.busy
      : !adapter && (own ? exportText.nothingTrained : common.noAdapterYet);
  const { label, contents, readBy, refusal, fileName } = exportBy('model');
  const impossible = refusal({ method, objective });
  if (impossible !== null) {
    return (
      <p className="max-w-prose text-muted [&_strong]:text-ink">
        <Rich text={text.noMergedModel + impossible} />
      </p>
    );
  }
  return (
    <>
      <div className="grid gap-x-6 gap-y-4 lg:grid-cols-[minmax(0,1fr)_auto]">
        <div className="max-w-prose space-y-2">
          <p>
            <Rich text={`${contents({ method, objective })} ${readBy({ method, objective })}`} />
          </p>
          <p className="text-muted">
            {text.size}
            {own ? text.inWeights : text.permanent}
          </p>
        </div>
        {!merging && (
          <div className="lg:text-right">
            <Button variant={own ? 'primary' : 'secondary'} size="large" why={why} onClick={() => void saveMerged()}>
              <PackageOpen aria-hidden size={18} />
              {label({ method, objective })}
            </Button>
            {adapter && (
              <p className="mt-1.5 text-[0.8125rem] text-muted">{fileName(adapter.name, { method, objective })}</p>
            )}
          </div>
        )}
      </div>
      <div className="mt-3">
        <RadioList
          label={text.precision}
          columns={3}
          value={dtype}
          onChange={setDtype}
          disabled={merging}
          options={text.precisions.map((precision) => ({
            value: precision.value,
            name: precision.name,
            aside:
              parameters === null ? undefined : common.about(formatBytes(parameters * DTYPE_BYTES[precision.value])),
            children: <span className="block text-[0.8125rem] text-muted">{precision.text}</span>,
          }))}
        />
      </div>
      <div className="mt-4 empty:hidden">
        {merging && <Merging />}
        {result && <Result merged={result} />}
        {error && <ErrorNotice error={error} onDismiss={() => useMerge.setState({ error: null })} />}
      </div>
    </>
  );
}

function Merging() {
  const { state, progress, cancel } = useMerge(useFields('state', 'progress', 'cancel'));
  const writing = progress?.phase === 'writing' ? progress : null;
  const now =
    state === 'saving'
      ? text.saving
      : progress?.phase === 'checking'
        ? text.checking
        : writing
          ? text.mergingAmount(formatBytes(writing.done), formatBytes(writing.total))
          : text.preparing;
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 rounded-lg border px-4 py-3">
      <div className="min-w-0 flex-1 basis-48 space-y-2">
        <p role="status">{writing ? text.merging : now}</p>
        <ProgressBar
          label={text.progress}
          value={progress && progress.total > 0 ? progress.done / progress.total : null}
          text={now}
        />
        {writing && <p className="text-[0.8125rem] text-muted">{now}</p>}
      </div>
      <Button onClick={cancel}>{common.cancel}</Button>
    </div>
  );
}

function Result({ merged }: { merged: Merged }) {
  const { name, dtype, bytes, maxLogitDifference, notes } = merged;
  const precision = text.precisions.find(({ value }) => value === dtype)?.name ?? dtype;
  return (
    <div role="status">
      <Notice title={text.saved(name, formatBytes(bytes), precision)} onDismiss={() => useMerge.getState().forget()}>
        <p>{maxLogitDifference === null ? text.notCompared : text.difference(maxLogitDifference.toExponential(1))}</p>
        {notes.map((note) => (
          <p key={note}>{note}</p>
        ))}
      </Notice>
    </div>
  );
}
