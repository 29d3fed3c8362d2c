import { encodingLabel } from '../../../base/encodings';
import { labelsWords } from '../../../base/task';
import { formatParts, type PartName, partOf, parts } from '../../../data/parts';
import type { ParsedDataset } from '../../../data/types';
import { objectiveOf } from '../../../objectives';
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

/** Parts that the menus always offer; the others appear once the file or a person uses them. */
function shownParts(dataset: ParsedDataset, columns: Record<string, string> | null): string[] {
  const { required, optional } = formatParts[dataset.format];
  // Columns for rewards are listed as used: all of them are kept.
  const used = Object.keys({ ...dataset.mapping, ...columns }).filter((key) => partOf(key) !== 'columns');
  const usual = [...required[0]!, ...optional.filter((part) => usualParts.has(part))];
  const spread = required[0]!.filter((part) => used.some((key) => key.startsWith(`${part}.`)));
  return [...new Set([...usual.filter((part) => !spread.includes(part)), ...used])];
}

const usualParts = new Set<PartName>(['input', 'system', 'completion', 'label', 'text_pair', 'margin', 'split']);

/** “Label” of `label`, “Label toxic” of `label.toxic`. */
const partLabel = (key: string) => [parts[partOf(key)].label, ...key.split('.').slice(1)].join(' ');

/** Every column of the file: what it is used as, or that it is not used and why. */
function ColumnUses({ dataset }: { dataset: ParsedDataset }) {
  const [used, unused] = [true, false].map((is) => dataset.uses.filter(({ part }) => (part !== null) === is));
  const list = (uses: typeof dataset.uses) => (
    <ul className="flex flex-wrap gap-x-4 gap-y-1">
      {uses.map(({ column, note }) => (
        <li key={column} className="min-w-0 break-words">
          <span className="font-mono text-[0.8125rem]">{column}</span>
          {note && <span className="text-muted"> {note}</span>}
        </li>
      ))}
    </ul>
  );
  return (
    <dl className="grid gap-x-4 gap-y-1 sm:grid-cols-[auto_1fr]">
      <dt className="font-medium">{text.used}</dt>
      <dd>{list(used!)}</dd>
      <dt className="font-medium">{text.notUsed}</dt>
      <dd>{unused!.length > 0 ? list(unused!) : text.noColumn}</dd>
    </dl>
  );
}

/** Another encoding, with a sample to judge it by; for files with letters beyond ASCII, which look alike in all of them. */
function EncodingMenu({ dataset: { encoding } }: { dataset: ParsedDataset }) {
  const chosen = useRecipe((state) => state.recipe.dataset.encoding);
  const set = useRecipe((state) => state.set);
  const spec = field('dataset.encoding');
  if (!encoding || (encoding.sample === '' && chosen === 'auto') || spec.kind !== 'select') return null;
  const options = spec.options.map((option) =>
    option.value === 'auto' ? { ...option, label: `${option.label} (${encodingLabel(encoding.name)})` } : option,
  );
  return (
    <Labelled label={text.encoding} hint={encoding.sample === '' ? undefined : text.encodingSample(encoding.sample)}>
      <Select value={chosen} options={options} onChange={(event) => set({ 'dataset.encoding': event.target.value })} />
    </Labelled>
  );
}

/** The detected shape of the file, and two ways to correct it: another format, or other columns. */
export function DetectedPanel({ dataset }: { dataset: ParsedDataset }) {
  const tokens = useData((state) => state.tokens);
  const tokenizing = useData((state) => state.tokenizing);
  const tokenized = useData((state) => state.tokenized);
  const { format, columns, encoding, table } = useRecipe((state) => state.recipe.dataset);
  const set = useRecipe((state) => state.set);
  const formatField = field('dataset.format');
  const shown = shownParts(dataset, columns);
  const stats = tokens?.stats;
  const task = tokens?.task ?? null;
  const objective = useRecipe((state) => state.recipe.objective);
  const counts = objectiveOf(objective).data(objective).counts;
  const wholeTexts = (task !== null && !labelsWords(task)) || counts === 'rows';
  // Only what is chosen here is set: the other columns stay as they were detected.
  const mapPart = (part: string, column: string) => {
    const next = { ...columns, [part]: column };
    if ((dataset.mapping[part] ?? '') === column && !(part in (columns ?? {}))) return;
    set({ 'dataset.format': dataset.format, 'dataset.columns': next });
  };
  return (
    <Panel title={text.title} description={dataset.detected}>
      <div className="grid gap-6 lg:grid-cols-[1fr_minmax(0,24rem)]">
        <div className="space-y-5">
          <ColumnUses dataset={dataset} />
          <Facts
            columns={3}
            facts={[
              {
                name: text.examples,
                value: formatCount(dataset.examples.length),
                note: dataset.leftOut > 0 ? text.leftOut(formatPlural(dataset.leftOut, 'row')) : undefined,
              },
              { name: text.train, value: count(stats?.trainExamples) },
              { name: text.validation, value: count(stats?.validationExamples) },
              {
                name: text.tokens,
                value: stats
                  ? formatCompact(stats.tokens)
                  : tokenizing
                    ? text.counting(formatShare(tokenized))
                    : common.noValue,
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
            <EncodingMenu dataset={dataset} />
            {dataset.columns.length > 1 &&
              shown.map((part) => (
                <Labelled key={part} label={text.columnFor(partLabel(part))}>
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
          {(columns || format !== 'auto' || encoding !== 'auto' || table !== null) && (
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
