import type { ReactNode } from 'react';
import { cx } from '../util/cx';

const tones = {
  neutral: 'bg-sunken text-muted border-line',
  accent: 'bg-accent-soft text-accent-strong border-accent/25',
  warning: 'bg-warn-soft text-warn border-warn/30',
  danger: 'bg-danger-soft text-danger border-danger/30',
};

export function Badge({ tone = 'neutral', children }: { tone?: keyof typeof tones; children: ReactNode }) {
  return (
    <span
      className={cx(
        'inline-flex items-center gap-1 whitespace-nowrap rounded border px-1.5 py-px text-xs font-medium',
        tones[tone],
      )}
    >
      {children}
    </span>
  );
}
