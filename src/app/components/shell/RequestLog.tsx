import { Download } from 'lucide-react';
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { followRequests, requestList } from '../../../base/requests';
import { useHub } from '../../../stores/hub';
import { privacyText } from '../../text/privacy';
import { Button } from '../../ui/Button';
import { Notice } from '../../ui/Notice';
import { Rich } from '../../ui/Rich';
import { downloadBlob } from '../../util/downloadBlob';
import { formatBytes, formatPlural, formatWhen } from '../../util/format';
import { type Asked, groupRequests, receivedBy } from '../../util/requests';

const text = privacyText.log;

/** What the service worker asked for when it stored the app. */
interface Stored {
  at: number;
  files: number;
  bytes: number;
}

async function readStored(): Promise<Stored | null> {
  if (!('caches' in window)) return null;
  const address = new URL('./?stored', document.baseURI).href;
  let stored: Stored | null = null;
  // In the order in which they were made: the newest version is the last.
  for (const name of await caches.keys()) {
    const response = await (await caches.open(name)).match(address);
    if (response) stored = (await response.json()) as Stored;
  }
  return stored;
}

const clock = (at: number) => new Date(at).toLocaleTimeString();

function Requests({ label, asked }: { label: string; asked: Asked[] }) {
  const { columns } = text;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
    <section tabIndex={0} aria-label={label} className="max-h-80 overflow-auto rounded-md border">
      <table className="w-full text-left text-[0.8125rem]">
        <thead className="sticky top-0 bg-sunken">
          <tr>
            {Object.values(columns).map((name) => (
              <th key={name} scope="col" className="px-2 py-1 font-medium whitespace-nowrap">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y">
          {asked.map((note, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows are only added, and never moved.
            <tr key={i}>
              <td className="px-2 py-1 align-top whitespace-nowrap">{clock(note.at)}</td>
              <td className="px-2 py-1 align-top whitespace-nowrap">{note.from}</td>
              <td className="px-2 py-1 align-top whitespace-nowrap">{text.purposes[note.purpose]}</td>
              <td className="px-2 py-1 align-top break-all font-mono text-xs">
                {note.method} {note.url}
              </td>
              <td className="px-2 py-1 text-right align-top whitespace-nowrap">{formatBytes(note.sent)}</td>
              <td className="px-2 py-1 text-right align-top whitespace-nowrap">{outcome(note)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function outcome({ failed, local, received }: Asked): string {
  if (failed) return text.refused;
  if (local) return text.local;
  return received === null ? text.unknown : formatBytes(received);
}

const requests = (count: number) => formatPlural(count, 'request');

/** Every request that the tab has made, filled while one looks. */
export function RequestLog() {
  const { notes, dropped } = useSyncExternalStore(followRequests, requestList);
  const hub = useHub((state) => state.settings.endpoint);
  const groups = useMemo(() => groupRequests(notes, hub, document.baseURI), [notes, hub]);
  const [stored, setStored] = useState<Stored | null>(null);
  useEffect(() => {
    // A browser that forbids the cache has stored nothing.
    readStored().then(setStored, () => {});
  }, []);

  const kept = groups.own.filter(({ local }) => local).length;
  const sent = notes.reduce((sum, note) => sum + note.sent, 0);
  const save = () => {
    const asked = [...groups.own, ...groups.hub, ...groups.strange].sort((a, b) => a.at - b.at);
    const rows = asked.map(({ at, ...note }) => ({ at: new Date(at).toISOString(), ...note }));
    const json = JSON.stringify({ hub, stored, dropped, requests: rows }, null, 2);
    downloadBlob(new Blob([`${json}\n`], { type: 'application/json' }), text.file);
  };
  return (
    <section aria-label={text.title} className="mt-5 space-y-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
        <h3 className="flex-1 font-semibold">{text.title}</h3>
        <Button size="small" onClick={save}>
          <Download aria-hidden size={16} />
          {text.save}
        </Button>
      </div>
      <p>{text.intro}</p>
      <p>
        <Rich text={text.summary(requests(notes.length + dropped), formatBytes(sent))} />{' '}
        {groups.hub.length + groups.strange.length === 0 && dropped === 0 && text.nobody}
      </p>
      {groups.strange.length > 0 && (
        <>
          <Notice tone="warning" title={text.strange(requests(groups.strange.length))}>
            <p>{text.strangeWhy}</p>
          </Notice>
          <Requests label={text.strange(requests(groups.strange.length))} asked={groups.strange} />
        </>
      )}
      {groups.hub.length > 0 && (
        <>
          <h4 className="font-medium">{text.hub(requests(groups.hub.length))}</h4>
          <Requests label={text.hub(requests(groups.hub.length))} asked={groups.hub} />
        </>
      )}
      <details>
        <summary className="py-0.5 font-medium">
          {text.own(requests(groups.own.length), formatBytes(receivedBy(groups.own)))}
        </summary>
        <div className="mt-2">
          <Requests label={text.own(requests(groups.own.length), '')} asked={groups.own} />
        </div>
      </details>
      {kept > 0 && <p className="text-muted">{text.kept(requests(kept))}</p>}
      {stored && (
        <p className="text-muted">
          {text.stored(formatPlural(stored.files, 'file'), formatBytes(stored.bytes), formatWhen(stored.at))}
        </p>
      )}
      {dropped > 0 && <p className="text-muted">{text.dropped(requests(dropped))}</p>}
    </section>
  );
}
