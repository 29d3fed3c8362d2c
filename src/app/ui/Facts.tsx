import type { ReactNode } from 'react';
import { cx } from '../util/cx';

export interface Fact {
  name: string;
  value: ReactNode;
  /** A second, quieter line. */
  note?: ReactNode;
  /** How to read the value, as a tooltip. */
  help?: string;
}

/** Names and values side by side, as a description list. */
export function Facts({
  facts,
  columns = 3,
  className,
}: {
  facts: Fact[];
  columns?: 1 | 2 | 3 | 4;
  className?: string;
}) {
  const grid = {
    1: 'grid-cols-1',
    2: 'grid-cols-1 sm:grid-cols-2',
    3: 'grid-cols-2 lg:grid-cols-3',
    4: 'grid-cols-2 lg:grid-cols-4',
  }[columns];
  return (
    <dl className={cx('grid gap-x-6 gap-y-3', grid, className)}>
      {facts.map((fact) => (
        <div key={fact.name} className="min-w-0" title={fact.help || undefined}>
          <dt className="text-[0.8125rem] text-muted">{fact.name}</dt>
          <dd className="break-words font-medium">
            {fact.value}
            {fact.note && <span className="block text-[0.8125rem] font-normal text-muted">{fact.note}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
