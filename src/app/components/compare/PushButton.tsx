import { Upload } from 'lucide-react';
import { Suspense, useState } from 'react';
import { type PushSubject, pushActive, pushShare, usePush } from '../../../stores/push';
import { useEver } from '../../hooks/useEver';
import { pushText as text } from '../../text/push';
import { Button, type ButtonProps } from '../../ui/Button';
import { LoadBoundary } from '../../ui/LoadBoundary';
import { formatShare } from '../../util/format';
import { lazyAhead } from '../../util/lazyAhead';

const PushDialog = lazyAhead(() => import('./PushDialog').then((module) => module.PushDialog));

/** Opens the dialog that pushes an export; while something is pushed, says how far it is. */
export function PushButton({ subject, ...rest }: { subject: PushSubject } & Pick<ButtonProps, 'why' | 'size'>) {
  const [open, setOpen] = useState(false);
  const active = usePush(pushActive);
  const share = usePush(pushShare);
  const label = share !== null ? text.activeShare(formatShare(share)) : active ? text.active : text.button;
  return (
    <>
      <Button {...rest} onClick={() => setOpen(true)}>
        <Upload aria-hidden size={16} />
        {label}
      </Button>
      {useEver(open) && (
        <LoadBoundary>
          <Suspense fallback={null}>
            <PushDialog {...subject} open={open} onClose={() => setOpen(false)} />
          </Suspense>
        </LoadBoundary>
      )}
    </>
  );
}
