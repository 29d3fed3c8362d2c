import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useMemo, useState } from 'react';
import type { TokenView } from '../../../data/types';
import { useData } from '../../../stores/data';
import { modelReady, useModel } from '../../../stores/model';
import { useFields } from '../../../stores/select';
import { tokenText as text } from '../../text/data';
import { IconButton } from '../../ui/IconButton';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { Segmented } from '../../ui/Segmented';
import { cx } from '../../util/cx';
import { formatPlural } from '../../util/format';

type TokenState = 'trained' | 'masked' | 'cut';
type Token = TokenView['tokens'][number];

const stateOf = (token: Token): TokenState => (token.cut ? 'cut' : token.trained ? 'trained' : 'masked');

/** Distinguished by more than colour: underlined, plain, struck through. */
const looks: Record<TokenState, string> = {
  trained: 'bg-accent-soft text-ink decoration-accent decoration-2 underline underline-offset-4',
  masked: 'text-muted',
  cut: 'text-danger line-through',
};

/** Consecutive tokens of one state, so that a screen reader says the state once and reads the text as text. */
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

/** The selected example as the model reads it: rendered by the chat template, tokenised, and marked by loss mask. */
export function TokenPanel() {
  const { view, viewError, row, dataset, selectRow } = useData(
    useFields('view', 'viewError', 'row', 'dataset', 'selectRow'),
  );
  const ready = useModel(modelReady);
  const [shown, setShown] = useState<'tokens' | 'text'>('tokens');
  const runs = useMemo(() => runsOf(view?.tokens ?? []), [view]);
  const examples = dataset?.examples ?? [];
  const index = examples.findIndex((example) => example.row === row);
  const counts = { trained: 0, masked: 0, cut: 0 };
  for (const token of view?.tokens ?? []) counts[stateOf(token)]++;
  return (
    <Panel
      title={row === null ? text.title : text.titleOf(row)}
      aside={
        <>
          <IconButton
            icon={ChevronLeft}
            label={text.previous}
            size="small"
            why={index <= 0 && text.isFirst}
            onClick={() => selectRow(examples[index - 1]?.row ?? null)}
          />
          <IconButton
            icon={ChevronRight}
            label={text.next}
            size="small"
            why={index >= examples.length - 1 && text.isLast}
            onClick={() => selectRow(examples[index + 1]?.row ?? null)}
          />
          <Segmented
            label={text.showAs}
            value={shown}
            onChange={setShown}
            options={[
              { value: 'tokens', label: text.tokens },
              { value: 'text', label: text.text },
            ]}
          />
        </>
      }
    >
      {viewError && <ErrorNotice error={viewError} />}
      {!view && !viewError && <p className="text-muted">{ready ? text.tokenising : text.needsModel}</p>}
      {view && (
        <>
          <ul aria-label={text.legend} className="mb-2 flex flex-wrap gap-x-5 gap-y-1 text-[0.8125rem]">
            {view.label === undefined && (
              <li>
                <span className={looks.trained}>{text.states.trained}</span> {formatPlural(counts.trained, 'token')}
              </li>
            )}
            <li>
              <span className={looks.masked}>{text.states.masked}</span> {formatPlural(counts.masked, 'token')}
            </li>
            {view.label !== undefined && (
              <li>
                <span className="text-muted">{text.label}</span> <span className="font-semibold">{view.label}</span>
              </li>
            )}
            {counts.cut > 0 && (
              <li>
                <span className={looks.cut}>{text.states.cut}</span> {formatPlural(counts.cut, 'token')}
              </li>
            )}
          </ul>
          {/* biome-ignore lint/a11y/useSemanticElements: a fieldset groups controls, and this is text. */}
          <div
            // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
            tabIndex={0}
            role="group"
            aria-label={shown === 'tokens' ? text.tokensLabel : text.textLabel}
            className="max-h-72 overflow-auto rounded-md border bg-canvas p-3 font-mono text-[0.8125rem] leading-7 break-words whitespace-pre-wrap"
          >
            {shown === 'text'
              ? view.rendered
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
        </>
      )}
    </Panel>
  );
}
