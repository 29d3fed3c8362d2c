import { useMemo } from 'react';
import type { ShownToken } from '../../../data/types';
import { tokenText as text } from '../../text/data';
import { cx } from '../../util/cx';

export type TokenState = 'trained' | 'masked' | 'cut';

export const stateOf = (token: ShownToken): TokenState => (token.cut ? 'cut' : token.trained ? 'trained' : 'masked');

/** Distinguished by more than colour: underlined, plain, struck through. */
export const looks: Record<TokenState, string> = {
  trained: 'bg-accent-soft text-ink decoration-accent decoration-2 underline underline-offset-4',
  masked: 'text-muted',
  cut: 'text-danger line-through',
};

/** Consecutive tokens of one state, so that a screen reader says the state once and reads the text as text. */
function runsOf(tokens: ShownToken[]): { state: TokenState; tokens: ShownToken[] }[] {
  const runs: { state: TokenState; tokens: ShownToken[] }[] = [];
  for (const token of tokens) {
    const state = stateOf(token);
    const last = runs.at(-1);
    if (last?.state === state) last.tokens.push(token);
    else runs.push({ state, tokens: [token] });
  }
  return runs;
}

function TokenText({ token }: { token: ShownToken }) {
  const parts = token.text.split('\n');
  return parts.map((part, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one token never change places.
    <span key={i}>
      {i > 0 && (
        <>
          <span aria-hidden className="text-muted">
            ↵
          </span>
          {'\n'}
        </>
      )}
      {part}
    </span>
  ));
}

/** Tokens marked by whether they are trained on, or the text that they were made of. */
export function TokenSequence({
  label,
  rendered,
  tokens: all,
  shown,
}: {
  label: string;
  rendered: string;
  tokens: ShownToken[];
  shown: 'tokens' | 'text';
}) {
  const runs = useMemo(() => runsOf(all), [all]);
  return (
    /* biome-ignore lint/a11y/useSemanticElements: a fieldset groups controls, and this is text. */
    <div
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
      tabIndex={0}
      role="group"
      aria-label={label}
      className="max-h-72 overflow-auto rounded-md border bg-canvas p-3 font-mono text-[0.8125rem] leading-7 break-words whitespace-pre-wrap"
    >
      {shown === 'text'
        ? rendered
        : runs.map(({ state, tokens }, r) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the runs of one view never change places.
            <span key={r}>
              <span className="sr-only">{text.states[state]}: </span>
              {tokens.map((token, i) => (
                <span
                  // biome-ignore lint/suspicious/noArrayIndexKey: as above.
                  key={i}
                  title={text.token(token.id, token.tag ?? text.states[state].toLowerCase())}
                  className={cx('rounded-[2px] shadow-[inset_1px_0_0_var(--line)]', looks[state])}
                >
                  <TokenText token={token} />
                  {token.tag !== undefined && token.tag !== 'O' && (
                    <span className="ml-0.5 rounded bg-accent px-1 text-[0.6875rem] font-semibold text-on-accent">
                      {token.tag}
                    </span>
                  )}
                </span>
              ))}
            </span>
          ))}
    </div>
  );
}
