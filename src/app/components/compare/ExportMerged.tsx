import { PackageOpen } from 'lucide-react';
import { exportBy } from '../../../exports';
import { leavesModel, methodOf } from '../../../methods';
import { objectiveOf } from '../../../objectives';
import type { MethodType, ObjectiveType } from '../../../recipe/types';
import type { MergedDtype } from '../../../session/api';
import { useCompare } from '../../../stores/compare';
import { type Merged, useMerge } from '../../../stores/merge';
import { useModel } from '../../../stores/model';
import { useTraining } from '../../../stores/training';
import { Button } from '../../ui/Button';
import { ErrorNotice, Notice } from '../../ui/Notice';
import { ProgressBar } from '../../ui/Progress';
import { RadioList } from '../../ui/RadioList';
import { formatBytes } from '../../util/format';
import { saveMerged } from '../../util/save';

const precisions: { value: MergedDtype; name: string; bytes: number; text: string }[] = [
  { value: 'BF16', name: 'bfloat16', bytes: 2, text: 'What models are published in. Right nearly always.' },
  {
    value: 'F16',
    name: 'float16',
    bytes: 2,
    text: 'For older GPUs and runtimes without bfloat16. Finer, with less range.',
  },
  { value: 'F32', name: 'float32', bytes: 4, text: 'Nothing is rounded. To convert or quantise it further.' },
];

/** The whole model with what it learned, for programs that know nothing of adapters. */
export function ExportMerged({ method, objective }: { method: MethodType; objective: ObjectiveType }) {
  const { dtype, state, result, error, setDtype } = useMerge();
  const adapter = useCompare((compare) => compare.adapter);
  const exporting = useCompare((compare) => compare.exporting || compare.generating);
  const own = leavesModel(methodOf({ type: method }));
  const parameters = useModel((model) => model.info?.parameters ?? null);
  const training = useTraining((run) => run.phase !== 'idle');
  const why = training
    ? 'A run is going on. Stop it, or wait for its end.'
    : exporting
      ? 'The model is answering, or an archive is being written.'
      : !adapter && (own ? 'Nothing has been learned yet: train first.' : 'There is no adapter yet: train one first.');
  const merging = state !== 'idle';
  if (!methodOf({ type: method }).merges) {
    return (
      <p className="max-w-prose text-muted">
        <strong className="text-ink">No merged model</strong>: what {methodOf({ type: method }).label.toLowerCase()}{' '}
        learned is not a change of weights, so it cannot be added to them. It stays beside the model, as an adapter.
      </p>
    );
  }
  return (
    <>
      <div className="grid gap-x-6 gap-y-4 lg:grid-cols-[minmax(0,1fr)_auto]">
        <div className="max-w-prose space-y-2">
          <p>
            <strong>{own ? 'The model' : 'The merged model'}</strong>, a whole Hugging Face folder in one zip:{' '}
            <code>model.safetensors</code>, config, tokenizer and a model card.{' '}
            {objectiveOf({ type: objective }).writes
              ? 'It opens in transformers, vLLM and text-generation-inference without PEFT, and llama.cpp converts it to GGUF.'
              : 'It opens in transformers without anything else.'}
          </p>
          <p className="text-muted">
            It is as large as the model itself, and its licence applies.{' '}
            {own
              ? 'What was learned is in its weights.'
              : 'What was learned can no longer be taken out or made weaker.'}
          </p>
        </div>
        {!merging && (
          <div className="lg:text-right">
            <Button variant={own ? 'primary' : 'secondary'} size="large" why={why} onClick={() => void saveMerged()}>
              <PackageOpen aria-hidden size={18} />
              {own ? 'Export model' : 'Export merged model'}
            </Button>
            {adapter && (
              <p className="mt-1.5 text-[0.8125rem] text-muted">
                {exportBy('model').fileName(adapter.name, { method, objective })}
              </p>
            )}
          </div>
        )}
      </div>
      <div className="mt-3">
        <RadioList
          label="Precision of the file"
          columns={3}
          value={dtype}
          onChange={setDtype}
          disabled={merging}
          options={precisions.map(({ value, name, bytes, text }) => ({
            value,
            name,
            aside: parameters === null ? undefined : `about ${formatBytes(parameters * bytes)}`,
            children: <span className="block text-[0.8125rem] text-muted">{text}</span>,
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
  const { state, progress, cancel } = useMerge();
  const writing = progress?.phase === 'writing' ? progress : null;
  const text =
    state === 'saving'
      ? 'Saving the archive'
      : progress?.phase === 'checking'
        ? 'Comparing the merged model with the adapter'
        : writing
          ? `Merging: ${formatBytes(writing.done)} of ${formatBytes(writing.total)}`
          : 'Preparing';
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 rounded-lg border px-4 py-3">
      <div className="min-w-0 flex-1 basis-48 space-y-2">
        <p role="status">{writing ? 'Merging' : text}</p>
        <ProgressBar
          label="Model merged"
          value={progress && progress.total > 0 ? progress.done / progress.total : null}
          text={text}
        />
        {writing && <p className="text-[0.8125rem] text-muted">{text}</p>}
      </div>
      <Button onClick={cancel}>Cancel</Button>
    </div>
  );
}

function Result({ merged }: { merged: Merged }) {
  const { name, dtype, bytes, maxLogitDifference } = merged;
  const precision = precisions.find(({ value }) => value === dtype)?.name;
  return (
    <div role="status">
      <Notice
        title={`${name} is saved: ${formatBytes(bytes)} in ${precision}`}
        onDismiss={() => useMerge.getState().forget()}
      >
        <p>
          {maxLogitDifference === null
            ? 'The merged model was not compared with the adapter: the GPU has no room for both at once.'
            : `The largest difference of a logit between it and the model with its adapter is ${maxLogitDifference.toExponential(1)}. The model card says so too.`}
        </p>
      </Notice>
    </div>
  );
}
