import { type ReactNode, useId } from 'react';
import { cx } from '../util/cx';

export interface RadioOption<T extends string> {
  value: T;
  name: ReactNode;
  /** At the right of the name, e.g. a size. */
  aside?: ReactNode;
  children?: ReactNode;
  /** Why it cannot be chosen. */
  why?: string | null;
}

/** Choices with room for an explanation each. Native radio buttons. */
export function RadioList<T extends string>({
  label,
  value,
  options,
  onChange,
  columns = 1,
  disabled = false,
}: {
  label: string;
  value: T | null;
  options: RadioOption<T>[];
  onChange: (value: T) => void;
  columns?: 1 | 3;
  /** None can be chosen now; the reason is shown elsewhere. */
  disabled?: boolean;
}) {
  const name = useId();
  return (
    <fieldset>
      <legend className="mb-1.5 text-[0.8125rem] font-medium">{label}</legend>
      <div className={cx('grid gap-2', columns === 3 && 'sm:grid-cols-3')}>
        {options.map((option) => {
          const chosen = option.value === value;
          return (
            <label
              key={option.value}
              className={cx(
                'flex gap-2.5 rounded-lg border px-3 py-2 has-focus-visible:outline-2 has-focus-visible:outline-accent has-focus-visible:outline-offset-2',
                option.why ? 'bg-sunken text-muted' : !disabled && 'cursor-pointer',
                chosen
                  ? 'border-accent bg-accent-soft'
                  : !option.why && cx('border-edge/60 bg-surface', !disabled && 'hover:bg-hover'),
              )}
            >
              <input
                type="radio"
                name={name}
                className="mt-1 shrink-0 self-start outline-none"
                checked={chosen}
                disabled={disabled || Boolean(option.why)}
                onChange={() => onChange(option.value)}
              />
              <span className="min-w-0 flex-1">
                <span className="flex flex-wrap items-baseline justify-between gap-x-3">
                  <span className="font-medium break-words">{option.name}</span>
                  {option.aside && (
                    <span className={cx('text-[0.8125rem]', !chosen && 'text-muted')}>{option.aside}</span>
                  )}
                </span>
                {option.children}
                {option.why && <span className="block text-[0.8125rem]">{option.why}</span>}
              </span>
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}
