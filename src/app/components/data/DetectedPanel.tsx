import { labelsWords } from '../../../base/task';
import type { ParsedDataset } from '../../../data/types';
import { columnParts } from '../../../recipe/catalogue';
import { field } from '../../../recipe/fields';
import { readAsDetected } from '../../../recipe/sections';
import { useData } from '../../../stores/data';
import { useRecipe } from '../../../stores/recipe';
import { common } from '../../text/common';
import { dataText, contentsText as text } from '../../text/data';
import { Button } from '../../ui/Button';
import { Facts } from '../../ui/Facts';
import { Labelled, Select } from '../../ui/Field';
import { Panel } from '../../ui/Panel';
import { formatCompact, formatCount, formatPlural, formatShare } from '../../util/format';
import { LengthHistogram } from './LengthHistogram';

const count = (value: number | undefined) => (value === undefined ? common.noValue : formatCount(value));

/** The detected shape of the file, and two ways to correct it: another format, or other columns. */
export function DetectedPanel({ dataset }: { dataset: ParsedDataset }) {
  const tokens = useData((state) => state.tokens);
  const tokenizing = useData((state) => state.tokenizing);
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
    <Panel title={text.title} description={dataset.detected}>
      <div className="grid gap-6 lg:grid-cols-[1fr_minmax(0,24rem)]">
        <div className="space-y-5">
          <Facts
            columns={3}
            facts={[
              {
                name: text.examples,
                value: formatCount(dataset.examples.length),
                note: dropped > 0 ? text.leftOut(formatPlural(dropped, 'row')) : undefined,
              },
              { name: text.train, value: count(stats?.trainExamples) },
              { name: text.validation, value: count(stats?.validationExamples) },
              {
                name: text.tokens,
                value: stats ? formatCompact(stats.tokens) : tokenizing ? text.counting : common.noValue,
                // A classified text is trained on as a whole.
                note:
                  stats && !wholeTexts
                    ? text.trainedOn(formatShare(stats.targetTokens / Math.max(1, stats.tokens)))
                    : undefined,
              },
              ...(task && task.problemType !== 'regression'
                ? [
                    {
                      name: text.labels,
                      value: formatCount(task.labels.length),
                      note: `${task.labels.slice(0, 4).join(', ')}${task.labels.length > 4 ? ', …' : ''}`,
                    },
                  ]
                : []),
              { name: text.truncated, value: count(stats?.truncated) },
              { name: text.duplicates, value: count(stats?.duplicates) },
            ]}
          />
          <fieldset className="grid gap-3 sm:grid-cols-2">
            <legend className="mb-2 font-medium">{text.correct}</legend>
            <Labelled label={text.format}>
              <Select
                value={format}
                options={formatField.kind === 'select' ? formatField.options : []}
                onChange={(event) => set({ 'dataset.format': event.target.value, 'dataset.columns': undefined })}
              />
            </Labelled>
            {dataset.columns.length > 1 &&
              parts.map((part) => (
                <Labelled key={part} label={text.columnFor(part)}>
                  <Select
                    value={columns?.[part] ?? dataset.mapping[part] ?? ''}
                    options={[
                      { value: '', label: text.noColumn },
                      ...dataset.columns.map((column) => ({ value: column, label: column })),
                    ]}
                    onChange={(event) => mapPart(part, event.target.value)}
                  />
                </Labelled>
              ))}
          </fieldset>
          {(columns || format !== 'auto') && (
            <Button size="small" onClick={() => set(readAsDetected)}>
              {dataText.detectAgain}
            </Button>
          )}
        </div>
        {tokens && <LengthHistogram tokens={tokens} />}
      </div>
    </Panel>
  );
}
