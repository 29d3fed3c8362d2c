import { labelsWords } from '../../../base/task';
import type { ParsedDataset } from '../../../data/types';
import { columnParts } from '../../../recipe/catalogue';
import { field } from '../../../recipe/fields';
import { useData } from '../../../stores/data';
import { useRecipe } from '../../../stores/recipe';
import { Button } from '../../ui/Button';
import { Facts } from '../../ui/Facts';
import { Labelled, Select } from '../../ui/Field';
import { Panel } from '../../ui/Panel';
import { formatCompact, formatCount, formatPlural, formatShare } from '../../util/format';
import { LengthHistogram } from './LengthHistogram';

/** What the file was taken for, and the two ways to correct it: another format, other columns. */
export function DetectedPanel({ dataset }: { dataset: ParsedDataset }) {
  const { tokens, tokenizing } = useData();
  const { format, columns } = useRecipe((state) => state.recipe.dataset);
  const set = useRecipe((state) => state.set);
  const formatField = field('dataset.format');
  const parts = columnParts[dataset.format];
  const dropped = dataset.totalRows - dataset.examples.length;
  const stats = tokens?.stats;
  const task = tokens?.task ?? null;
  const wholeTexts = task !== null && !labelsWords(task);
  const mapPart = (part: string, column: string) => {
    const next = { ...dataset.mapping, ...columns, [part]: column };
    if (column === '') delete next[part];
    const known = Object.fromEntries(Object.entries(next).filter(([name]) => parts.includes(name)));
    set({ 'dataset.format': dataset.format, 'dataset.columns': known });
  };
  return (
    <Panel title="What is in it" description={dataset.detected}>
      <div className="grid gap-6 lg:grid-cols-[1fr_minmax(0,24rem)]">
        <div className="space-y-5">
          <Facts
            columns={3}
            facts={[
              {
                name: 'Examples',
                value: formatCount(dataset.examples.length),
                note: dropped > 0 ? `${formatPlural(dropped, 'row')} left out` : undefined,
              },
              { name: 'Train', value: stats ? formatCount(stats.trainExamples) : '–' },
              { name: 'Validation', value: stats ? formatCount(stats.validationExamples) : '–' },
              {
                name: 'Tokens',
                value: stats ? formatCompact(stats.tokens) : tokenizing ? 'counting' : '–',
                // A text that is sorted is learned as a whole.
                note:
                  stats && !wholeTexts
                    ? `${formatShare(stats.targetTokens / Math.max(1, stats.tokens))} of them learned`
                    : undefined,
              },
              ...(task && task.problemType !== 'regression'
                ? [
                    {
                      name: 'Labels',
                      value: formatCount(task.labels.length),
                      note: `${task.labels.slice(0, 4).join(', ')}${task.labels.length > 4 ? ', …' : ''}`,
                    },
                  ]
                : []),
              { name: 'Cut short', value: stats ? formatCount(stats.truncated) : '–' },
              { name: 'Duplicates', value: stats ? formatCount(stats.duplicates) : '–' },
            ]}
          />
          <fieldset className="grid gap-3 sm:grid-cols-2">
            <legend className="mb-2 font-medium">Not right? Say what it is.</legend>
            <Labelled label="Format">
              <Select
                value={format}
                options={formatField.kind === 'select' ? formatField.options : []}
                onChange={(event) => set({ 'dataset.format': event.target.value, 'dataset.columns': undefined })}
              />
            </Labelled>
            {dataset.columns.length > 1 &&
              parts.map((part) => (
                <Labelled key={part} label={`Column for “${part}”`}>
                  <Select
                    value={columns?.[part] ?? dataset.mapping[part] ?? ''}
                    options={[
                      { value: '', label: 'none' },
                      ...dataset.columns.map((column) => ({ value: column, label: column })),
                    ]}
                    onChange={(event) => mapPart(part, event.target.value)}
                  />
                </Labelled>
              ))}
          </fieldset>
          {(columns || format !== 'auto') && (
            <Button size="small" onClick={() => set({ 'dataset.format': undefined, 'dataset.columns': undefined })}>
              Detect again
            </Button>
          )}
        </div>
        {tokens && <LengthHistogram tokens={tokens} />}
      </div>
    </Panel>
  );
}
