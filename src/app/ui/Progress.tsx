import { cx } from '../util/cx';

/** A bar from 0 to 1; `value` is null while the total is unknown. */
export function ProgressBar({ label, value, text }: { label: string; value: number | null; text?: string }) {
  const percent = value === null ? undefined : Math.round(Math.min(1, Math.max(0, value)) * 100);
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuenow={percent}
      aria-valuetext={text}
      className="h-1.5 overflow-hidden rounded-full bg-line"
    >
      <div
        className={cx(
          'h-full origin-left rounded-full bg-accent transition-transform duration-300',
          value === null && 'animate-pulse',
        )}
        style={{ transform: `scaleX(${value === null ? 0.3 : (percent ?? 0) / 100})` }}
      />
    </div>
  );
}
