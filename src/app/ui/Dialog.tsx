import { Dialog as Base } from '@base-ui/react/dialog';
import { X } from 'lucide-react';
import type { ReactNode, RefObject } from 'react';
import { common } from '../text/common';
import { cx } from '../util/cx';

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  /** One sentence under the title. */
  description?: ReactNode;
  /** A sheet comes from the bottom of a narrow screen. */
  shape?: 'dialog' | 'wide' | 'sheet';
  initialFocus?: RefObject<HTMLElement | null>;
  footer?: ReactNode;
  children?: ReactNode;
}

const shapes = {
  dialog: 'inset-x-0 top-[10dvh] mx-auto max-h-[80dvh] w-[min(34rem,calc(100vw-2rem))] rounded-xl',
  wide: 'inset-x-0 top-[6dvh] mx-auto max-h-[88dvh] w-[min(52rem,calc(100vw-2rem))] rounded-xl',
  sheet: 'inset-x-0 bottom-0 max-h-[88dvh] rounded-t-xl',
};

export function Dialog({
  open,
  onClose,
  title,
  description,
  shape = 'dialog',
  initialFocus,
  footer,
  children,
}: DialogProps) {
  return (
    <Base.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-scrim" />
        <Base.Popup
          initialFocus={initialFocus}
          className={cx('fixed z-40 flex flex-col border bg-raised text-ink shadow-2xl', shapes[shape])}
        >
          <div className="flex items-start gap-4 px-5 pt-4 pb-2">
            <div className="min-w-0 flex-1">
              <Base.Title className="text-lg font-semibold wrap-anywhere">{title}</Base.Title>
              {description && <Base.Description className="mt-0.5 text-muted">{description}</Base.Description>}
            </div>
            <Base.Close
              aria-label={common.close}
              className="-mr-2 flex size-9 shrink-0 items-center justify-center rounded-md hover:bg-hover"
            >
              <X aria-hidden size={18} strokeWidth={1.75} />
            </Base.Close>
          </div>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard. */}
          <div tabIndex={0} className="min-h-0 flex-1 overflow-y-auto px-5 pt-1 pb-5 focus-visible:-outline-offset-2">
            {children}
          </div>
          {footer && <div className="flex flex-wrap justify-end gap-2 border-t px-5 py-3">{footer}</div>}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
