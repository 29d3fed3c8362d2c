import { FileUp } from 'lucide-react';
import { useMemo } from 'react';
import { problemsOf, useData } from '../../stores/data';
import { useRecipe } from '../../stores/recipe';
import { useFields } from '../../stores/select';
import { runActive, useTraining } from '../../stores/training';
import { DatasetError } from '../components/data/DatasetError';
import { DatasetShelf } from '../components/data/DatasetShelf';
import { DetectedPanel } from '../components/data/DetectedPanel';
import { ExamplesTable } from '../components/data/ExamplesTable';
import { ProblemsPanel } from '../components/data/ProblemsPanel';
import { TokenPanel } from '../components/data/TokenPanel';
import { common } from '../text/common';
import { dataText as text } from '../text/data';
import { Button } from '../ui/Button';
import { ErrorNotice } from '../ui/Notice';
import { Page } from '../ui/Page';
import { Panel } from '../ui/Panel';
import { pickDataset } from '../util/fileDialogs';

function whyNoEdit(builtin: boolean, training: boolean, readOnly: boolean): string | null {
  if (training) return common.runInProgress;
  if (readOnly && !builtin) return text.readOnly;
  return builtin ? text.builtinReadOnly : null;
}

export function DataPage() {
  const { status, dataset, error, tokens, tokenError, importError, importing } = useData(
    useFields('status', 'dataset', 'error', 'tokens', 'tokenError', 'importError', 'importing'),
  );
  const source = useRecipe((state) => state.recipe.dataset.source);
  const set = useRecipe((state) => state.set);
  const training = useTraining(runActive);
  const problems = useMemo(() => problemsOf({ dataset, tokens }), [dataset, tokens]);
  const problemRows = useMemo(() => new Set(problems.flatMap(({ row }) => row ?? [])), [problems]);
  const rows = useMemo(() => new Set(dataset?.examples.map(({ row }) => row)), [dataset]);
  const noEdit = whyNoEdit(source.startsWith('builtin:'), training, dataset?.readOnly ?? false);
  const why = training ? common.stopRunFirst : importing && text.beingRead;
  return (
    <Page
      name="data"
      aside={
        <Button variant={source.startsWith('file:') ? 'secondary' : 'primary'} why={why} onClick={pickDataset}>
          <FileUp aria-hidden size={16} />
          {text.openFile}
        </Button>
      }
    >
      {importError && <ErrorNotice error={importError} onDismiss={() => useData.setState({ importError: null })} />}
      <DatasetShelf />
      {error && <DatasetError error={error} />}
      {tokenError && (
        <ErrorNotice
          error={tokenError}
          actions={tokenError.choices?.map(({ label, set: answer }) => (
            <Button key={label} variant="primary" onClick={() => set(answer)}>
              {label}
            </Button>
          ))}
        />
      )}
      {status === 'opening' && !dataset && <p className="text-muted">{text.reading}</p>}
      {dataset && (
        <>
          <DetectedPanel dataset={dataset} />
          <ProblemsPanel problems={problems} rows={rows} leftOut={dataset.leftOut} totalRows={dataset.totalRows} />
          <Panel title={text.examples} description={noEdit ?? text.examplesHint} flush>
            <ExamplesTable dataset={dataset} problemRows={problemRows} why={noEdit} />
          </Panel>
          <TokenPanel />
        </>
      )}
    </Page>
  );
}
