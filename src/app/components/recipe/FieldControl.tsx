import { FileUp } from 'lucide-react';
import { useMemo, useState } from 'react';
import { parseUntrusted } from '../../../base/json';
import { type Field, valueAt } from '../../../recipe/fields';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { fieldText as text } from '../../text/recipe';
import { Button } from '../../ui/Button';
import { Input, Select } from '../../ui/Field';
import { pickBaseText } from '../../util/fileDialogs';
import { formatRate } from '../../util/format';
import { refusalOf } from './refusals';
import { TextBlock } from './TextBlock';

export interface ControlProps {
  field: Field;
  value: unknown;
  id: string;
  describedBy: string;
  invalid: boolean;
  onChange: (value: unknown) => void;
}

/** A number as people write it: 2e-4 stays 2e-4. */
function show(value: unknown): string {
  if (typeof value !== 'number') return value === null || value === undefined ? '' : String(value);
  return value !== 0 && Math.abs(value) < 1e-3 ? formatRate(value) : String(value);
}

function parse(typed: string): unknown {
  const trimmed = typed.trim();
  const number = Number(trimmed);
  return trimmed !== '' && Number.isFinite(number) ? number : trimmed;
}

/** Keeps the text as typed (`2e-`, `0.`) and passes on its value. */
function Typed({
  id,
  describedBy,
  invalid,
  value,
  onChange,
  read,
  ...rest
}: Omit<ControlProps, 'field'> & {
  read: (text: string) => unknown;
  inputMode?: 'decimal' | 'numeric' | 'text';
  placeholder?: string;
  list?: string;
}) {
  const [draft, setDraft] = useState<string | null>(null);
  return (
    <Input
      id={id}
      aria-describedby={describedBy}
      aria-invalid={invalid || undefined}
      autoComplete="off"
      spellCheck={false}
      {...rest}
      value={draft ?? show(value)}
      onChange={(event) => {
        setDraft(event.target.value);
        onChange(read(event.target.value));
      }}
      onBlur={() => setDraft(null)}
    />
  );
}

/** Options that are not compatible with the rest of the recipe say so. */
function SelectControl({
  field,
  id,
  describedBy,
  invalid,
  value,
  onChange,
}: ControlProps & { field: Extract<Field, { kind: 'select' }> }) {
  const recipe = useRecipe((state) => state.recipe);
  const model = useModel((state) => state.info);
  const { path, options: choices } = field;
  const options = useMemo(
    () =>
      choices.map((option) => {
        const chosen = valueAt(recipe, path) === option.value;
        const refusal = chosen ? null : refusalOf(recipe, path, option.value, model);
        const label = text.option(option.value, option.label);
        return { value: option.value, label: refusal ? text.incompatible(label) : label };
      }),
    [recipe, model, path, choices],
  );
  return (
    <Select
      id={id}
      aria-describedby={describedBy}
      aria-invalid={invalid || undefined}
      value={String(value)}
      options={options}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

/** A checkbox for each option. */
function ListControl({
  field,
  id,
  describedBy,
  value,
  onChange,
}: ControlProps & { field: Extract<Field, { kind: 'list' }> }) {
  const chosen = Array.isArray(value) ? value : [];
  return (
    <details className="group/kinds">
      <summary className="min-h-7 cursor-pointer truncate py-1 text-[0.8125rem]">
        {chosen.length === 0
          ? text.none
          : field.options
              .filter(({ value: one }) => chosen.includes(one))
              .map(({ label }) => label)
              .join(', ')}
      </summary>
      <fieldset
        id={id}
        aria-describedby={describedBy}
        aria-label={field.label}
        className="flex flex-wrap gap-x-4 gap-y-1"
      >
        {field.options.map((option) => (
          <label key={option.value} className="flex items-center gap-1.5">
            <input
              type="checkbox"
              checked={chosen.includes(option.value)}
              onChange={({ target }) => {
                const rest = chosen.filter((other) => other !== option.value);
                onChange(target.checked ? [...rest, option.value] : rest);
              }}
              className="size-[1.125rem]"
            />
            {option.label}
          </label>
        ))}
      </fieldset>
    </details>
  );
}

function ModulesControl({ field, ...props }: ControlProps & { field: Extract<Field, { kind: 'modules' }> }) {
  const modules = useModel((state) => state.info?.linearModules) ?? [];
  const { value } = props;
  const { word } = field;
  return (
    <Typed
      {...props}
      value={Array.isArray(value) ? value.join(', ') : value}
      placeholder={word === null ? text.none : modules.length > 0 ? modules.join(', ') : word}
      read={(typed) => {
        const names = typed
          .split(',')
          .map((name) => name.trim())
          .filter(Boolean);
        return names.length === 1 && names[0] === word ? word : names;
      }}
    />
  );
}

/** A map, as JSON. */
function MapControl({ placeholder, empty, ...props }: ControlProps & { placeholder: string; empty: object | null }) {
  const { value } = props;
  const nothing = value === null || JSON.stringify(value) === '{}';
  return (
    <Typed
      {...props}
      value={nothing ? '' : typeof value === 'string' ? value : JSON.stringify(value)}
      placeholder={placeholder}
      read={(typed) => {
        if (typed.trim() === '') return empty;
        try {
          return parseUntrusted(typed) as unknown;
        } catch {
          return typed;
        }
      }}
    />
  );
}

/** What an empty text means: null where that is allowed, else the default. */
function emptied(field: Extract<Field, { kind: 'text' }>, typed: string): string | null | undefined {
  if (field.default === null) return null;
  // An empty initial text is allowed and means a random initialisation.
  return field.path.endsWith('_text') ? typed : undefined;
}

/** The right control for a kind of field. */
export function FieldControl(props: ControlProps) {
  const { field, id, describedBy, value, onChange } = props;
  switch (field.kind) {
    case 'select':
      return <SelectControl {...props} field={field} />;
    case 'bool':
      return (
        <input
          id={id}
          type="checkbox"
          aria-describedby={describedBy}
          checked={value === true}
          onChange={(event) => onChange(event.target.checked)}
          className="size-[1.375rem]"
        />
      );
    case 'auto_bool':
      return (
        <Select
          id={id}
          aria-describedby={describedBy}
          value={String(value)}
          options={Object.entries(field.options).map(([name, label]) => ({
            value: name,
            label: text.option(name, label),
          }))}
          onChange={({ target }) => onChange(target.value === 'auto' ? 'auto' : target.value === 'true')}
        />
      );
    case 'number':
    case 'int':
      return <Typed {...props} inputMode={field.kind === 'int' ? 'numeric' : 'decimal'} read={parse} />;
    case 'length':
      return (
        <Typed
          {...props}
          read={(typed) => (typed.trim() === '' ? field.default : parse(typed))}
          placeholder={field.placeholder ?? text.auto}
        />
      );
    case 'rows':
      return <Typed {...props} read={(typed) => typed.replace(/\s/g, '') || null} placeholder={text.none} />;
    case 'list':
      return <ListControl {...props} field={field} />;
    case 'numbers':
      return (
        <Typed
          {...props}
          value={Array.isArray(value) ? value.join(', ') : value}
          placeholder={field.placeholder ?? text.none}
          read={(typed) => (typed.trim() === '' ? field.default : typed.split(',').map((one) => parse(one)))}
        />
      );
    case 'modules':
      return <ModulesControl {...props} field={field} />;
    case 'rewards':
      // FieldRow gives them a row of their own.
      return null;
    case 'code':
    case 'lines':
      return <TextBlock {...props} field={field} />;
    case 'columns':
      return <MapControl {...props} placeholder={text.columnsPlaceholder} empty={null} />;
    case 'pattern':
      return (
        <MapControl {...props} placeholder={field.keys ? text.mixPlaceholder : text.patternPlaceholder} empty={{}} />
      );
    case 'text': {
      const typed = (
        <Typed
          {...props}
          placeholder={field.placeholder}
          read={(written) => (written.trim() === '' ? emptied(field, written) : written)}
        />
      );
      if (field.path !== 'dataset.base_text') return typed;
      return (
        <div className="space-y-1.5">
          {typed}
          <Button size="small" onClick={pickBaseText}>
            <FileUp aria-hidden size={14} /> {text.chooseFile}
          </Button>
        </div>
      );
    }
    default:
      return field satisfies never;
  }
}
