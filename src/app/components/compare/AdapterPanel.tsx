import { FolderOpen, PackageOpen } from 'lucide-react';
import { useCompare } from '../../../stores/compare';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { useRuns } from '../../../stores/runs';
import { useTraining } from '../../../stores/training';
import { Button } from '../../ui/Button';
import { Facts } from '../../ui/Facts';
import { Labelled, Select } from '../../ui/Field';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { formatCompact, formatFigure, formatWhen } from '../../util/format';
import { pickAdapterFolder, pickAdapterZip } from '../../util/pick';

const perplexity = (loss: number | null) => (loss === null ? '–' : formatFigure(Math.exp(loss)));

/** Which adapter is on the model, and what the held-out examples say about it. */
export function AdapterPanel() {
  const { adapter, opening, adapterError, openRun } = useCompare();
  const ready = useModel((state) => state.status === 'ready');
  const source = useRecipe((state) => state.recipe.model.source);
  const training = useTraining((state) => state.phase !== 'idle');
  const allRuns = useRuns((state) => state.runs);
  const runs = allRuns.filter((run) => run.recipe.model.source === source && run.step > 0);
  const why = training
    ? 'A run is using the model.'
    : !ready
      ? 'Open a model first.'
      : opening && 'An adapter is being loaded.';
  const run = adapter?.kind === 'run' ? adapter.run : null;
  return (
    <Panel
      title="Adapter"
      aside={
        <>
          <Button size="small" why={why} onClick={pickAdapterFolder}>
            <FolderOpen aria-hidden size={14} /> Open adapter folder
          </Button>
          <Button size="small" why={why} onClick={pickAdapterZip}>
            <PackageOpen aria-hidden size={14} /> Open adapter zip
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        {adapterError && (
          <ErrorNotice error={adapterError} onDismiss={() => useCompare.setState({ adapterError: null })} />
        )}
        {(runs.length > 1 || (runs.length > 0 && !run)) && (
          <Labelled label="What was learned in" className="max-w-md">
            <Select
              value={run?.id ?? ''}
              disabled={Boolean(why)}
              options={[
                ...(run ? [] : [{ value: '', label: adapter ? adapter.name : 'Choose a run' }]),
                ...runs.map(({ id, name, createdAt, step }) => ({
                  value: id,
                  label: `${name}, ${formatWhen(createdAt)}, step ${step}`,
                })),
              ]}
              onChange={(event) => {
                const chosen = runs.find(({ id }) => id === event.target.value);
                if (chosen) void openRun(chosen);
              }}
            />
          </Labelled>
        )}
        {adapter ? (
          <Facts
            columns={4}
            facts={[
              { name: 'Name', value: adapter.name, note: adapter.kind === 'import' ? 'opened from a file' : undefined },
              { name: 'Size', value: `${formatCompact(adapter.trainableParameters)} parameters` },
              ...(run
                ? [
                    {
                      name: 'Validation loss',
                      value: `${formatFigure(run.initialEvalLoss)} → ${formatFigure(run.bestEvalLoss)}`,
                      note: 'before → after, lower is better',
                    },
                    {
                      name: 'Perplexity',
                      value: `${perplexity(run.initialEvalLoss)} → ${perplexity(run.bestEvalLoss)}`,
                      note: 'choices it wavers between',
                    },
                  ]
                : []),
            ]}
          />
        ) : (
          <p className="text-muted">
            {opening
              ? 'Loading what was learned.'
              : 'No adapter yet. Train one, or open a PEFT adapter made for this model, by Tabtune or any other tool. Until then the base answers alone.'}
          </p>
        )}
      </div>
    </Panel>
  );
}
