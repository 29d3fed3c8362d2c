import { Download } from 'lucide-react';
import { exportBy, loadingCode } from '../../../exports';
import { methodOf } from '../../../methods';
import { useCompare } from '../../../stores/compare';
import { useMerge } from '../../../stores/merge';
import { useRecipe } from '../../../stores/recipe';
import { useTraining } from '../../../stores/training';
import { Button } from '../../ui/Button';
import { ErrorNotice } from '../../ui/Notice';
import { saveAdapter } from '../../util/save';

/** The adapter alone: what the format is for, and what it cannot carry. */
export function ExportAdapter() {
  const { adapter, exporting, exportError } = useCompare();
  const recipe = useRecipe((state) => state.recipe);
  const { method, objective } = adapter ?? { method: recipe.method.type, objective: recipe.objective.type };
  const file = adapter && exportBy('adapter').fileName(adapter.name, { method, objective });
  const training = useTraining((state) => state.phase !== 'idle');
  const merging = useMerge((state) => state.state !== 'idle');
  const why = training
    ? 'A run is going on. Stop it, or wait for its end.'
    : exporting || merging
      ? 'An archive is being written.'
      : !adapter && 'There is no adapter yet: train one first.';
  return (
    <>
      <div className="grid gap-x-6 gap-y-4 lg:grid-cols-[minmax(0,1fr)_auto]">
        <div className="max-w-prose space-y-2">
          {methodOf({ type: method }).files?.id === 'adapterhub' ? (
            <p>
              <strong>An AdapterHub adapter</strong>, in one zip: its weights, <code>adapter_config.json</code> and a
              model card. It loads in the adapters library, beside others for the same base.
            </p>
          ) : (
            <p>
              <strong>A PEFT adapter</strong>, in one zip: <code>adapter_model.safetensors</code>,{' '}
              <code>adapter_config.json</code> and a model card. It loads in PEFT and transformers
              {methodOf({ type: method }).merges
                ? ', in vLLM, and in everything else that reads PEFT folders; llama.cpp converts it.'
                : '.'}
            </p>
          )}
          <p className="text-muted">
            It holds only what was learned, a small part of the whole. It does not carry the base model: whoever loads
            it needs the same base. Nor does it carry your examples.
          </p>
          <details className="text-[0.8125rem]">
            <summary className="inline-block py-0.5 text-muted underline underline-offset-2">
              How to load it in Python
            </summary>
            <pre className="mt-1 overflow-x-auto rounded-md border bg-canvas p-3 font-mono text-xs leading-relaxed">
              {loadingCode({ method, objective }, file?.replace(/\.zip$/, '') ?? 'path/to/adapter')}
            </pre>
          </details>
        </div>
        <div className="lg:text-right">
          <Button variant="primary" size="large" why={why} onClick={() => void saveAdapter()}>
            <Download aria-hidden size={18} />
            Export adapter
          </Button>
          {file && <p className="mt-1.5 text-[0.8125rem] text-muted">{file}</p>}
        </div>
      </div>
      {exportError && (
        <div className="mt-4">
          <ErrorNotice error={exportError} onDismiss={() => useCompare.setState({ exportError: null })} />
        </div>
      )}
    </>
  );
}
