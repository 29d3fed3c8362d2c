import { RotateCcw } from 'lucide-react';
import { useId } from 'react';
import type { Field } from '../../../recipe/fields';
import type { RecipeProblem } from '../../../recipe/schema';
import type { RecipeNote } from '../../../recipe/validate';
import { hintsFor } from '../../../stores/hints';
import { useRecipe } from '../../../stores/recipe';
import { fieldText as text } from '../../text/recipe';
import { Badge } from '../../ui/Badge';
import { Button } from '../../ui/Button';
import { formatRate } from '../../util/format';
import { FieldControl } from './FieldControl';

function showDefault(field: Field): string {
  const value = field.default;
  if (Array.isArray(value)) return value.join(', ') || text.none;
  if (typeof value === 'object' && value !== null) return text.none;
  if (value === null || value === '')
    return 'placeholder' in field && field.placeholder ? field.placeholder : text.none;
  return typeof value === 'number' && Math.abs(value) < 1e-3 && value !== 0 ? formatRate(value) : String(value);
}

/** One field of the recipe under its Hugging Face name. */
export function FieldRow({
  field,
  value,
  changed,
  problems,
  notes,
}: {
  field: Field;
  value: unknown;
  changed: boolean;
  problems: RecipeProblem[];
  notes: RecipeNote[];
}) {
  const set = useRecipe((state) => state.set);
  const hinted = useRecipe((state) => hintsFor(state.recipe)[field.path] === value);
  const id = useId();
  const name = field.path.split('.').at(-1) ?? field.path;
  return (
    <div className="grid items-start gap-x-5 gap-y-1.5 py-3 @md:grid-cols-[minmax(0,1fr)_12rem]">
      <div className="min-w-0">
        <div className="flex flex-wrap items-center gap-x-2">
          <label htmlFor={id} className="font-mono text-[0.8125rem] font-semibold break-all">
            {name}
          </label>
          <span className="text-[0.8125rem] text-muted">{field.label}</span>
        </div>
        <p id={`${id}-help`} className="text-[0.8125rem] text-muted">
          {field.help}
          {'usual' in field && field.usual && text.usual(field.usual.map(formatUsual))}
        </p>
        <div id={`${id}-wrong`} className="empty:hidden">
          {problems.map((problem) => (
            <p key={problem.message} className="font-medium text-danger">
              {name} {problem.message} {problem.action}
            </p>
          ))}
          {notes.map((note) => (
            <p key={note.message} className="text-warn">
              {name} {note.message}
            </p>
          ))}
        </div>
      </div>
      <div className="min-w-0">
        <FieldControl
          field={field}
          value={value}
          id={id}
          describedBy={`${id}-help ${id}-wrong`}
          invalid={problems.length > 0}
          onChange={(next) => set({ [field.path]: next })}
        />
        <div className="mt-1 flex min-h-6 items-center gap-2 text-xs text-muted">
          {changed ? (
            <>
              <Badge tone="accent">{hinted ? text.suggested : text.changed}</Badge>
              <Button
                size="small"
                variant="quiet"
                className="!min-h-6"
                aria-label={text.reset(name, showDefault(field))}
                onClick={() => set({ [field.path]: undefined })}
              >
                <RotateCcw aria-hidden size={12} /> {showDefault(field)}
              </Button>
            </>
          ) : (
            <span>{text.default(field.source)}</span>
          )}
        </div>
      </div>
    </div>
  );
}

const formatUsual = (value: number) => (value !== 0 && value < 1e-3 ? formatRate(value) : String(value));
