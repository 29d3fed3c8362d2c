import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useMemo, useState } from 'react';
import type { TokenView } from '../../../data/types';
import { useData } from '../../../stores/data';
import { useModel } from '../../../stores/model';
import { IconButton } from '../../ui/IconButton';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { Segmented } from '../../ui/Segmented';
import { cx } from '../../util/cx';
import { formatPlural } from '../../util/format';

type TokenState = 'trained' | 'masked' | 'cut';
type Token = TokenView['tokens'][number];

const stateOf = (token: Token): TokenState => (token.cut ? 'cut' : token.trained ? 'trained' : 'masked');

/** Told apart by more than colour: a solid underline, none, a line through. */
const looks: Record<TokenState, string> = {
  trained: 'bg-accent-soft text-ink decoration-accent decoration-2 underline underline-offset-4',
  masked: 'text-muted',
  cut: 'text-danger line-through',
};
const words: Record<TokenState, string> = { trained: 'Learned', masked: 'Read only', cut: 'Cut off' };

/** Tokens in runs of one state, so that a screen reader hears the state once and the text as text. */
function runsOf(tokens: Token[]): { state: TokenState; tokens: Token[] }[] {
  const runs: { state: TokenState; tokens: Token[] }[] = [];
  for (const token of tokens) {
    const state = stateOf(token);
    const last = runs.at(-1);
    if (last?.state === state) last.tokens.push(token);
    else runs.push({ state, tokens: [token] });
  }
  return runs;
}

function TokenText({ token }: { token: Token }) {
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

/** The chosen example as the model reads it: rendered by the chat template, cut into tokens, marked by what is learned. */
export function TokenPanel() {
  const { view, viewError, row, dataset, selectRow } = useData();
  const ready = useModel((state) => state.status === 'ready');
  const [shown, setShown] = useState<'tokens' | 'text'>('tokens');
  const runs = useMemo(() => runsOf(view?.tokens ?? []), [view]);
  const examples = dataset?.examples ?? [];
  const index = examples.findIndex((example) => example.row === row);
  const counts = { trained: 0, masked: 0, cut: 0 };
  for (const token of view?.tokens ?? []) counts[stateOf(token)]++;
  return (
    <Panel
      title={row === null ? 'As the model reads it' : `Row ${row}, as the model reads it`}
      aside={
        <>
          <IconButton
            icon={ChevronLeft}
            label="Previous example"
            size="small"
            why={index <= 0 && 'This is the first example.'}
            onClick={() => selectRow(examples[index - 1]?.row ?? null)}
          />
          <IconButton
            icon={ChevronRight}
            label="Next example"
            size="small"
            why={index >= examples.length - 1 && 'This is the last example.'}
            onClick={() => selectRow(examples[index + 1]?.row ?? null)}
          />
          <Segmented
            label="Show as"
            value={shown}
            onChange={setShown}
            options={[
              { value: 'tokens', label: 'Tokens' },
              { value: 'text', label: 'Text' },
            ]}
          />
        </>
      }
    >
      {viewError && <ErrorNotice error={viewError} />}
      {!view && !viewError && (
        <p className="text-muted">
          {ready
            ? 'Cutting the example into tokens.'
            : 'Shown as soon as the model is open: its tokenizer cuts the text.'}
        </p>
      )}
      {view && (
        <>
          <ul aria-label="Legend" className="mb-2 flex flex-wrap gap-x-5 gap-y-1 text-[0.8125rem]">
            {view.label === undefined && (
              <li>
                <span className={looks.trained}>Learned</span> {formatPlural(counts.trained, 'token')}
              </li>
            )}
            <li>
              <span className={looks.masked}>Read only</span> {formatPlural(counts.masked, 'token')}
            </li>
            {view.label !== undefined && (
              <li>
                <span className="text-muted">Label</span> <span className="font-semibold">{view.label}</span>
              </li>
            )}
            {counts.cut > 0 && (
              <li>
                <span className={looks.cut}>Cut off</span> {formatPlural(counts.cut, 'token')}
              </li>
            )}
          </ul>
          {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for controls, and these are words. */}
          <div
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
            tabIndex={0}
            role="group"
            aria-label={shown === 'tokens' ? 'Tokens of the example' : 'Rendered text of the example'}
            className="max-h-72 overflow-auto rounded-md border bg-canvas p-3 font-mono text-[0.8125rem] leading-7 break-words whitespace-pre-wrap"
          >
            {shown === 'text'
              ? view.rendered
              : runs.map(({ state, tokens }, r) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: the runs of one view never change places.
                  <span key={r}>
                    <span className="sr-only">{words[state]}: </span>
                    {tokens.map((token, i) => (
                      <span
                        // biome-ignore lint/suspicious/noArrayIndexKey: as above.
                        key={i}
                        title={`Token ${token.id}: ${token.tag ?? words[state].toLowerCase()}`}
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
        </>
      )}
    </Panel>
  );
}
