import { FolderOpen, PackageOpen } from 'lucide-react';
import { objectiveOf } from '../../../objectives';
import { PERPLEXITY } from '../../../objectives/metrics';
import { selectLabel } from '../../../recipe/fields';
import { useCompare } from '../../../stores/compare';
import { earnsRewards, shownLoss } from '../../../stores/evaluations';
import { exportActive, useExports } from '../../../stores/exports';
import { modelReady, useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { useRuns } from '../../../stores/runs';
import { useFields } from '../../../stores/select';
import { runActive, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { adapterText as text } from '../../text/compare';
import { Button } from '../../ui/Button';
import { Facts } from '../../ui/Facts';
import { Labelled, Select } from '../../ui/Field';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { pickAdapterFile, pickAdapterFolder } from '../../util/fileDialogs';
import { formatCompact, formatMetric, formatWhen } from '../../util/format';
import { AdapterList } from './AdapterList';

const perplexity = (loss: number | null) => formatMetric(loss === null ? null : Math.exp(loss));

/** The active adapter, and its results on the held-out examples. */
export function AdapterPanel() {
  const { adapter, adapters, opening, adapterError, openRun, generating } = useCompare(
    useFields('adapter', 'adapters', 'opening', 'adapterError', 'openRun', 'generating'),
  );
  const ready = useModel(modelReady);
  const exporting = useExports(exportActive);
  const source = useRecipe((state) => state.recipe.model.source);
  const training = useTraining(runActive);
  const allRuns = useRuns((state) => state.runs);
  const runs = allRuns.filter(
    (run) => run.recipe.model.source === source && run.step > 0 && !adapters.some((loaded) => loaded.runId === run.id),
  );
  const why = training
    ? text.inUse
    : !ready
      ? text.openModelFirst
      : opening
        ? text.beingLoaded
        : exporting
          ? text.beingExported
          : generating && text.answering;
  const run = adapter?.kind === 'run' ? adapter.run : null;
  return (
    <Panel
      title={text.title}
      description={text.description}
      aside={
        <>
          <Button size="small" why={why} onClick={pickAdapterFolder}>
            <FolderOpen aria-hidden size={14} /> {text.openFolder}
          </Button>
          <Button size="small" why={why} onClick={pickAdapterFile}>
            <PackageOpen aria-hidden size={14} /> {text.openFile}
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
          <Labelled label={text.fromRun} className="max-w-md">
            <Select
              value=""
              disabled={Boolean(why)}
              options={[
                { value: '', label: text.chooseRun },
                ...runs.map(({ id, name, createdAt, step }) => ({
                  value: id,
                  label: text.run(name, formatWhen(createdAt), step),
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
              { name: text.name, value: adapter.name, note: adapter.kind === 'import' ? text.fromFile : undefined },
              {
                name: selectLabel('method.type', adapter.method),
                value: common.parameters(formatCompact(adapter.trainableParameters)),
              },
              ...(run
                ? [
                    {
                      name: earnsRewards(run) ? text.reward : common.validationLoss,
                      value: text.beforeAfter(
                        formatMetric(shownLoss(run, run.initialEvalLoss)),
                        formatMetric(shownLoss(run, run.bestEvalLoss)),
                      ),
                      note: text.lossNote(run.bestStep),
                    },
                    // Of a loss that is none of tokens it would mean nothing.
                    ...(!objectiveOf(run.recipe.objective).metrics.includes(PERPLEXITY)
                      ? []
                      : [
                          {
                            name: text.perplexity,
                            value: text.beforeAfter(perplexity(run.initialEvalLoss), perplexity(run.bestEvalLoss)),
                            note: text.perplexityNote,
                          },
                        ]),
                  ]
                : []),
            ]}
          />
        ) : (
          <p className="text-muted">{opening ? text.loading : adapters.length > 0 ? text.baseOnly : text.none}</p>
        )}
      </div>
    </Panel>
  );
}
