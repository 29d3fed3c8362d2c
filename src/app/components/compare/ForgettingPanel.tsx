import { useEffect } from 'react';
import { useCompare } from '../../../stores/compare';
import { keyOf, useMeasures } from '../../../stores/measures';
import { useModel } from '../../../stores/model';
import { forgettingText as text } from '../../text/comparing';
import { formatMetric } from '../../util/format';
import { MeasurePanel } from './MeasurePanel';
import { type ShownColumn, useColumns } from './useColumns';
import { useWhy } from './useWhy';

/** A model of so many parameters is measured in seconds even on a processor. */
const SMALL = 2e7;
/** After the last answer. */
const IDLE_MS = 1500;

/** Loss on base text before and after, which is measured by itself where that is cheap. */
export function ForgettingPanel() {
  const { columns } = useColumns();
  const tuned = columns.filter(({ name }) => name !== null);
  const known = useMeasures((state) => state.forgetting);
  const measure = useMeasures((state) => state.measure);
  const declined = useMeasures((state) => state.error?.kind === 'forgetting' || state.declined.forgetting === true);
  const busy = useCompare((state) => state.generating || state.opening);
  const cheap = useModel(({ device, info }) => device?.software === false || (info?.parameters ?? SMALL) < SMALL);
  const why = useWhy();
  const missing = tuned.some(({ id }) => !(keyOf(id) in known));
  const ids = tuned.map(({ id }) => id).join('\n');
  const ready = cheap && !why && !busy && !declined && missing;
  useEffect(() => {
    if (!ready) return;
    const timer = setTimeout(() => void measure('forgetting', ids.split('\n') as ShownColumn['id'][]), IDLE_MS);
    return () => clearTimeout(timer);
  }, [ready, ids, measure]);
  return (
    <MeasurePanel
      id="forgetting"
      kind="forgetting"
      text={text}
      models={tuned.map(({ id }) => id)}
      nothing={tuned.length === 0 && text.none}
    >
      <ul className="space-y-4">
        {tuned.map((column) => {
          const found = known[keyOf(column.id)];
          if (found === undefined) return null;
          return (
            <li key={column.id}>
              {tuned.length > 1 && <h3 className="font-medium">{column.title}</h3>}
              {found === null ? (
                <p className="text-muted">{text.impossible}</p>
              ) : (
                <>
                  <Meter before={found.before} after={found.after} />
                  <p className="mt-1.5">
                    {text.verdict(found.before, found.after)}{' '}
                    <span className="text-muted">({found.from === 'run' ? text.fromRun : text.fromNow})</span>
                  </p>
                </>
              )}
            </li>
          );
        })}
      </ul>
    </MeasurePanel>
  );
}

/** Two bars on one scale; the sentence below says the same. */
function Meter({ before, after }: { before: number; after: number }) {
  const most = Math.max(before, after, 1e-9);
  return (
    <div aria-hidden className="space-y-1">
      {[
        { value: before, bar: 'bg-edge' },
        { value: after, bar: after > before + 0.2 ? 'bg-series-2' : 'bg-series-1' },
      ].map(({ value, bar }) => (
        <div key={bar} className="flex items-center gap-2">
          <span className="h-2.5 flex-1 overflow-hidden rounded-full bg-line">
            <span className={`block h-full rounded-full ${bar}`} style={{ width: `${(value / most) * 100}%` }} />
          </span>
          <span className="w-14 text-right text-[0.8125rem]">{formatMetric(value)}</span>
        </div>
      ))}
    </div>
  );
}
