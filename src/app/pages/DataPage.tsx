import { FileUp, Sparkles, Tags } from 'lucide-react';
import { useMemo } from 'react';
import type { ParsedDataset } from '../../data/types';
import { readAsDetected } from '../../recipe/sections';
import { problemsOf, useData } from '../../stores/data';
import { type Finding, listFindings, useFindings } from '../../stores/findings';
import { useLibrary } from '../../stores/library';
import { useRecipe } from '../../stores/recipe';
import { useFields } from '../../stores/select';
import { useTable } from '../../stores/table';
import { runActive, useTraining } from '../../stores/training';
import { AnswersPanel } from '../components/data/AnswersPanel';
import { AugmentPanel } from '../components/data/AugmentPanel';
import { ChecksPanel } from '../components/data/ChecksPanel';
import { DatasetError } from '../components/data/DatasetError';
import { DatasetShelf } from '../components/data/DatasetShelf';
import { DetectedPanel } from '../components/data/DetectedPanel';
import { ExamplesTable } from '../components/data/ExamplesTable';
import { FindingsPanel } from '../components/data/FindingsPanel';
import { groupFindings, spacedFinding } from '../components/data/groupFindings';
import { LabelBalance } from '../components/data/LabelBalance';
import { MixPanel } from '../components/data/MixPanel';
import { OpeningFile, Reading } from '../components/data/OpeningFile';
import { TableTools } from '../components/data/TableTools';
import { TokenPanel } from '../components/data/TokenPanel';
import { UndoBar } from '../components/data/UndoBar';
import { classesText } from '../text/classes';
import { common } from '../text/common';
import { dataText as text } from '../text/data';
import { commandText } from '../text/shell';
import { Button } from '../ui/Button';
import { ErrorNotice } from '../ui/Notice';
import { Page } from '../ui/Page';
import { Panel } from '../ui/Panel';
import { pickDataset } from '../util/fileDialogs';
import { CLASSES, navigate, SELF_INSTRUCT } from '../util/route';

function whyNoEdit(builtin: boolean, training: boolean, readOnly: boolean): string | null {
  if (training) return common.runInProgress;
  if (readOnly && !builtin) return text.readOnly;
  return builtin ? text.builtinReadOnly : null;
}

/** Which of the rows that are listed are examples. There may be 200,000 of these, and a set of them all takes long to make. */
function examplesAmong(dataset: ParsedDataset | null, findings: readonly Finding[]): Set<number> {
  const listed = new Set(
    findings.flatMap(({ rows, details }) => [...rows.slice(0, 1), ...details.flatMap(({ row }) => row ?? [])]),
  );
  const found = new Set<number>();
  if (listed.size > 0) for (const { row } of dataset?.examples ?? []) if (listed.has(row)) found.add(row);
  return found;
}

export function DataPage() {
  const { status, dataset, error, tokens, tokenError, importError, reading } = useData(
    useFields('status', 'dataset', 'error', 'tokens', 'tokenError', 'importError', 'reading'),
  );
  const busy = useLibrary((state) => state.reading !== null);
  const { source, columns } = useRecipe((state) => state.recipe.dataset);
  const set = useRecipe((state) => state.set);
  const training = useTraining(runActive);
  const problems = useMemo(() => problemsOf({ dataset, tokens }), [dataset, tokens]);
  const problemRows = useMemo(() => new Set(problems.flatMap(({ row }) => row ?? [])), [problems]);
  const editable = source.startsWith('file:') && !dataset?.readOnly;
  const others = useFindings((state) => state.from);
  const spaced = useTable((state) => state.spaced);
  const findings = useMemo(() => {
    const own = dataset ? groupFindings(problems, { dataset, columns, editable }) : [];
    // Values inside others are changed in the file itself.
    const flat = dataset && Object.values(dataset.mapping).every((column) => !column.includes('.'));
    const spaces = editable && flat ? spacedFinding(spaced) : null;
    return listFindings(spaces ? [...own, spaces] : own, others);
  }, [problems, dataset, columns, editable, others, spaced]);
  const rows = useMemo(() => examplesAmong(dataset, findings), [dataset, findings]);
  const noEdit = whyNoEdit(source.startsWith('builtin:'), training, dataset?.readOnly ?? false);
  const why = training ? common.stopRunFirst : busy && text.beingRead;
  const own = source.startsWith('file:');
  const leave = () => set({ ...readAsDetected, 'dataset.source': undefined, name: undefined });
  return (
    <Page
      name="data"
      aside={
        <div className="flex flex-wrap gap-2">
          <Button onClick={() => navigate('data', { detail: CLASSES })}>
            <Tags aria-hidden size={16} />
            {classesText.open}
          </Button>
          <Button onClick={() => navigate('data', { detail: SELF_INSTRUCT })}>
            <Sparkles aria-hidden size={16} />
            {commandText.writeExamples}
          </Button>
          <Button variant={own ? 'secondary' : 'primary'} why={why} onClick={pickDataset}>
            <FileUp aria-hidden size={16} />
            {text.openFile}
          </Button>
        </div>
      }
    >
      {importError && <ErrorNotice error={importError} onDismiss={() => useData.setState({ importError: null })} />}
      <OpeningFile />
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
      {status === 'opening' && !dataset && (
        <Reading name={source.replace(/^\w+:/, '')} progress={reading} onCancel={own ? leave : undefined} />
      )}
      {dataset && (
        <>
          <DetectedPanel dataset={dataset} />
          <UndoBar why={training ? common.runInProgress : null} />
          <FindingsPanel findings={findings} rows={rows} leftOut={dataset.leftOut} totalRows={dataset.totalRows} />
          <LabelBalance />
          <Panel title={text.examples} description={noEdit ?? text.examplesHint} flush>
            <TableTools dataset={dataset} findings={findings} />
            <ExamplesTable dataset={dataset} problemRows={problemRows} why={noEdit} />
          </Panel>
          <AnswersPanel />
          <TokenPanel />
          <MixPanel />
          <AugmentPanel dataset={dataset} />
          <ChecksPanel dataset={dataset} />
        </>
      )}
    </Page>
  );
}
