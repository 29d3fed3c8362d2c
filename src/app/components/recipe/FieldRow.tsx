import { ChartSpline, RotateCcw } from 'lucide-react';
import { useId } from 'react';
import type { Field } from '../../../recipe/fields';
import type { RecipeProblem } from '../../../recipe/schema';
import type { RecipeNote } from '../../../recipe/validate';
import { hintsFor } from '../../../stores/hints';
import { useRecipe } from '../../../stores/recipe';
import { useScreen } from '../../../stores/screen';
import { fieldText as text } from '../../text/recipe';
import { rateText } from '../../text/trial';
import { Badge } from '../../ui/Badge';
import { IconButton } from '../../ui/IconButton';
import { FieldControl } from './FieldControl';
import { defaultOfField, helpOf, shownDefault } from './field-help';
import { RewardsControl } from './RewardsControl';

/**
 * One field of the recipe under its Hugging Face name. Where the fields stand in two columns, the row is one line, and its help is
 * shown above them.
 */
export function FieldRow({
  field,
  value,
  changed,
  problems,
  notes,
  onLook,
}: {
  field: Field;
  value: unknown;
  changed: boolean;
  problems: RecipeProblem[];
  notes: RecipeNote[];
  /** The pointer or the focus has come to the row. */
  onLook: () => void;
}) {
  const set = useRecipe((state) => state.set);
  const suited = useRecipe((state) => hintsFor(state.recipe)[field.path]);
  const openDialog = useScreen((state) => state.openDialog);
  const id = useId();
  const name = field.path.split('.').at(-1) ?? field.path;
  if (field.kind === 'rewards') {
    return (
      <div className="space-y-2 py-2.5">
        <p className="leading-tight">
          <span className="font-mono text-[0.8125rem] font-semibold @min-[44rem]/fields:text-xs">{name}</span>{' '}
          <span className="text-[0.8125rem] text-muted @min-[44rem]/fields:text-xs">{field.help}</span>
        </p>
        <RewardsControl value={value} problems={problems} onChange={(next) => set({ [field.path]: next })} />
      </div>
    );
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only says whose help the line above shows.
    <div
      onPointerEnter={onLook}
      onFocus={onLook}
      className="grid items-center gap-x-3 gap-y-1 py-2.5 @min-[26rem]/fields:grid-cols-[minmax(0,1fr)_11rem] @min-[44rem]/fields:grid-cols-[minmax(0,1fr)_9rem] @min-[44rem]/fields:py-0.5"
    >
      <div className="min-w-0">
        <div className="flex flex-wrap items-center gap-x-2 leading-tight">
          <label
            htmlFor={id}
            className="font-mono text-[0.8125rem] font-semibold wrap-anywhere @min-[44rem]/fields:text-xs"
          >
            {name}
          </label>
          <span className="text-[0.8125rem] text-muted @min-[44rem]/fields:text-xs">{field.label}</span>
          {changed && <Badge tone="accent">{suited === value ? text.suggested : text.changed}</Badge>}
        </div>
        <p id={`${id}-help`} className="text-[0.8125rem] text-muted @min-[44rem]/fields:sr-only">
          {helpOf(field, suited)}
          {defaultOfField(field)}
        </p>
      </div>
      <div className="flex min-w-0 items-center gap-1">
        <div className="min-w-0 flex-1">
          <FieldControl
            field={field}
            value={value}
            id={id}
            describedBy={`${id}-help ${id}-wrong`}
            invalid={problems.length > 0}
            onChange={(next) => set({ [field.path]: next })}
          />
        </div>
        {field.path === 'training.learning_rate' && (
          <IconButton icon={ChartSpline} label={rateText.open} size="small" onClick={() => openDialog('rate')} />
        )}
        {changed && (
          <IconButton
            icon={RotateCcw}
            label={text.reset(name, shownDefault(field))}
            size="small"
            onClick={() => set({ [field.path]: undefined })}
          />
        )}
      </div>
      <div id={`${id}-wrong`} className="col-span-full empty:hidden">
        {problems.map((problem) => (
          <p key={problem.message} className="font-medium text-danger">
            {name} {problem.message} {problem.action}
          </p>
        ))}
        {notes.map((note) => (
          <p key={note.message} className="text-[0.8125rem] text-warn">
            {name} {note.message}
          </p>
        ))}
      </div>
    </div>
  );
}
