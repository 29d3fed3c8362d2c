import { useId } from 'react';

/** A labelled slider whose value is shown, and announced, in words. */
export function RangeField({
  id: given,
  label,
  hint,
  value,
  text,
  min,
  max,
  step = 1,
  ends,
  onChange,
}: {
  id?: string;
  label: string;
  hint?: string;
  value: number;
  text: string;
  min: number;
  max: number;
  step?: number;
  /** Words at the two ends of the track. */
  ends?: [string, string];
  onChange: (value: number) => void;
}) {
  const own = useId();
  const id = given ?? own;
  return (
    <div>
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <label htmlFor={id} className="font-medium">
          {label}
        </label>
        <output htmlFor={id} aria-live="off" className="text-right text-muted">
          {text}
        </output>
      </div>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        aria-valuetext={text}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onChange(event.target.valueAsNumber)}
        className="block h-7 w-full"
      />
      {ends && (
        <div className="flex justify-between text-xs text-muted" aria-hidden>
          <span>{ends[0]}</span>
          <span>{ends[1]}</span>
        </div>
      )}
      {hint && (
        <p id={`${id}-hint`} className="mt-1 text-[0.8125rem] text-muted">
          {hint}
        </p>
      )}
    </div>
  );
}
