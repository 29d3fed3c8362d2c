import { FileUp } from 'lucide-react';
import { useMemo } from 'react';
import { useData } from '../../stores/data';
import { useRecipe } from '../../stores/recipe';
import { useTraining } from '../../stores/training';
import { DatasetError } from '../components/data/DatasetError';
import { DatasetShelf } from '../components/data/DatasetShelf';
import { DetectedPanel } from '../components/data/DetectedPanel';
import { ExamplesTable } from '../components/data/ExamplesTable';
import { ProblemsPanel } from '../components/data/ProblemsPanel';
import { TokenPanel } from '../components/data/TokenPanel';
import { Button } from '../ui/Button';
import { ErrorNotice } from '../ui/Notice';
import { Page } from '../ui/Page';
import { Panel } from '../ui/Panel';
import { pickDataset } from '../util/pick';

function whyNoEdit(builtin: boolean, training: boolean): string | null {
  if (training) return 'A run is going on.';
  return builtin ? 'This dataset comes with Tabtune. Open a file of your own to edit it here.' : null;
}

export function DataPage() {
  const { status, dataset, error, tokens, tokenError, importError, importing } = useData();
  const source = useRecipe((state) => state.recipe.dataset.source);
  const training = useTraining((state) => state.phase !== 'idle');
  const problems = useMemo(() => [...(dataset?.problems ?? []), ...(tokens?.problems ?? [])], [dataset, tokens]);
  const problemRows = useMemo(() => new Set(problems.flatMap(({ row }) => row ?? [])), [problems]);
  const rows = useMemo(() => new Set(dataset?.examples.map(({ row }) => row)), [dataset]);
  const noEdit = whyNoEdit(source.startsWith('builtin:'), training);
  const why = training ? 'A run is going on. Stop it first.' : importing && 'A file is being read.';
  return (
    <Page
      title="Data"
      lead="The examples to learn from: answers, labels, tags or plain text."
      aside={
        <Button variant={source.startsWith('file:') ? 'secondary' : 'primary'} why={why} onClick={pickDataset}>
          <FileUp aria-hidden size={16} />
          Open file
        </Button>
      }
    >
      {importError && <ErrorNotice error={importError} onDismiss={() => useData.setState({ importError: null })} />}
      <DatasetShelf />
      {error && <DatasetError error={error} />}
      {tokenError && <ErrorNotice error={tokenError} />}
      {status === 'opening' && !dataset && <p className="text-muted">Reading the dataset.</p>}
      {dataset && (
        <>
          <DetectedPanel dataset={dataset} />
          <ProblemsPanel problems={problems} rows={rows} />
          <Panel
            title="Examples"
            description={
              noEdit ?? 'Choose one to see how the model reads it below. Enter or a double click edits a cell.'
            }
            flush
          >
            <ExamplesTable dataset={dataset} problemRows={problemRows} why={noEdit} />
          </Panel>
          <TokenPanel />
        </>
      )}
    </Page>
  );
}
