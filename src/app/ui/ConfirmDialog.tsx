import { AlertDialog } from '@base-ui/react/alert-dialog';
import type { ReactNode } from 'react';
import { common } from '../text/common';
import { Button } from './Button';

export interface ConfirmProps {
  open: boolean;
  title: string;
  children?: ReactNode;
  /** The verb on the dangerous button, e.g. `Delete run`. */
  action: string;
  onConfirm: () => void;
  onCancel: () => void;
  /** A third answer, which loses nothing. */
  instead?: { action: string; onChoose: () => void };
}

/** The safe answer has the focus. */
export function ConfirmDialog({ open, title, children, action, onConfirm, onCancel, instead }: ConfirmProps) {
  return (
    <AlertDialog.Root open={open} onOpenChange={(next) => !next && onCancel()}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="fixed inset-0 z-50 bg-scrim" />
        <AlertDialog.Popup className="fixed inset-x-0 top-[20dvh] z-50 mx-auto max-h-[75dvh] w-[min(26rem,calc(100vw-2rem))] overflow-y-auto rounded-xl border bg-raised p-5 text-ink shadow-2xl">
          <AlertDialog.Title className="text-lg font-semibold">{title}</AlertDialog.Title>
          <AlertDialog.Description render={<div />} className="mt-1 text-muted">
            {children}
          </AlertDialog.Description>
          <div className="mt-5 flex flex-wrap justify-end gap-2">
            <AlertDialog.Close render={<Button>{common.cancel}</Button>} />
            {instead && (
              <Button
                onClick={() => {
                  instead.onChoose();
                  onCancel();
                }}
              >
                {instead.action}
              </Button>
            )}
            <Button
              variant="danger"
              onClick={() => {
                onConfirm();
                onCancel();
              }}
            >
              {action}
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
