import { CircleAlert, LoaderCircle, TriangleAlert } from 'lucide-react';
import { useId } from 'react';
import type { PlaceName } from '../../../stores/blockers';
import { cx } from '../../util/cx';
import { places } from '../../util/places';
import { hashOf } from '../../util/route';
import { type StepState, useStepStates } from './useStepStates';

function Mark({ tone }: { tone: StepState['tone'] }) {
  if (tone === 'busy') return <LoaderCircle aria-hidden size={14} className="shrink-0 animate-spin text-accent" />;
  if (tone === 'warning') return <TriangleAlert aria-hidden size={14} className="shrink-0 text-warn" />;
  if (tone === 'error') return <CircleAlert aria-hidden size={14} className="shrink-0 text-danger" />;
  return null;
}

/** The five places: a rail beside the page on a wide screen, a bar under it on a narrow one. */
export function Steps({ open, narrow }: { open: PlaceName; narrow: boolean }) {
  const states = useStepStates();
  const id = useId();
  return (
    <nav aria-label="Steps">
      <ol className={narrow ? 'grid grid-cols-5' : 'flex flex-col gap-0.5'}>
        {places.map(({ name, title, short, icon: Icon }) => {
          const current = name === open;
          const state = states[name];
          return (
            <li key={name} className="min-w-0">
              <a
                href={hashOf(name)}
                aria-current={current ? 'page' : undefined}
                aria-labelledby={`${id}-${name}`}
                aria-describedby={`${id}-${name}-state`}
                className={cx(
                  'group relative flex rounded-md',
                  narrow ? 'min-h-14 flex-col items-center justify-center gap-0.5 px-0.5' : 'gap-3 px-3 py-2',
                  current ? 'bg-surface text-ink' : 'text-muted hover:bg-hover hover:text-ink',
                  current && !narrow && 'shadow-[0_0_0_1px_var(--line)]',
                )}
              >
                {current && (
                  <span
                    aria-hidden
                    className={cx(
                      'absolute rounded-full bg-accent',
                      narrow ? 'inset-x-3 top-0 h-0.5' : 'inset-y-2 left-0 w-0.5',
                    )}
                  />
                )}
                <Icon
                  aria-hidden
                  size={narrow ? 20 : 18}
                  strokeWidth={1.75}
                  className={cx('shrink-0', !narrow && 'mt-px', current && 'text-accent')}
                />
                <span className={cx('min-w-0', narrow ? 'max-w-full text-center' : 'flex-1')}>
                  <span id={`${id}-${name}`} className={cx('block truncate font-medium', narrow && 'text-xs')}>
                    {narrow && short !== title ? (
                      <>
                        <span aria-hidden>{short}</span>
                        <span className="sr-only">{title}</span>
                      </>
                    ) : (
                      title
                    )}
                  </span>
                  <span
                    id={`${id}-${name}-state`}
                    className={cx(
                      narrow ? 'sr-only' : 'flex items-center gap-1.5 text-[0.8125rem] leading-snug text-muted',
                    )}
                  >
                    <Mark tone={state.tone} />
                    <span className="min-w-0 break-words">{state.text}</span>
                  </span>
                </span>
                {narrow && (state.tone === 'error' || state.tone === 'warning' || state.tone === 'busy') && (
                  <span aria-hidden className="absolute top-1.5 right-1/2 translate-x-5">
                    <Mark tone={state.tone} />
                  </span>
                )}
              </a>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
