import { ExternalLink } from 'lucide-react';
import { useEffect } from 'react';
import { HUB } from '../../../hub/hub-id';
import { useHub } from '../../../stores/hub';
import { type PushSubject, pushActive, repoProblem, usePush } from '../../../stores/push';
import { useFields } from '../../../stores/select';
import { common } from '../../text/common';
import { pushText as text } from '../../text/push';
import { Button } from '../../ui/Button';
import { Check } from '../../ui/Check';
import { Confirm } from '../../ui/Confirm';
import { Dialog } from '../../ui/Dialog';
import { Input, Labelled, Select } from '../../ui/Field';
import { ErrorNotice, Notice } from '../../ui/Notice';
import { formatBytes, formatPlural } from '../../util/format';
import { PushProgressBar } from './PushProgressBar';
import { PushToken } from './PushToken';

const link = 'underline underline-offset-2';

/** Sends an export to a repository of the Hub: whose, which, what exactly, and how far it is. */
export function PushDialog({
  open,
  onClose,
  ...subject
}: PushSubject & {
  open: boolean;
  onClose: () => void;
}) {
  const start = usePush((state) => state.open);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is pushed is decided when the dialog opens.
  useEffect(() => {
    if (open) start(subject);
  }, [open]);
  const endpoint = useHub((state) => state.settings.endpoint);
  const phase = usePush((state) => state.phase);
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={text.title}
      description={endpoint === HUB ? text.description : `${text.description} ${text.mirror(endpoint)}`}
      footer={<Footer onClose={onClose} />}
    >
      {phase === 'done' ? <Done /> : <Form />}
    </Dialog>
  );
}

function Footer({ onClose }: { onClose: () => void }) {
  const { phase, files, filesError, account, error, name, start, cancel } = usePush(
    useFields('phase', 'files', 'filesError', 'account', 'error', 'name', 'start', 'cancel'),
  );
  const active = usePush(pushActive);
  if (phase === 'done') return <Button onClick={onClose}>{common.close}</Button>;
  if (active) return <Button onClick={cancel}>{common.cancel}</Button>;
  const why = !account
    ? text.tokenFirst
    : (repoProblem({ name }) ?? (filesError ? text.noFiles : files ? false : text.filesFirst));
  const bytes = files?.reduce((sum, { blob }) => sum + blob.size, 0);
  const label =
    phase === 'stopped'
      ? error && error.code !== 'network'
        ? text.again
        : text.goOn
      : bytes === undefined
        ? text.push
        : text.pushBytes(formatBytes(bytes));
  return (
    <>
      <Button onClick={onClose}>{common.close}</Button>
      <Button variant="primary" why={why} onClick={() => void start()}>
        {label}
      </Button>
    </>
  );
}

function Form() {
  const { phase, error } = usePush(useFields('phase', 'error'));
  const active = usePush(pushActive);
  return (
    <div className="space-y-5">
      {error && <ErrorNotice error={error} />}
      {phase === 'stopped' && (
        <p role="status" className="text-muted">
          {text.stopped}
        </p>
      )}
      {active ? (
        <PushProgressBar />
      ) : (
        <>
          <PushToken />
          <Repository />
        </>
      )}
      <FileList />
      <Existing />
    </div>
  );
}

function Repository() {
  const {
    account,
    owner,
    name,
    private: isPrivate,
    set,
  } = usePush(useFields('account', 'owner', 'name', 'private', 'set'));
  const problem = repoProblem({ name });
  if (!account) return null;
  return (
    <div className="space-y-3">
      <div className="grid grid-cols-[minmax(0,2fr)_minmax(0,3fr)] gap-3">
        <Labelled label={text.owner}>
          <Select
            value={owner}
            onChange={({ target }) => set({ owner: target.value })}
            options={account.owners.map((value) => ({ value, label: value }))}
          />
        </Labelled>
        <Labelled label={text.name}>
          <Input
            value={name}
            spellCheck={false}
            autoComplete="off"
            aria-invalid={problem !== null}
            onChange={({ target }) => set({ name: target.value.trim() })}
          />
        </Labelled>
      </div>
      {problem && (
        <p role="status" className="text-[0.8125rem] text-danger">
          {problem}
        </p>
      )}
      {account.refused.length > 0 && <p className="text-[0.8125rem] text-muted">{account.refused.join(' ')}</p>}
      <Check
        label={text.private}
        hint={!isPrivate ? text.publicHint : owner === account.name ? text.privateHint : text.privateTo(owner)}
        checked={isPrivate}
        onChange={({ target }) => set({ private: target.checked })}
      />
    </div>
  );
}

/** What exactly is sent. */
function FileList() {
  const { files, filesError, writeFiles } = usePush(useFields('files', 'filesError', 'writeFiles'));
  if (filesError) {
    return (
      <ErrorNotice error={filesError} actions={<Button onClick={() => void writeFiles()}>{common.tryAgain}</Button>} />
    );
  }
  if (!files) {
    return (
      <p role="status" className="text-muted">
        {text.writing}
      </p>
    );
  }
  const total = files.reduce((sum, { blob }) => sum + blob.size, 0);
  const hasCard = files.some(({ path }) => path === 'README.md');
  return (
    <section>
      <h3 className="text-[0.8125rem] font-medium">
        {text.files(formatPlural(files.length, 'file'), formatBytes(total))}
      </h3>
      <ul className="mt-1 divide-y rounded-md border">
        {files.map(({ path, blob }) => (
          <li key={path} className="flex gap-3 px-3 py-1 text-[0.8125rem]">
            <span className="min-w-0 flex-1 wrap-anywhere font-mono text-xs leading-5">{path}</span>
            <span className="shrink-0 text-muted tabular-nums">{formatBytes(blob.size)}</span>
          </li>
        ))}
      </ul>
      <p className="mt-1.5 text-[0.8125rem] text-muted">{hasCard ? text.recipe : text.noCard}</p>
    </section>
  );
}

const LISTED = 5;

/** A repository of that name is there: what adding to it means. */
function Existing() {
  const { phase, target, files, owner, name, add, decline } = usePush(
    useFields('phase', 'target', 'files', 'owner', 'name', 'add', 'decline'),
  );
  const { exists } = text;
  const asked = `${owner}/${name}`;
  const replaced = (files ?? []).map(({ path }) => path).filter((path) => target?.files.includes(path));
  const more = replaced.length > LISTED ? [exists.more(replaced.length - LISTED)] : [];
  return (
    <Confirm
      open={phase === 'asking' && target !== null}
      title={exists.title(target?.id ?? asked)}
      action={exists.action}
      onConfirm={() => void add()}
      onCancel={decline}
    >
      {target && target.id !== asked && <p>{exists.renamed(asked, target.id)}</p>}
      <p className={target?.private ? undefined : 'font-medium'}>
        {target?.private ? exists.isPrivate : exists.isPublic}
      </p>
      {replaced.length > 0 && (
        <p className="mt-2 break-words">{exists.replaces([...replaced.slice(0, LISTED), ...more].join(', '))}</p>
      )}
      <p className="mt-2">{exists.keeps}</p>
    </Confirm>
  );
}

function Done() {
  const result = usePush((state) => state.result);
  if (!result) return null;
  const { id, url, commit, notes } = result;
  return (
    <div role="status">
      <Notice title={text.done(id)}>
        <p>
          <a className={link} href={url} target="_blank" rel="noreferrer">
            {text.openPage} <ExternalLink aria-hidden size={12} className="inline" />
          </a>
        </p>
        <p className="wrap-anywhere font-mono text-xs">{url}</p>
        <p className="text-[0.8125rem] text-muted">
          {text.commit} <span className="font-mono text-xs">{commit.slice(0, 7)}</span>
        </p>
        {notes.map((note) => (
          <p key={note}>{note}</p>
        ))}
      </Notice>
    </div>
  );
}
