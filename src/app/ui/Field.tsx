import type { ComponentProps, ReactNode, SelectHTMLAttributes } from 'react';
import { cx } from '../util/cx';

const inputClass =
  'min-h-9 w-full min-w-0 rounded-md border border-edge bg-surface px-2.5 text-sm text-ink placeholder:text-muted aria-invalid:border-danger';

export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return <input {...rest} className={cx(inputClass, className)} />;
}

export function Textarea({ className, ...rest }: ComponentProps<'textarea'>) {
  return <textarea {...rest} className={cx(inputClass, 'py-2 leading-normal', className)} />;
}

export function Select({
  options,
  className,
  ...rest
}: Omit<SelectHTMLAttributes<HTMLSelectElement>, 'children'> & { options: { value: string; label: string }[] }) {
  return (
    <select {...rest} className={cx(inputClass, 'pr-1', className)}>
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  );
}

/** A visible label above its control. The control is found by being inside. */
export function Labelled({
  label,
  hint,
  children,
  className,
}: {
  label: string;
  hint?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child.
    <label className={cx('block', className)}>
      <span className="mb-1 block text-[0.8125rem] font-medium">{label}</span>
      {children}
      {hint && <span className="mt-1 block text-[0.8125rem] text-muted">{hint}</span>}
    </label>
  );
}
