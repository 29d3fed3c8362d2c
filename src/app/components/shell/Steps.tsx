import { CircleAlert, LoaderCircle, TriangleAlert } from 'lucide-react';
import { useId } from 'react';
import type { PageName } from '../../../stores/pages';
import { shell } from '../../text/shell';
import { cx } from '../../util/cx';
import { type Page, pages } from '../../util/pages';
import { hashOf } from '../../util/route';
import type { StateLine } from './stateLines';

function Mark({ tone }: { tone: StateLine['tone'] }) {
  if (tone === 'busy') return <LoaderCircle aria-hidden size={14} className="shrink-0 animate-spin text-accent" />;
  if (tone === 'warning') return <TriangleAlert aria-hidden size={14} className="shrink-0 text-warn" />;
  if (tone === 'error') return <CircleAlert aria-hidden size={14} className="shrink-0 text-danger" />;
  return null;
}

/** Links to the pages: a rail next to the page on a wide screen, a bar under it on a narrow one. */
export function Steps({ open, narrow, short = false }: { open: PageName; narrow: boolean; short?: boolean }) {
  const Step = narrow ? BarStep : RailStep;
  return (
    <nav aria-label={shell.steps}>
      <ol className={narrow ? 'grid grid-cols-6' : 'flex flex-col gap-0.5'}>
        {pages.map((page) => (
          <Step key={page.name} page={page} current={page.name === open} short={short} />
        ))}
      </ol>
    </nav>
  );
}

interface StepProps {
  page: Page;
  current: boolean;
  /** On a low window the bar shows icons alone. */
  short: boolean;
}

/** The link's name is the page's title alone; the state line describes it. The link covers the whole step. */
const cover = 'outline-none after:absolute after:inset-0 after:rounded-md';
const focus = 'has-focus-visible:outline-2 has-focus-visible:outline-accent has-focus-visible:-outline-offset-2';

function RailStep({ page, current }: StepProps) {
  const { name, title, icon: Icon } = page;
  const state = page.useStateLine();
  const stateId = useId();
  return (
    <li
      className={cx(
        'relative flex gap-3 rounded-md px-3 py-2',
        focus,
        current ? 'bg-surface shadow-[0_0_0_1px_var(--line)]' : 'text-muted hover:bg-hover hover:text-ink',
      )}
    >
      {current && <span aria-hidden className="absolute inset-y-2 left-0 w-0.5 rounded-full bg-accent" />}
      <Icon aria-hidden size={18} strokeWidth={1.75} className={cx('mt-px shrink-0', current && 'text-accent')} />
      <div className="min-w-0 flex-1">
        <a
          href={hashOf(name)}
          aria-current={current ? 'page' : undefined}
          aria-describedby={stateId}
          className={cx('block font-medium', current && 'forced-colors:underline', cover)}
        >
          {title}
        </a>
        <p id={stateId} className="flex items-center gap-1.5 text-[0.8125rem] leading-snug text-muted">
          <Mark tone={state.tone} />
          <span className="min-w-0 break-words">{state.text}</span>
        </p>
      </div>
    </li>
  );
}

function BarStep({ page, current, short: low }: StepProps) {
  const { name, title, short, icon: Icon } = page;
  const state = page.useStateLine();
  const stateId = useId();
  return (
    <li
      className={cx(
        'relative flex flex-col items-center justify-center gap-0.5 px-0.5',
        low ? 'min-h-11' : 'min-h-14',
        focus,
        current ? 'text-ink' : 'text-muted',
      )}
    >
      {current && <span aria-hidden className="absolute inset-x-4 top-0 h-0.5 rounded-full bg-accent" />}
      <span className="relative">
        <Icon aria-hidden size={20} strokeWidth={1.75} className={current ? 'text-accent' : undefined} />
        <span className="absolute -top-1 -right-3">
          <Mark tone={state.tone} />
        </span>
      </span>
      <a
        href={hashOf(name)}
        aria-current={current ? 'page' : undefined}
        aria-describedby={stateId}
        className={cx(
          low ? 'absolute inset-0 text-[0px]' : 'text-[0.6875rem] min-[22rem]:text-xs',
          'font-medium',
          current && 'forced-colors:underline',
          cover,
        )}
      >
        {short}
        {short !== title && <span className="sr-only">{title.slice(short.length)}</span>}
      </a>
      <span id={stateId} className="sr-only">
        {state.text}
      </span>
    </li>
  );
}
