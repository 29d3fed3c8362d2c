import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';

/** An empty page that teaches: what will stand here, and how to get there. */
export function Empty({
  icon: Icon,
  title,
  children,
  actions,
}: {
  icon: LucideIcon;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center gap-2 rounded-lg border border-dashed border-edge/60 px-6 py-10 text-center">
      <Icon aria-hidden size={24} strokeWidth={1.5} className="text-muted" />
      <p className="font-semibold">{title}</p>
      <div className="max-w-prose text-muted">{children}</div>
      {actions && <div className="mt-2 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  );
}
