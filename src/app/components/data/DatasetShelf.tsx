import { FileUp } from 'lucide-react';
import { useBuiltins } from '../../../stores/builtins';
import { useData } from '../../../stores/data';
import { useRecipe } from '../../../stores/recipe';
import { useTraining } from '../../../stores/training';
import { Badge } from '../../ui/Badge';
import { ChoiceCard } from '../../ui/ChoiceCard';
import { Panel } from '../../ui/Panel';
import { formatPlural } from '../../util/format';

/** The datasets that come with the page, and a file of one's own. */
export function DatasetShelf() {
  const datasets = useBuiltins((state) => state.datasets);
  const { source } = useRecipe((state) => state.recipe.dataset);
  const set = useRecipe((state) => state.set);
  const open = useData((state) => state.dataset);
  const training = useTraining((state) => state.phase !== 'idle');
  const why = training && 'A run is going on.';
  const own = source.startsWith('file:') ? source.slice('file:'.length) : null;
  const choose = (name: string) =>
    set({
      'dataset.source': `builtin:${name}`,
      'dataset.format': undefined,
      'dataset.columns': undefined,
      name: undefined,
    });
  return (
    <Panel title="Choose a dataset">
      <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
        {own !== null && (
          <ChoiceCard
            name={own}
            chosen
            onChoose={() => {}}
            badge={<Badge tone="accent">your file</Badge>}
            facts={open ? formatPlural(open.examples.length, 'example') : undefined}
          >
            Kept in this browser until you delete it.
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
        <span>
          Or drop a file of your own anywhere on this page: JSONL, JSON, CSV, TSV, text or Markdown. A spreadsheet with
          a column of questions and one of answers, or of texts and labels, is enough.
        </span>
      </p>
    </Panel>
  );
}
