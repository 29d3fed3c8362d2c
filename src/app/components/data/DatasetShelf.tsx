import { FileUp, Trash2 } from 'lucide-react';
import { useEffect, useState } from 'react';
import { readAsDetected } from '../../../recipe/sections';
import type { OwnDataset } from '../../../session/own-datasets-types';
import { useBuiltins } from '../../../stores/builtins';
import { useData } from '../../../stores/data';
import { useLibrary } from '../../../stores/library';
import { useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import { useStorage } from '../../../stores/storage';
import { runActive, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { datasetShelfText as text } from '../../text/data';
import { Badge } from '../../ui/Badge';
import { ChoiceCard } from '../../ui/ChoiceCard';
import { Confirm } from '../../ui/Confirm';
import { IconButton } from '../../ui/IconButton';
import { Panel } from '../../ui/Panel';
import { formatBytes, formatPlural, formatWhen } from '../../util/format';

/** The person's own files, which stay until they are deleted, and the built-in datasets. */
export function DatasetShelf() {
  const datasets = useBuiltins((state) => state.datasets);
  const source = useRecipe((state) => state.recipe.dataset.source);
  const set = useRecipe((state) => state.set);
  const { own, refresh, choose, remove } = useLibrary(useFields('own', 'refresh', 'choose', 'remove'));
  const stored = useStorage((state) => state.report);
  const opened = useData((state) => state.dataset);
  const training = useTraining(runActive);
  const [doomed, setDoomed] = useState<OwnDataset | null>(null);
  const why = training && common.runInProgress;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is stored changes with these.
  useEffect(() => void refresh(), [refresh, stored, opened]);
  const chooseBuiltin = (name: string) => {
    useLibrary.getState().cancel();
    set({ 'dataset.source': `builtin:${name}`, ...readAsDetected, name: undefined });
  };
  return (
    <Panel title={text.title}>
      <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
        {own.map((dataset) => (
          <ChoiceCard
            key={dataset.source}
            name={dataset.name}
            chosen={source === dataset.source}
            why={why}
            onChoose={() => void choose(dataset)}
            badge={<Badge tone="accent">{text.yourFile}</Badge>}
            facts={<span className="block pr-8">{factsOf(dataset)}</span>}
            action={
              <IconButton
                icon={Trash2}
                size="small"
                label={text.remove(dataset.name)}
                why={why}
                onClick={() => setDoomed(dataset)}
              />
            }
          />
        ))}
        {datasets.map((dataset) => (
          <ChoiceCard
            key={dataset.name}
            name={dataset.title}
            chosen={source === `builtin:${dataset.name}`}
            why={why}
            onChoose={() => chooseBuiltin(dataset.name)}
            facts={`${formatPlural(dataset.examples, 'example')} · ${dataset.licence}`}
          >
            {dataset.description}
          </ChoiceCard>
        ))}
      </div>
      <p className="mt-3 flex gap-2 text-[0.8125rem] text-muted">
        <FileUp aria-hidden size={16} strokeWidth={1.5} className="mt-px shrink-0" />
        <span>
          {text.drop} {text.kept}
        </span>
      </p>
      <Confirm
        open={doomed !== null}
        title={text.removeQuestion(doomed?.name ?? '')}
        action={text.removeAction}
        onCancel={() => setDoomed(null)}
        onConfirm={() => doomed && void remove(doomed)}
      >
        {text.removeConsequence}
      </Confirm>
    </Panel>
  );
}

/** `312 examples · 96.4 kB · today, 14:05 · edited`. */
function factsOf({ examples, bytes, addedAt, edited }: OwnDataset): string {
  return [
    ...(examples === null ? [] : [formatPlural(examples, 'example')]),
    formatBytes(bytes),
    formatWhen(addedAt),
    ...(edited ? [text.edited] : []),
  ].join(' · ');
}
