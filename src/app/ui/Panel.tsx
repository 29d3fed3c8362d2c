import type { ReactNode } from 'react';
import { cx } from '../util/cx';

/** A titled part of a page. `aside` is at the right of the title. */
export function Panel({
  id,
  title,
  aside,
  description,
  children,
  className,
  flush,
}: {
  id?: string;
  title: string;
  aside?: ReactNode;
  description?: ReactNode;
  children?: ReactNode;
  className?: string;
  /** No padding around the children, for tables and charts that reach the edge. */
  flush?: boolean;
}) {
  return (
    <div id={id} className={cx('min-w-0 scroll-mt-4 rounded-lg border bg-surface', className)}>
      <div className="flex min-h-12 flex-wrap items-center gap-x-4 gap-y-1 px-4 pt-2 pb-1">
        <h2 className="text-[0.9375rem] font-semibold">{title}</h2>
        {aside && <div className="ml-auto flex flex-wrap items-center gap-2">{aside}</div>}
      </div>
      {description && <p className="max-w-prose px-4 pb-2 text-muted">{description}</p>}
      <div className={cx(!flush && 'px-4 pt-1 pb-4')}>{children}</div>
    </div>
  );
}
