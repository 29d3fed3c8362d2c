import { LoaderCircle } from 'lucide-react';
import { type KeyboardEvent, useEffect, useId, useRef } from 'react';
import type { Verdict } from '../../../session/comparison-types';
import { useFields } from '../../../stores/select';
import { useVotes } from '../../../stores/votes';
import { votesText as text } from '../../text/votes';
import { Button } from '../../ui/Button';

type Place = 'left' | 'right' | 'both_good' | 'both_bad';

const KEYS: Record<string, Place | 'skip' | 'undo'> = {
  ArrowLeft: 'left',
  '1': 'left',
  ArrowRight: 'right',
  '2': 'right',
  ArrowUp: 'both_good',
  ArrowDown: 'both_bad',
  s: 'skip',
  S: 'skip',
  Backspace: 'undo',
};

/** Two answers side by side, and a key for each verdict. */
export function Ballot() {
  const { pair, vote, skip, undo, undoable } = useVotes(useFields('pair', 'vote', 'skip', 'undo', 'undoable'));
  const box = useRef<HTMLFieldSetElement>(null);
  const id = useId();
  // The keys work at once, and after each vote.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new pair is what moves the focus.
  useEffect(() => {
    const on = document.activeElement;
    // From the button that began it, but not from a field that somebody is typing into.
    const typing = on?.matches('input, textarea, select') ?? false;
    const here = !on || on === document.body || (!typing && on.closest('#votes') !== null);
    if (here && !box.current?.contains(on)) box.current?.focus({ preventScroll: true });
  }, [pair]);

  const verdictOf = (place: Place): Verdict =>
    place === 'both_good' || place === 'both_bad' ? place : (place === 'left') === pair?.swapped ? 'b' : 'a';
  const press = (event: KeyboardEvent) => {
    // A key that is held down would vote on pairs that nobody has read.
    if (event.repeat || event.altKey || event.ctrlKey || event.metaKey) return;
    const what = KEYS[event.key];
    if (what === undefined) return;
    event.preventDefault();
    if (what === 'skip') skip();
    else if (what === 'undo') undo();
    else if (pair) vote(verdictOf(what));
  };
  const shown = pair && (pair.swapped ? [pair.b, pair.a] : [pair.a, pair.b]);
  return (
    <fieldset
      ref={box}
      tabIndex={-1}
      aria-label={text.answers}
      aria-busy={pair === null}
      onKeyDown={press}
      className="space-y-3 rounded-lg border bg-sunken p-3 outline-offset-2 focus:outline-2 focus:outline-accent"
    >
      <div aria-live="polite" className="space-y-3">
        {pair && shown ? (
          <>
            <p className="whitespace-pre-wrap break-words">
              <span className="text-muted">{text.prompt}: </span>
              {pair.prompt.text}
            </p>
            <div className="grid gap-3 sm:grid-cols-2">
              {shown.map((one, i) => (
                <article
                  key={i === 0 ? 'left' : 'right'}
                  aria-labelledby={`${id}-${i}`}
                  className="rounded-md border bg-surface"
                >
                  <h3 id={`${id}-${i}`} className="border-b px-3 py-1.5 text-[0.8125rem] font-medium text-muted">
                    {i === 0 ? text.left : text.right}
                  </h3>
                  <p className="max-h-80 overflow-y-auto px-3 py-2.5 text-[0.9375rem] leading-relaxed break-words whitespace-pre-wrap">
                    {one.text === '' ? <span className="text-muted">{text.empty}</span> : one.text}
                  </p>
                </article>
              ))}
            </div>
          </>
        ) : (
          <p className="flex min-h-24 items-center gap-2 text-muted">
            <LoaderCircle aria-hidden size={16} className="animate-spin text-accent" /> {text.writing}
          </p>
        )}
      </div>
      <div className="flex flex-wrap gap-2">
        {(['left', 'right', 'both_good', 'both_bad'] as const).map((place) => (
          <Button key={place} why={!pair && text.writing} onClick={() => vote(verdictOf(place))}>
            {text.votes[place]} <Key>{text.keys[place]}</Key>
          </Button>
        ))}
        <Button variant="quiet" why={!pair && text.writing} onClick={skip}>
          {text.skip} <Key>{text.keys.skip}</Key>
        </Button>
        {undoable && (
          <Button variant="quiet" onClick={undo}>
            {text.undo} <Key>{text.keys.undo}</Key>
          </Button>
        )}
      </div>
    </fieldset>
  );
}

const Key = ({ children }: { children: string }) => (
  <kbd
    aria-hidden
    className="rounded border border-edge/60 bg-sunken px-1.5 font-sans text-xs text-muted max-sm:hidden"
  >
    {children}
  </kbd>
);
