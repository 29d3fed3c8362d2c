import { Search } from 'lucide-react';
import { useState } from 'react';
import { nonDefaults, valueAt } from '../../../recipe/diff';
import { type Field, fieldsOf, type SectionName, sectionNames } from '../../../recipe/fields';
import type { Recipe } from '../../../recipe/types';
import { useRecipe } from '../../../stores/recipe';
import { Check } from '../../ui/Check';
import { Input } from '../../ui/Field';
import { Notice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { formatPlural } from '../../util/format';
import { FieldRow } from './FieldRow';
import { RecipeJson } from './RecipeJson';

const titles: Record<SectionName | '', string> = {
  '': 'Run',
  model: 'Model',
  dataset: 'Dataset',
  method: 'Method',
  objective: 'Objective',
  training: 'Training',
};

function matches(field: Field, query: string): boolean {
  const text = `${field.path} ${field.label} ${field.help}`.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** What a person wrote at a path, right or wrong, or the default that stands for it. */
function writtenAt(input: unknown, recipe: Recipe, field: Field): unknown {
  const [section, key] = field.path.split('.') as [string, string | undefined];
  const root = input as Record<string, Record<string, unknown> | undefined>;
  const written = key === undefined ? root[section] : root[section]?.[key];
  return written === undefined ? valueAt(recipe, field.path) : written;
}

/** Every field, found by its Hugging Face name or by what it does, and the JSON beside them. */
export function AdvancedRecipe() {
  const { input, recipe, problems, notes } = useRecipe();
  const [query, setQuery] = useState('');
  const [onlyChanged, setOnlyChanged] = useState(false);
  const changed = new Set<string>(nonDefaults(recipe).map(({ path }) => path));
  const wrong = (path: string) => problems.filter(({ where }) => where === path || where.startsWith(`${path}.`));
  const sections = (['', ...sectionNames] as const)
    .map((section) => ({
      section,
      shown: fieldsOf(section)
        .map(({ field }) => field)
        .filter((field) => field.path !== 'version' && matches(field, query))
        .filter((field) => !onlyChanged || changed.has(field.path) || wrong(field.path).length > 0),
    }))
    .filter(({ shown }) => shown.length > 0);
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
        {sections.map(({ section, shown }) => (
          <Panel key={section} title={titles[section]}>
            <div className="@container -my-2 divide-y">
              {shown.map((field) => (
                <FieldRow
                  key={field.path}
                  field={field}
                  value={writtenAt(input, recipe, field)}
                  changed={changed.has(field.path)}
                  problems={wrong(field.path)}
                  notes={notes.filter(({ where }) => where === field.path)}
                />
              ))}
            </div>
          </Panel>
        ))}
        {sections.length === 0 && (
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
