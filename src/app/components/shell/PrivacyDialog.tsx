import { useEffect, useState } from 'react';
import { allowedHub } from '../../../hub/hub-policy';
import { getSession } from '../../../stores/session';
import { privacyText } from '../../text/privacy';
import { shell } from '../../text/shell';
import { Dialog } from '../../ui/Dialog';
import { Rich } from '../../ui/Rich';
import { RequestLog } from './RequestLog';

/** The promise, how to check it, and what this tab has asked so far. */
export function PrivacyDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { description, check, facts } = privacyText;
  const [closed, setClosed] = useState<boolean | null>(null);
  useEffect(() => {
    if (!open) return;
    getSession()
      .workersClosed()
      // Not known: nothing is promised.
      .then(setClosed, () => setClosed(false));
  }, [open]);
  const hub = allowedHub();
  const items = [
    ...facts.items,
    ...(hub === null ? [] : [facts.hub(hub)]),
    ...(closed === null ? [] : [closed ? facts.closed : facts.open]),
  ];
  return (
    <Dialog open={open} onClose={onClose} title={shell.privacy} description={description} shape="wide">
      <h3 className="mt-2 font-semibold">{check.title}</h3>
      <ol className="mt-1 list-decimal space-y-1.5 pl-5">
        {check.steps.map((text) => (
          <li key={text}>
            <Rich text={text} />
          </li>
        ))}
      </ol>
      <RequestLog />
      <h3 className="mt-5 font-semibold">{facts.title}</h3>
      <ul className="mt-1 list-disc space-y-1.5 pl-5">
        {items.map((text) => (
          <li key={text}>
            <Rich text={text} />
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
