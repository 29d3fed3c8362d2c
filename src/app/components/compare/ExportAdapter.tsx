import { Download } from 'lucide-react';
import { exportBy, loadingCode } from '../../../exports';
import { useCompare } from '../../../stores/compare';
import { mergeActive, useMerge } from '../../../stores/merge';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import { runActive, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { exportText as text } from '../../text/compare';
import { Button } from '../../ui/Button';
import { ErrorNotice, Notice } from '../../ui/Notice';
import { Rich } from '../../ui/Rich';
import { saveAdapter } from '../../util/saveFiles';

/** The adapter alone: what the format is for, and what it does not contain. */
export function ExportAdapter() {
  const { adapter, exporting, exportError, exportNotes } = useCompare(
    useFields('adapter', 'exporting', 'exportError', 'exportNotes'),
  );
  const recipe = useRecipe((state) => state.recipe);
  const { method, objective } = adapter ?? { method: recipe.method.type, objective: recipe.objective.type };
  const { label, contents, readBy, fileName: nameOf } = exportBy('adapter');
  const family = useModel((state) => state.info?.architecture ?? null);
  const training = useTraining(runActive);
  const merging = useMerge(mergeActive);
  const why = training ? text.runInProgress : exporting || merging ? text.archiveBusy : !adapter && common.noAdapterYet;
  const fileName = adapter && nameOf(adapter.name, { method, objective });
  return (
    <>
      <div className="grid gap-x-6 gap-y-4 lg:grid-cols-[minmax(0,1fr)_auto]">
        <div className="max-w-prose space-y-2">
          <p>
            <Rich text={`${contents({ method, objective })} ${readBy({ method, objective })}`} />
          </p>
          <p className="text-muted">{text.adapterHolds}</p>
          <details className="text-[0.8125rem]">
            <summary className="inline-block py-0.5 text-muted underline underline-offset-2">{text.howToLoad}</summary>
            <pre className="mt-1 overflow-x-auto rounded-md border bg-canvas p-3 font-mono text-xs leading-relaxed">
              {loadingCode({ method, objective, family }, fileName?.replace(/\.zip$/, '') ?? text.placeholderFolder)}
            </pre>
          </details>
        </div>
        <div className="lg:text-right">
          <Button variant="primary" size="large" why={why} onClick={() => void saveAdapter()}>
            <Download aria-hidden size={18} />
            {label({ method, objective })}
          </Button>
          {fileName && <p className="mt-1.5 text-[0.8125rem] text-muted">{fileName}</p>}
        </div>
      </div>
      {exportNotes.length > 0 && (
        <div role="status" className="mt-4">
          <Notice onDismiss={() => useCompare.setState({ exportNotes: [] })}>
            {exportNotes.map((note) => (
              <p key={note}>{note}</p>
            ))}
          </Notice>
        </div>
      )}
      {exportError && (
        <div className="mt-4">
          <ErrorNotice error={exportError} onDismiss={() => useCompare.setState({ exportError: null })} />
        </div>
      )}
    </>
  );
}
