import type { Forecast } from '../../../worker/api';
import { formatBytes } from '../../util/format';

const parts: { key: keyof Forecast['memory']; name: string; className: string }[] = [
  { key: 'weights', name: 'Model weights', className: 'bg-accent' },
  { key: 'activations', name: 'Activations', className: 'bg-accent/60' },
  { key: 'logits', name: 'Logits', className: 'bg-accent/35' },
  { key: 'optimizer', name: 'Optimiser', className: 'bg-edge' },
  { key: 'adapter', name: 'Adapter', className: 'bg-ink' },
];

/** GPU memory by what it is for. The list beside the bar says the same in words. */
export function MemoryBar({ forecast }: { forecast: Forecast }) {
  return (
    <div>
      <div className="flex h-2 gap-px overflow-hidden rounded-full" aria-hidden>
        {parts.map(({ key, className }) => {
          const share = forecast.memory[key] / Math.max(1, forecast.totalBytes);
          return <div key={key} className={className} style={{ flexGrow: share, minWidth: share > 0 ? 2 : 0 }} />;
        })}
      </div>
      <details className="mt-1 text-[0.8125rem] text-muted">
        <summary className="py-0.5">What takes it</summary>
        <ul className="mt-1 space-y-0.5">
          {parts.map(({ key, name, className }) => (
            <li key={key} className="flex items-center gap-2">
              <span aria-hidden className={`size-2.5 rounded-sm ${className}`} />
              <span className="flex-1">{name}</span>
              <span>{formatBytes(forecast.memory[key])}</span>
            </li>
          ))}
        </ul>
      </details>
    </div>
  );
}
