import { useId } from 'react';
import { cx } from '../util/cx';

/** A row of choices, one of them chosen. Native radio buttons, so arrow keys work as usual. */
export function Segmented<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: { value: T; label: string }[];
  onChange: (value: T) => void;
}) {
  const name = useId();
  return (
    <fieldset className="inline-flex rounded-md border border-edge/60 bg-sunken p-0.5">
      <legend className="sr-only">{label}</legend>
      {options.map((option) => (
        <label
          key={option.value}
          className={cx(
            'relative inline-flex min-h-7 cursor-pointer items-center rounded px-2.5 text-[0.8125rem] font-medium has-focus-visible:outline-2 has-focus-visible:outline-accent',
            option.value === value
              ? 'bg-surface text-ink shadow-sm forced-colors:underline'
              : 'text-muted hover:text-ink',
          )}
        >
          <input
            type="radio"
            name={name}
            className="absolute inset-0 cursor-pointer opacity-0"
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          {option.label}
        </label>
      ))}
    </fieldset>
  );
}
