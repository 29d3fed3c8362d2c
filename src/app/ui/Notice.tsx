import { CircleAlert, Info, TriangleAlert, X } from 'lucide-react';
import type { ReactNode } from 'react';
import type { ErrorData } from '../../base/errors';
import { common } from '../text/common';
import { cx } from '../util/cx';
import { IconButton } from './IconButton';

const looks = {
  info: { icon: Info, box: 'bg-accent-soft border-accent/30', mark: 'text-accent' },
  warning: { icon: TriangleAlert, box: 'bg-warn-soft border-warn/35', mark: 'text-warn' },
  error: { icon: CircleAlert, box: 'bg-danger-soft border-danger/35', mark: 'text-danger' },
};

/** A boxed message with its actions. An error is announced at once. */
export function Notice({
  tone = 'info',
  title,
  children,
  actions,
  onDismiss,
  announced = tone === 'error',
}: {
  tone?: keyof typeof looks;
  title?: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
  onDismiss?: () => void;
  /** Read out at once by screen readers. */
  announced?: boolean;
}) {
  const { icon: Icon, box, mark } = looks[tone];
  return (
    <div role={announced ? 'alert' : undefined} className={cx('flex gap-3 rounded-lg border px-4 py-3', box)}>
      <Icon aria-hidden size={18} className={cx('mt-0.5 shrink-0', mark)} />
      <div className="min-w-0 flex-1 space-y-1 break-words">
        {title && <p className="font-semibold">{title}</p>}
        {children}
        {actions && <div className="flex flex-wrap gap-2 pt-2">{actions}</div>}
      </div>
      {onDismiss && (
        <IconButton icon={X} label={common.dismiss} size="small" className="self-start" onClick={onDismiss} />
      )}
    </div>
  );
}

/** A TabtuneError on the screen: what happened, where, what to do; technical details are folded away. A question is no failure. */
export function ErrorNotice({
  error,
  actions,
  onDismiss,
  children,
}: {
  error: ErrorData;
  actions?: ReactNode;
  onDismiss?: () => void;
  /** More to say, below what to do. */
  children?: ReactNode;
}) {
  return (
    <Notice
      tone={error.choices ? 'warning' : 'error'}
      announced
      title={error.message}
      actions={actions}
      onDismiss={onDismiss}
    >
      {error.where && (
        <p>
          {common.where} <span className="font-mono text-[0.8125rem]">{error.where}</span>
        </p>
      )}
      {error.action && <p>{error.action}</p>}
      {children}
      {error.details && (
        <details className="pt-1 text-[0.8125rem]">
          <summary className="inline-block py-0.5 text-muted underline underline-offset-2">{common.details}</summary>
          <pre className="mt-1 max-h-60 overflow-auto whitespace-pre-wrap break-words font-mono">{`${error.code}\n${error.details}`}</pre>
        </details>
      )}
    </Notice>
  );
}
