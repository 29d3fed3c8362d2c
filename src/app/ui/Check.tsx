import { type InputHTMLAttributes, type ReactNode, useId } from 'react';

/** A checkbox with its label at the right and an optional line of explanation. */
export function Check({
  label,
  hint,
  ...rest
}: Omit<InputHTMLAttributes<HTMLInputElement>, 'type'> & { label: ReactNode; hint?: ReactNode }) {
  const id = useId();
  return (
    <div className="flex gap-2">
      <input
        id={id}
        type="checkbox"
        {...rest}
        aria-describedby={hint ? `${id}-hint` : undefined}
        className="mt-0.5 size-[1.125rem] shrink-0"
      />
      <div>
        <label htmlFor={id} className="inline-block py-px">
          {label}
        </label>
        {hint && (
          <p id={`${id}-hint`} className="text-[0.8125rem] text-muted">
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}
