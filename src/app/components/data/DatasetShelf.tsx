import { FileUp } from 'lucide-react';
import { readAsDetected } from '../../../recipe/sections';
import { useBuiltins } from '../../../stores/builtins';
import { useData } from '../../../stores/data';
import { useRecipe } from '../../../stores/recipe';
import { runActive, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { datasetShelfText as text } from '../../text/data';
import { Badge } from '../../ui/Badge';
import { ChoiceCard } from '../../ui/ChoiceCard';
import { Panel } from '../../ui/Panel';
import { formatPlural } from '../../util/format';

/** The built-in datasets, and the person's own file. */
export function DatasetShelf() {
  const datasets = useBuiltins((state) => state.datasets);
  const source = useRecipe((state) => state.recipe.dataset.source);
  const set = useRecipe((state) => state.set);
  const examples = useData((state) => state.dataset?.examples.length);
  const training = useTraining(runActive);
  const why = training && common.runInProgress;
  const own = source.startsWith('file:') ? source.slice('file:'.length) : null;
  const choose = (name: string) =>
    set({
      'dataset.source': `builtin:${name}`,
      ...readAsDetected,
      name: undefined,
    });
  return (
    <Panel title={text.title}>
      <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
        {own !== null && (
          <ChoiceCard
            name={own}
            chosen
            onChoose={() => {}}
            badge={<Badge tone="accent">{text.yourFile}</Badge>}
            facts={examples === undefined ? undefined : formatPlural(examples, 'example')}
          >
            {text.kept}
          </ChoiceCard>
        )}
        {datasets.map((dataset) => (
          <ChoiceCard
            key={dataset.name}
            name={dataset.title}
            chosen={source === `builtin:${dataset.name}`}
            why={why}
            onChoose={() => choose(dataset.name)}
            facts={`${formatPlural(dataset.examples, 'example')} · ${dataset.licence}`}
          >
            {dataset.description}
          </ChoiceCard>
        ))}
      </div>
      <p className="mt-3 flex gap-2 text-[0.8125rem] text-muted">
        <FileUp aria-hidden size={16} strokeWidth={1.5} className="mt-px shrink-0" />
        <span>{text.drop}</span>
      </p>
    </Panel>
  );
}
