import { type ButtonHTMLAttributes, type Ref, useId } from 'react';
import { cx } from '../util/cx';
import { Tooltip } from './Tooltip';

export interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'disabled'> {
  variant?: 'primary' | 'secondary' | 'quiet' | 'danger';
  size?: 'small' | 'normal' | 'large';
  /** Why it cannot be pressed now. The button stays focusable and says so. */
  why?: string | null | false;
  ref?: Ref<HTMLButtonElement>;
}

const variants = {
  primary: 'bg-accent text-on-accent border-transparent hover:bg-accent-strong font-semibold',
  secondary: 'bg-surface text-ink border-edge/60 hover:bg-hover font-medium',
  quiet: 'bg-transparent text-ink border-transparent hover:bg-hover font-medium',
  danger: 'bg-surface text-danger border-danger/60 hover:bg-danger-soft font-medium',
};
const sizes = {
  small: 'min-h-7 px-2 text-[0.8125rem] gap-1.5',
  normal: 'min-h-9 px-3 text-sm gap-2',
  large: 'min-h-11 px-4 text-base gap-2',
};

export function Button({ variant = 'secondary', size = 'normal', why, className, onClick, ...rest }: ButtonProps) {
  const whyId = useId();
  const button = (
    <button
      type="button"
      {...rest}
      aria-disabled={why ? true : undefined}
      aria-describedby={why ? whyId : rest['aria-describedby']}
      onClick={why ? (event) => event.preventDefault() : onClick}
      className={cx(
        'inline-flex max-w-full shrink-0 select-none items-center justify-center rounded-md border text-center leading-tight transition-colors',
        why ? 'cursor-not-allowed border-line bg-sunken font-medium text-muted' : variants[variant],
        sizes[size],
        className,
      )}
    />
  );
  if (!why) return button;
  return (
    <>
      <Tooltip content={why}>{button}</Tooltip>
      <span id={whyId} className="sr-only">
        {why}
      </span>
    </>
  );
}
