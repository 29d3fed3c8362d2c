import { Trash2, X } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import type { RunRecord } from '../../storage/types';
import { usePreferences } from '../../stores/preferences';
import { useRunTable } from '../../stores/run-table';
import { useRuns } from '../../stores/runs';
import { useFields } from '../../stores/select';
import { runActive, useTraining } from '../../stores/training';
import { CompareSelected } from '../components/runs/CompareSelected';
import {
  type entriesOf,
  type Filters,
  matching,
  noFilters,
  shownColumns,
  sorted,
  tagsOf,
  usualSort,
} from '../components/runs/columns';
import { LabelsDialog } from '../components/runs/LabelsDialog';
import { NoRuns } from '../components/runs/NoRuns';
import { RecipeDifferences } from '../components/runs/RecipeDifferences';
import { RunCurves } from '../components/runs/RunCurves';
import { ColumnsMenu, RunFilters } from '../components/runs/RunFilters';
import { RunTable } from '../components/runs/RunTable';
import { recipeIsUnsaved, reuseRecipe } from '../components/runs/reuse';
import { useEntries } from '../components/runs/useEntries';
import { common } from '../text/common';
import { deleteText, reuseText, selectionText, runsText as text } from '../text/runs';
import { Button } from '../ui/Button';
import { Confirm } from '../ui/Confirm';
import { ErrorNotice } from '../ui/Notice';
import { Page } from '../ui/Page';
import { Panel } from '../ui/Panel';
import { Rich } from '../ui/Rich';
import { navigate } from '../util/route';
import { saveRecipe } from '../util/saveFiles';

/** Keeps the list fresh: runs of other tabs, and what a run in progress has reached. */
function useFreshRuns(): void {
  const phase = useTraining((state) => state.phase);
  const refresh = useRuns((state) => state.refresh);
  const readSizes = useRunTable((state) => state.readSizes);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a run has come to another phase.
  useEffect(() => {
    void refresh();
    void readSizes();
  }, [phase, refresh, readSizes]);
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === 'visible') void refresh();
    };
    document.addEventListener('visibilitychange', look);
    window.addEventListener('focus', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
      window.removeEventListener('focus', look);
    };
  }, [refresh]);
}

export function RunsPage() {
  useFreshRuns();
  const { known, error } = useRuns(useFields('known', 'error'));
  const entries = useEntries();
  return (
    <Page name="runs">
      {error && <ErrorNotice error={error} onDismiss={() => useRuns.setState({ error: null })} />}
      {entries.length > 0 ? <Notebook entries={entries} /> : known && !error && <NoRuns />}
    </Page>
  );
}

/** The table, and below it what the selected runs have in common and what not. */
function Notebook({ entries }: { entries: ReturnType<typeof entriesOf> }) {
  const { selected, select, remove } = useRunTable(useFields('selected', 'select', 'remove'));
  const { runColumns, runSort } = usePreferences(useFields('runColumns', 'runSort'));
  const [filters, setFilters] = useState<Filters>(noFilters);
  const [renaming, setRenaming] = useState<string | null>(null);
  const [labelling, setLabelling] = useState<RunRecord | null>(null);
  const [deleting, setDeleting] = useState<RunRecord[]>([]);
  const [replacing, setReplacing] = useState<{ run: RunRecord; copy: boolean } | null>(null);
  const busy = useTraining(runActive) && common.notDuringRun;
  const runs = useMemo(() => entries.map(({ run }) => run), [entries]);
  const sort = runSort ?? usualSort;
  const columns = useMemo(() => shownColumns(runColumns), [runColumns]);
  const shown = useMemo(() => sorted(matching(entries, filters), sort), [entries, filters, sort]);
  // In the order of the table, so that the first is the same in every panel.
  const chosen = useMemo(() => {
    const ids = new Set(selected);
    return sorted(entries, sort).flatMap(({ run }) => (ids.has(run.id) ? [run] : []));
  }, [entries, sort, selected]);

  function open(run: RunRecord) {
    if (busy && useTraining.getState().run?.id !== run.id) return;
    void useTraining.getState().show(run);
    navigate('train', { detail: run.id });
  }
  function use(run: RunRecord, copy: boolean) {
    if (recipeIsUnsaved()) setReplacing({ run, copy });
    else reuseRecipe(run, copy);
  }

  return (
    <>
      <Panel
        className="@container"
        title={shown.length === entries.length ? text.count(shown.length) : text.countOf(shown.length, entries.length)}
        aside={
          <span className="hidden @2xl:block">
            <ColumnsMenu shown={columns} />
          </span>
        }
        flush
      >
        <RunFilters
          runs={runs}
          entries={entries}
          filters={filters}
          sort={sort}
          onChange={(change) => setFilters((before) => ({ ...before, ...change }))}
        />
        {shown.length === 0 ? (
          <div className="flex flex-wrap items-center gap-3 border-t px-4 py-6">
            <p className="text-muted">{text.none}</p>
            <Button size="small" onClick={() => setFilters(noFilters)}>
              {text.clear}
            </Button>
          </div>
        ) : (
          <RunTable
            entries={shown}
            columns={columns}
            sort={sort}
            renaming={renaming}
            onRename={setRenaming}
            onOpen={open}
            onDelete={(some) => !busy && setDeleting(some)}
            onLabels={setLabelling}
            onUse={use}
          />
        )}
        <div className="flex min-h-12 flex-wrap items-center gap-2 border-t px-4 py-2 text-[0.8125rem]">
          {chosen.length === 0 ? (
            <p className="text-muted">{selectionText.hint}</p>
          ) : (
            <>
              <p role="status" className="mr-auto font-medium">
                {selectionText.selected(chosen.length)}
              </p>
              <CompareSelected chosen={chosen} />
              <Button size="small" onClick={() => select([])}>
                <X aria-hidden size={14} /> {selectionText.clear}
              </Button>
              <Button size="small" variant="danger" why={busy} onClick={() => setDeleting(chosen)}>
                <Trash2 aria-hidden size={14} /> {selectionText.delete}
              </Button>
            </>
          )}
        </div>
      </Panel>
      {entries.some(({ bestOf }) => bestOf > 0) && (
        <p className="-mt-2 max-w-prose px-1 text-[0.8125rem] text-muted">
          <Rich text={text.bestNote} />
        </p>
      )}
      {chosen.length > 0 && <RunCurves selected={chosen} />}
      {chosen.length > 1 && <RecipeDifferences selected={chosen} />}
      <LabelsDialog run={labelling} known={tagsOf(runs)} onClose={() => setLabelling(null)} />
      <Confirm
        open={deleting.length > 0}
        title={deleteText.question(deleting.map(({ name }) => name))}
        action={deleteText.action(deleting.length)}
        onCancel={() => setDeleting([])}
        onConfirm={() => void remove(deleting.map(({ id }) => id))}
      >
        {deleteText.consequence(deleting.length)}
      </Confirm>
      <Confirm
        open={replacing !== null}
        title={reuseText.question}
        action={reuseText.action}
        onCancel={() => setReplacing(null)}
        onConfirm={() => replacing && reuseRecipe(replacing.run, replacing.copy)}
        instead={{
          action: reuseText.save,
          onChoose: () => {
            saveRecipe();
            if (replacing) reuseRecipe(replacing.run, replacing.copy);
          },
        }}
      >
        {reuseText.consequence}
      </Confirm>
    </>
  );
}
