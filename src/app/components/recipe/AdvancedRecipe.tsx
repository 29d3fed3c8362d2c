import { Search } from 'lucide-react';
import { useState } from 'react';
import { nonDefaults, valueAt } from '../../../recipe/diff';
import {
  applies,
  type Field,
  field,
  fields,
  fieldsIn,
  type RecipePath,
  type SectionName,
  sectionNames,
} from '../../../recipe/fields';
import { alternatives } from '../../../recipe/suggest';
import type { Recipe } from '../../../recipe/types';
import { hintsFor } from '../../../stores/hints';
import { usePreferences } from '../../../stores/preferences';
import { useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import { advancedText as text } from '../../text/recipe';
import { Check } from '../../ui/Check';
import { Input } from '../../ui/Field';
import { Notice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { Segmented } from '../../ui/Segmented';
import { cx } from '../../util/cx';
import { formatPlural } from '../../util/format';
import { FieldRow } from './FieldRow';
import { defaultOfField, helpOf } from './field-help';
import { RecipeJson } from './RecipeJson';

type Group = SectionName | '' | 'regularisation';

const groups: Group[] = ['', 'model', 'dataset', 'method', 'objective', 'training', 'regularisation'];

/** The fields of a group that have an effect in this recipe, and those that have none but are set. */
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

/** The value written at a path, valid or not, or else its default. */
function writtenAt(input: unknown, recipe: Recipe, { path }: Field): unknown {
  const [section, key] = path.split('.') as [string, string | undefined];
  const root = input as Record<string, Record<string, unknown> | undefined>;
  const written = key === undefined ? root[section] : root[section]?.[key];
  return written === undefined ? valueAt(recipe, path) : written;
}

interface Section {
  group: Group;
  shown: Field[];
}

/** Two columns of about the same height, in the order of the groups. The heading of a group takes as much room as two fields. */
export function columnsOf(sections: Section[]): [Section[], Section[]] {
  const height = (list: Section[]) => list.reduce((sum, { shown }) => sum + shown.length + 2, 0);
  let best = sections.length;
  for (let cut = 1; cut <= sections.length; cut++) {
    const tallest = (at: number) => Math.max(height(sections.slice(0, at)), height(sections.slice(at)));
    if (tallest(cut) < tallest(best)) best = cut;
  }
  return [sections.slice(0, best), sections.slice(best)];
}

/** Every field, found by its Hugging Face name or by its purpose, and the recipe as JSON beside them if wanted. */
export function AdvancedRecipe() {
  const { input, recipe, problems, notes, draft } = useRecipe(
    useFields('input', 'recipe', 'problems', 'notes', 'draft'),
  );
  const preferred = usePreferences((state) => state.recipeJson);
  const setPreference = usePreferences((state) => state.set);
  const [query, setQuery] = useState('');
  const [onlyChanged, setOnlyChanged] = useState(false);
  const [looked, setLooked] = useState<RecipePath | null>(null);
  const withJson = preferred || draft !== null;
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
  // A field that was searched for by name must not be missing without an explanation.
  const useless =
    query.trim() === '' ? [] : fields.filter((spec) => matches(spec, query) && !applies(spec.path, recipe));
  const elsewhere = problems.filter(
    ({ where }) =>
      !sections.some(({ shown }) => shown.some(({ path }) => where === path || where.startsWith(`${path}.`))),
  );
  const lookedAt = looked && field(looked, recipe);
  return (
    <div className={cx('grid items-start gap-4', withJson && 'min-[80rem]:grid-cols-[minmax(0,1fr)_20rem]')}>
      <div className="@container/fields min-w-0 space-y-4">
        <div className="-mt-2 space-y-1.5 bg-canvas pt-2 pb-1 tall:@min-[44rem]/fields:sticky tall:@min-[44rem]/fields:top-0 tall:@min-[44rem]/fields:z-10">
          <div className="flex flex-wrap items-center gap-x-5 gap-y-2">
            <div className="relative min-w-0 flex-1 basis-56">
              <Search aria-hidden size={16} className="pointer-events-none absolute top-2.5 left-2.5 text-muted" />
              <Input
                type="search"
                aria-label={text.find}
                placeholder={text.placeholder}
                className="pl-9"
                value={query}
                onChange={(event) => setQuery(event.target.value)}
              />
            </div>
            <Check
              label={text.onlyChanged(changed.size)}
              checked={onlyChanged}
              onChange={(event) => setOnlyChanged(event.target.checked)}
            />
            <Segmented
              label={text.view}
              value={withJson ? 'json' : 'fields'}
              onChange={(value) => setPreference({ recipeJson: value === 'json' })}
              options={[
                { value: 'fields', label: text.fieldsOnly },
                { value: 'json', label: text.withJson },
              ]}
            />
          </div>
          {/* The same words are the description of each control, for those who do not see this line. */}
          <p
            aria-hidden
            className="hidden min-h-10 items-center text-[0.8125rem] leading-tight text-muted @min-[44rem]/fields:flex"
          >
            <span>
              {lookedAt ? (
                <>
                  <span className="font-mono text-xs text-ink">{lookedAt.path}</span>{' '}
                  {helpOf(lookedAt, hintsFor(recipe)[lookedAt.path])}
                  {defaultOfField(lookedAt)}
                </>
              ) : (
                text.pointAt
              )}
            </span>
          </p>
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
        {/* Rows that the focus comes to must not end up under the search. */}
        <div className="grid items-start gap-4 @min-[44rem]/fields:grid-cols-2 [&_input]:scroll-mt-28 [&_select]:scroll-mt-28 @min-[44rem]/fields:[&_input:not([type=checkbox])]:min-h-7.5 @min-[44rem]/fields:[&_select]:min-h-7.5">
          {columnsOf(sections).map((column) => (
            <div key={column[0]?.group ?? 'none'} className="min-w-0 space-y-4 empty:hidden">
              {column.map(({ group, shown }) => (
                <Panel
                  key={group}
                  title={text.groups[group]}
                  description={group === 'regularisation' ? text.regularisationHint : undefined}
                >
                  <div className="-my-2 divide-y">
                    {shown.map((spec) => (
                      <FieldRow
                        key={spec.path}
                        field={spec}
                        value={writtenAt(input, recipe, spec)}
                        changed={changed.has(spec.path)}
                        problems={wrong(spec.path)}
                        notes={notes.filter(({ where }) => where === spec.path)}
                        onLook={() => setLooked(spec.path)}
                      />
                    ))}
                  </div>
                </Panel>
              ))}
            </div>
          ))}
        </div>
        {useless.length > 0 && !onlyChanged && (
          <div className="rounded-lg border bg-surface px-4 py-3">
            <h2 className="font-semibold">{text.notInRecipe}</h2>
            <ul className="mt-1 space-y-0.5 text-muted">
              {useless.map(({ path, label, for: only }) => (
                <li key={path}>
                  <span className="font-mono text-[0.8125rem] text-ink">{path}</span>{' '}
                  {text.onlyWith(label, alternatives(only ?? []))}
                </li>
              ))}
            </ul>
          </div>
        )}
        {sections.length === 0 && useless.length === 0 && (
          <p className="text-muted">{onlyChanged && query === '' ? text.allDefault : text.nothing}</p>
        )}
      </div>
      {withJson && (
        <div className="min-w-0 min-[80rem]:sticky min-[80rem]:top-4">
          <RecipeJson />
        </div>
      )}
    </div>
  );
}
