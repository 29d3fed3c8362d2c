import { CircleCheck } from 'lucide-react';
import { type ReactNode, useId } from 'react';
import { cx } from '../util/cx';

/** A card that is chosen by pressing it. Its name is the button; the rest describes the button. */
export function ChoiceCard({
  name,
  chosen,
  onChoose,
  badge,
  facts,
  action,
  why,
  children,
}: {
  name: string;
  chosen: boolean;
  onChoose: () => void;
  badge?: ReactNode;
  facts?: ReactNode;
  /** A button of its own, which does not choose the card. */
  action?: ReactNode;
  /** Why it cannot be chosen now. */
  why?: string | false | null;
  children?: ReactNode;
}) {
  const id = useId();
  const blocked = Boolean(why) && !chosen;
  return (
    <div
      className={cx(
        'relative flex flex-col gap-1 rounded-lg border p-4 transition-colors has-focus-visible:outline-2 has-focus-visible:outline-accent has-focus-visible:outline-offset-2',
        chosen ? 'border-accent bg-accent-soft' : blocked ? 'bg-sunken' : 'border-edge/60 bg-surface hover:bg-hover',
      )}
    >
      <div className="flex flex-wrap items-center gap-2">
        <button
          type="button"
          aria-pressed={chosen}
          aria-describedby={id}
          aria-disabled={blocked || undefined}
          onClick={() => !blocked && !chosen && onChoose()}
          className="min-h-6 text-left font-semibold outline-none after:absolute after:inset-0 after:rounded-lg"
        >
          {name}
        </button>
        {badge}
        {chosen && <CircleCheck aria-hidden size={18} className="ml-auto text-accent" />}
      </div>
      <div id={id} className="space-y-1">
        <div className={chosen ? '' : 'text-muted'}>{children}</div>
        {facts && <div className={cx('text-[0.8125rem]', !chosen && 'text-muted')}>{facts}</div>}
        {blocked && <p className="text-[0.8125rem] text-muted">{why}</p>}
      </div>
      {action && <div className="absolute right-2 bottom-2 z-10">{action}</div>}
    </div>
  );
}
