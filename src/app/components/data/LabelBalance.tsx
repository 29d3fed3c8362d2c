import { useState } from 'react';
import { useFields } from '../../../stores/select';
import { useTable } from '../../../stores/table';
import { balanceText as text } from '../../text/data';
import { Button } from '../../ui/Button';
import { Panel } from '../../ui/Panel';
import { cx } from '../../util/cx';
import { formatCount, formatPlural, formatShare } from '../../util/format';

const first = 10;
/** More bars than this say nothing, and take long to draw. */
const most = 100;

/** How often each label is given, as bars; one of them can be pressed to see its examples. */
export function LabelBalance() {
  const { balance, query, ask } = useTable(useFields('balance', 'query', 'ask'));
  const [all, setAll] = useState(false);
  if (!balance || balance.labels.length === 0) return null;
  const { labels, examples } = balance;
  const largest = labels[0]!.count;
  const shown = labels.slice(0, all ? most : first);
  const rest = labels.length - shown.length;
  return (
    <Panel title={text.title} description={text.description(formatPlural(labels.length, 'label'))}>
      <ul className="space-y-1">
        {shown.map(({ label, count }) => {
          const chosen = query.label === label;
          return (
            <li key={label}>
              <button
                type="button"
                aria-pressed={chosen}
                onClick={() => ask({ label: chosen ? null : label })}
                className={cx(
                  'grid min-h-7 w-full grid-cols-[minmax(4rem,10rem)_1fr_auto] items-center gap-3 rounded px-2 text-left',
                  chosen ? 'bg-accent-soft' : 'hover:bg-hover',
                )}
              >
                <span className="truncate" title={label}>
                  {label}
                </span>
                <span aria-hidden className="h-3">
                  <span
                    className="block h-full min-w-0.5 rounded-sm bg-series-1"
                    style={{ width: `${(100 * count) / largest}%` }}
                  />
                </span>
                <span className="text-muted">{text.amount(formatCount(count), formatShare(count / examples))}</span>
              </button>
            </li>
          );
        })}
      </ul>
      {(rest > 0 || all) && labels.length > first && (
        <div className="mt-2 flex flex-wrap items-center gap-3">
          <Button size="small" variant="quiet" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? text.showFewer : text.showMore(formatCount(Math.min(labels.length, most)))}
          </Button>
          {all && rest > 0 && <p className="text-muted">{text.further(formatCount(rest))}</p>}
        </div>
      )}
    </Panel>
  );
}
