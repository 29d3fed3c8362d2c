import { FolderOpen, PackageOpen } from 'lucide-react';
import { methodOf } from '../../../methods';
import { selectLabel } from '../../../recipe/fields';
import { sorts, useCompare } from '../../../stores/compare';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { useRuns } from '../../../stores/runs';
import { useTraining } from '../../../stores/training';
import { Button } from '../../ui/Button';
import { Facts } from '../../ui/Facts';
import { Input, Labelled, Select } from '../../ui/Field';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { formatCompact, formatFigure, formatWhen } from '../../util/format';
import { pickAdapterFolder, pickAdapterZip } from '../../util/pick';
import { AdapterList } from './AdapterList';

const perplexity = (loss: number | null) => (loss === null ? '–' : formatFigure(Math.exp(loss)));

/** Which adapter is on the model, and what the held-out examples say about it. */
export function AdapterPanel() {
  const { adapter, adapters, opening, adapterError, openRun, generating, strength, set } = useCompare();
  const ready = useModel((state) => state.status === 'ready');
  const source = useRecipe((state) => state.recipe.model.source);
  const training = useTraining((state) => state.phase !== 'idle');
  const allRuns = useRuns((state) => state.runs);
  const runs = allRuns.filter(
    (run) => run.recipe.model.source === source && run.step > 0 && !adapters.some((loaded) => loaded.runId === run.id),
  );
  const why = training
    ? 'A run is using the model.'
    : !ready
      ? 'Open a model first.'
      : opening
        ? 'An adapter is being loaded.'
        : generating && 'The model is answering.';
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
        {adapters.length > 0 && <AdapterList why={why} />}
        {runs.length > 0 && (
          <Labelled label="Open what was learned in" className="max-w-md">
            <Select
              value=""
              disabled={Boolean(why)}
              options={[
                { value: '', label: 'Choose a run' },
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
        {adapter && (
          <Labelled
            label="Strength"
            hint={
              methodOf({ type: adapter.method }).virtualTokens
                ? 'Virtual tokens are on or off: 0 is the base, anything else is as trained.'
                : '1 is as it was trained, 0 as the base; between and beyond scales it.'
            }
          >
            <Input
              type="number"
              min={0}
              max={4}
              step={0.1}
              value={strength}
              onChange={({ target }) =>
                set({
                  strength: Math.min(4, Math.max(0, Number.isFinite(target.valueAsNumber) ? target.valueAsNumber : 0)),
                })
              }
              className="max-w-28"
            />
          </Labelled>
        )}
        {adapter ? (
          <Facts
            columns={4}
            facts={[
              { name: 'Name', value: adapter.name, note: adapter.kind === 'import' ? 'opened from a file' : undefined },
              {
                name: selectLabel('method.type', adapter.method),
                value: `${formatCompact(adapter.trainableParameters)} parameters`,
              },
              ...(run
                ? [
                    {
                      name: 'Validation loss',
                      value: `${formatFigure(run.initialEvalLoss)} → ${formatFigure(run.bestEvalLoss)}`,
                      note: 'before → after, lower is better',
                    },
                    // Of a classifier's loss it would say nothing.
                    ...(sorts(adapter)
                      ? []
                      : [
                          {
                            name: 'Perplexity',
                            value: `${perplexity(run.initialEvalLoss)} → ${perplexity(run.bestEvalLoss)}`,
                            note: 'choices it wavers between',
                          },
                        ]),
                  ]
                : []),
            ]}
          />
        ) : (
          <p className="text-muted">
            {opening
              ? 'Loading what was learned.'
              : adapters.length > 0
                ? 'The base answers alone.'
                : 'No adapter yet. Train one, or open an adapter in PEFT’s or AdapterHub’s format made for this model, by Tabtune or any other tool. Until then the base answers alone.'}
          </p>
        )}
      </div>
    </Panel>
  );
}
