import type { Forecast } from '../../../session/api';
import { memoryText } from '../../text/memory';
import { formatBytes } from '../../util/format';

const parts: { key: keyof typeof memoryText.parts; className: string }[] = [
  { key: 'weights', className: 'bg-accent' },
  { key: 'activations', className: 'bg-accent/60' },
  { key: 'logits', className: 'bg-accent/35' },
  { key: 'cache', className: 'bg-accent/20' },
  { key: 'gradients', className: 'bg-muted' },
  { key: 'optimizer', className: 'bg-edge' },
  { key: 'adapter', className: 'bg-ink' },
];

/**
 * GPU memory by purpose, against what the GPU is believed to have: beyond the mark the run would not fit. The list below
 * the bar says the same in words.
 */
export function MemoryBar({ forecast }: { forecast: Forecast }) {
  const { memory, totalBytes, budget } = forecast;
  const shown = parts.map((part) => ({ ...part, bytes: memory[part.key] ?? 0 })).filter(({ bytes }) => bytes > 0);
  const whole = Math.max(totalBytes, budget?.bytes ?? 0, 1);
  return (
    <div>
      <div className="relative" aria-hidden>
        <div className="flex h-2 gap-px overflow-hidden rounded-full bg-line">
          {shown.map(({ key, className, bytes }) => (
            <div key={key} className={className} style={{ width: `${(bytes / whole) * 100}%`, minWidth: 2 }} />
          ))}
        </div>
        {budget && budget.bytes < totalBytes && (
          <div
            className="absolute -top-1 h-4 w-0.5 rounded-full bg-danger"
            style={{ left: `${(budget.bytes / whole) * 100}%` }}
          />
        )}
      </div>
      <details className="mt-1 text-[0.8125rem] text-muted">
        <summary className="py-0.5">{memoryText.breakdown}</summary>
        <ul className="mt-1 space-y-0.5">
          {shown.map(({ key, className, bytes }) => (
            <li key={key} className="flex items-center gap-2">
              <span aria-hidden className={`size-2.5 rounded-sm ${className}`} />
              <span className="flex-1">{memoryText.parts[key]}</span>
              <span>{formatBytes(bytes)}</span>
            </li>
          ))}
        </ul>
      </details>
    </div>
  );
}
