import { Search } from 'lucide-react';
import { useState } from 'react';
import { nonDefaults, valueAt } from '../../../recipe/diff';
import { applies, type Field, field, fields, fieldsIn, type SectionName, sectionNames } from '../../../recipe/fields';
import { alternatives } from '../../../recipe/suggest';
import type { Recipe } from '../../../recipe/types';
import { useRecipe } from '../../../stores/recipe';
import { Check } from '../../ui/Check';
import { Input } from '../../ui/Field';
import { Notice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { formatPlural } from '../../util/format';
import { FieldRow } from './FieldRow';
import { RecipeJson } from './RecipeJson';

type Group = SectionName | '' | 'regularisation';

const groups: Group[] = ['', 'model', 'dataset', 'method', 'objective', 'training', 'regularisation'];
const titles: Record<Group, { title: string; description?: string }> = {
  '': { title: 'Run' },
  model: { title: 'Model' },
  dataset: { title: 'Dataset' },
  method: { title: 'Method' },
  objective: { title: 'Objective' },
  training: { title: 'Training' },
  regularisation: {
    title: 'Regularisation',
    description: 'What keeps it from learning your examples by heart, and from forgetting what it could do before.',
  },
};

/** The fields of a group that have an effect in this recipe, and those without one that somebody has set. */
function shownIn(group: Group, recipe: Recipe, noted: (path: string) => boolean): Field[] {
  if (group === 'regularisation')
    return (['', ...sectionNames] as const).flatMap((section) => inSection(section, 'regularisation'));
  return inSection(group, undefined);

  function inSection(section: SectionName | '', wanted: 'regularisation' | undefined): Field[] {
    const useful = new Set(fieldsIn(section, recipe).map((entry) => entry.field.path));
    return fields
      .filter(({ path }) => (section === '' ? !path.includes('.') : path.startsWith(`${section}.`)))
      .filter(({ path, group: own }) => own === wanted && (useful.has(path) || noted(path)))
      .map(({ path }) => field(path, recipe));
  }
}

function matches({ path, label, help }: Field, query: string): boolean {
  const text = `${path} ${label} ${help}`.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** What a person wrote at a path, right or wrong, or the default that stands for it. */
function writtenAt(input: unknown, recipe: Recipe, { path }: Field): unknown {
  const [section, key] = path.split('.') as [string, string | undefined];
  const root = input as Record<string, Record<string, unknown> | undefined>;
  const written = key === undefined ? root[section] : root[section]?.[key];
  return written === undefined ? valueAt(recipe, path) : written;
}

/** Every field, found by its Hugging Face name or by what it does, and the JSON beside them. */
export function AdvancedRecipe() {
  const { input, recipe, problems, notes } = useRecipe();
  const [query, setQuery] = useState('');
  const [onlyChanged, setOnlyChanged] = useState(false);
  const changed = new Set<string>(nonDefaults(recipe).map(({ path }) => path));
  const wrong = (path: string) => problems.filter(({ where }) => where === path || where.startsWith(`${path}.`));
  const noted = (path: string) => notes.some(({ where }) => where === path) || wrong(path).length > 0;
  const sections = groups
    .map((group) => ({
      group,
      shown: shownIn(group, recipe, noted)
        .filter((spec) => spec.path !== 'version' && matches(spec, query))
        .filter(({ path }) => !onlyChanged || changed.has(path) || wrong(path).length > 0),
    }))
    .filter(({ shown }) => shown.length > 0);
  // A field that is looked for by its name is not to be missing without a word.
  const useless =
    query.trim() === '' ? [] : fields.filter((spec) => matches(spec, query) && !applies(spec.path, recipe));
  const elsewhere = problems.filter(
    ({ where }) =>
      !sections.some(({ shown }) => shown.some(({ path }) => where === path || where.startsWith(`${path}.`))),
  );
  return (
    <div className="grid items-start gap-4 min-[80rem]:grid-cols-[minmax(0,1fr)_20rem]">
      <div className="min-w-0 space-y-4">
        <div className="flex flex-wrap items-center gap-x-5 gap-y-2">
          <div className="relative min-w-0 flex-1 basis-64">
            <Search aria-hidden size={16} className="pointer-events-none absolute top-2.5 left-2.5 text-muted" />
            <Input
              type="search"
              aria-label="Find a field"
              placeholder="Find a field: rank, warmup, seed"
              className="pl-9"
              value={query}
              onChange={(event) => setQuery(event.target.value)}
            />
          </div>
          <Check
            label={`Only what differs from the defaults (${changed.size})`}
            checked={onlyChanged}
            onChange={(event) => setOnlyChanged(event.target.checked)}
          />
        </div>
        {elsewhere.length > 0 && (
          <Notice tone="error" title={formatPlural(elsewhere.length, 'more problem')}>
            <ul>
              {elsewhere.map(({ where, message, action }) => (
                <li key={`${where} ${message}`}>
                  <span className="font-mono text-[0.8125rem]">{where}</span> {message} {action}
                </li>
              ))}
            </ul>
          </Notice>
        )}
        {sections.map(({ group, shown }) => (
          <Panel key={group} title={titles[group].title} description={titles[group].description}>
            <div className="@container -my-2 divide-y">
              {shown.map((spec) => (
                <FieldRow
                  key={spec.path}
                  field={spec}
                  value={writtenAt(input, recipe, spec)}
                  changed={changed.has(spec.path)}
                  problems={wrong(spec.path)}
                  notes={notes.filter(({ where }) => where === spec.path)}
                />
              ))}
            </div>
          </Panel>
        ))}
        {useless.length > 0 && !onlyChanged && (
          <div className="rounded-lg border bg-surface px-4 py-3">
            <h2 className="font-semibold">Not in this recipe</h2>
            <ul className="mt-1 space-y-0.5 text-muted">
              {useless.map(({ path, label, for: only }) => (
                <li key={path}>
                  <span className="font-mono text-[0.8125rem] text-ink">{path}</span> {label}: only with{' '}
                  {alternatives(only ?? [])}.
                </li>
              ))}
            </ul>
          </div>
        )}
        {sections.length === 0 && useless.length === 0 && (
          <p className="text-muted">
            {onlyChanged && query === ''
              ? 'Every field has its default.'
              : 'No field has these words. Try “rate”, “length” or “seed”.'}
          </p>
        )}
      </div>
      <div className="min-w-0 min-[80rem]:sticky min-[80rem]:top-4">
        <RecipeJson />
      </div>
    </div>
  );
}
