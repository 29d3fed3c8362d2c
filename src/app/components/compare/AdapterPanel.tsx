import { FolderOpen, PackageOpen } from 'lucide-react';
import { methodOf } from '../../../methods';
import { selectLabel } from '../../../recipe/fields';
import { sorts, useCompare } from '../../../stores/compare';
import { modelReady, useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { useRuns } from '../../../stores/runs';
import { useFields } from '../../../stores/select';
import { runActive, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { adapterText as text } from '../../text/compare';
import { Button } from '../../ui/Button';
import { Facts } from '../../ui/Facts';
import { Input, Labelled, Select } from '../../ui/Field';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { pickAdapterFolder, pickAdapterZip } from '../../util/fileDialogs';
import { formatCompact, formatMetric, formatWhen } from '../../util/format';
import { AdapterList } from './AdapterList';

const perplexity = (loss: number | null) => formatMetric(loss === null ? null : Math.exp(loss));

/** The active adapter, and its results on the held-out examples. */
export function AdapterPanel() {
  const { adapter, adapters, opening, adapterError, openRun, generating, strength, set } = useCompare(
    useFields('adapter', 'adapters', 'opening', 'adapterError', 'openRun', 'generating', 'strength', 'set'),
  );
  const ready = useModel(modelReady);
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
        : generating && text.answering;
  const run = adapter?.kind === 'run' ? adapter.run : null;
  return (
    <Panel
      title={text.title}
      aside={
        <>
          <Button size="small" why={why} onClick={pickAdapterFolder}>
            <FolderOpen aria-hidden size={14} /> {text.openFolder}
          </Button>
          <Button size="small" why={why} onClick={pickAdapterZip}>
            <PackageOpen aria-hidden size={14} /> {text.openZip}
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
        {adapter && (
          <Labelled
            label={text.strength}
            hint={methodOf({ type: adapter.method }).virtualTokens ? text.virtualTokensHint : text.strengthHint}
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
              { name: text.name, value: adapter.name, note: adapter.kind === 'import' ? text.fromFile : undefined },
              {
                name: selectLabel('method.type', adapter.method),
                value: common.parameters(formatCompact(adapter.trainableParameters)),
              },
              ...(run
                ? [
                    {
                      name: common.validationLoss,
                      value: text.beforeAfter(formatMetric(run.initialEvalLoss), formatMetric(run.bestEvalLoss)),
                      note: text.lossNote,
                    },
                    // The perplexity of a classifier's loss would mean nothing.
                    ...(sorts(adapter)
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
