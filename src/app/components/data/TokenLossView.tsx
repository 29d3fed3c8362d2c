import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import type { ErrorData } from '../../../base/errors';
import type { TokenView } from '../../../data/types';
import type { TokenLosses } from '../../../session/api';
import { toErrorData } from '../../../stores/errors';
import { useRecipe } from '../../../stores/recipe';
import { getSession } from '../../../stores/session';
import { lossText as text } from '../../text/checks';
import { ErrorNotice } from '../../ui/Notice';
import { Segmented } from '../../ui/Segmented';
import { cx } from '../../util/cx';
import { formatCount, formatMetric } from '../../util/format';

type Side = 'base' | 'tuned' | 'change';

/** Rows of the table; long texts have thousands of tokens. */
const most = 200;
/** A loss of this many nats fills the bar: a chance of one in 3000. */
const FULL = 8;

const shown = (loss: number | undefined) => (loss === undefined || Number.isNaN(loss) ? text.none : formatMetric(loss));

function meanOf(losses: Float32Array, learned: readonly number[]): number {
  return learned.reduce((sum, i) => sum + losses[i]!, 0) / learned.length;
}

/** The loss of each token of the selected example: a bar under it, and its number when it has the focus. */
export function TokenLossView({ view }: { view: TokenView }) {
  const recipe = useRecipe((state) => state.recipe);
  const [losses, setLosses] = useState<TokenLosses | null>(null);
  const [error, setError] = useState<ErrorData | null>(null);
  const [side, setSide] = useState<Side>('tuned');
  const [at, setAt] = useState(0);
  const group = useRef<HTMLDivElement>(null);

  useEffect(() => {
    let current = true;
    setLosses(null);
    setError(null);
    setAt(0);
    getSession()
      .tokenLosses(recipe, view.row)
      .then(
        (found) => current && setLosses(found),
        (cause: unknown) => current && setError(toErrorData(cause, text.failed)),
      );
    return () => {
      current = false;
    };
  }, [recipe, view]);

  const learned = useMemo(() => view.tokens.flatMap(({ trained, cut }, i) => (trained && !cut ? [i] : [])), [view]);
  if (error) return <ErrorNotice error={error} />;
  if (!losses) {
    return (
      <p role="status" className="text-muted">
        {text.measuring}
      </p>
    );
  }
  const { base, tuned } = losses;
  const which = tuned === null ? 'base' : side;
  const lossAt = (i: number) =>
    which === 'base' || !tuned
      ? base[i]
      : which === 'tuned'
        ? tuned[i]
        : (tuned[i] ?? Number.NaN) - (base[i] ?? Number.NaN);
  const means = learned.filter((i) => i < base.length && i > 0);

  function onKeyDown(event: KeyboardEvent) {
    const last = view.tokens.length - 1;
    const moves: Record<string, number> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: last };
    const next = moves[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const to = Math.min(last, Math.max(0, next));
    setAt(to);
    group.current?.querySelector<HTMLElement>(`[data-token="${to}"]`)?.focus();
  }

  const told = view.tokens[at];
  return (
    <div className="space-y-2">
      <div className="flex flex-wrap items-center gap-x-5 gap-y-1">
        {tuned && (
          <Segmented
            label={text.which}
            value={side}
            onChange={setSide}
            options={[
              { value: 'tuned', label: text.tuned },
              { value: 'base', label: text.base },
              { value: 'change', label: text.change },
            ]}
          />
        )}
        {means.length > 0 && (
          <p>
            {text.mean(text.base, formatMetric(meanOf(base, means)))}
            {tuned && `; ${text.mean(text.tuned, formatMetric(meanOf(tuned, means)))}`}
          </p>
        )}
      </div>
      <p className="text-[0.8125rem] text-muted">{tuned ? text.hint : `${text.hint} ${text.noAdapter}`}</p>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset groups controls, and this is text. */}
      <div
        ref={group}
        role="group"
        aria-label={text.tokens}
        onKeyDown={onKeyDown}
        className="max-h-72 overflow-auto rounded-md border bg-canvas p-3 font-mono text-[0.8125rem] leading-8 break-words whitespace-pre-wrap"
      >
        {view.tokens.map((token, i) => (
          <LossToken
            // biome-ignore lint/suspicious/noArrayIndexKey: the tokens of one view never change places.
            key={i}
            at={i}
            token={token}
            value={lossAt(i)}
            label={text.token(token.text, shown(base[i]), tuned && shown(tuned[i]))}
            tabStop={i === at}
            onFocus={() => setAt(i)}
          />
        ))}
      </div>
      {told && (
        <p aria-hidden className="tabular-nums">
          {text.token(JSON.stringify(told.text), shown(base[at]), tuned && shown(tuned[at]))}
        </p>
      )}
      <details className="text-[0.8125rem]">
        <summary className="inline-block py-0.5 text-muted underline underline-offset-2">{text.table}</summary>
        <table className="mt-1 text-left">
          <thead>
            <tr className="text-muted">
              {[
                text.columns.token,
                text.columns.learned,
                text.columns.base,
                ...(tuned ? [text.columns.tuned] : []),
              ].map((name) => (
                <th key={name} scope="col" className="pr-6 font-medium">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {view.tokens.slice(0, most).map((token, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: as above.
              <tr key={i}>
                <td className="pr-6 font-mono whitespace-pre-wrap">{JSON.stringify(token.text)}</td>
                <td className="pr-6">{token.trained ? text.yes : text.no}</td>
                <td className="pr-6 tabular-nums">{shown(base[i])}</td>
                {tuned && <td className="tabular-nums">{shown(tuned[i])}</td>}
              </tr>
            ))}
          </tbody>
        </table>
        {view.tokens.length > most && (
          <p className="text-muted">{text.further(formatCount(view.tokens.length - most))}</p>
        )}
      </details>
    </div>
  );
}

function LossToken({
  at,
  token,
  value,
  label,
  tabStop,
  onFocus,
}: {
  at: number;
  token: TokenView['tokens'][number];
  value: number | undefined;
  label: string;
  tabStop: boolean;
  onFocus: () => void;
}) {
  const known = value !== undefined && !Number.isNaN(value);
  const share = known ? Math.min(1, Math.abs(value) / FULL) : 0;
  const tone = known && value < 0 ? 'var(--series-1)' : 'var(--series-2)';
  return (
    // The height of the bar says what its colour says.
    <button
      type="button"
      data-token={at}
      tabIndex={tabStop ? 0 : -1}
      aria-label={label}
      title={label}
      onFocus={onFocus}
      onClick={onFocus}
      style={{
        backgroundImage: `linear-gradient(to top, color-mix(in srgb, ${tone} 45%, transparent) ${share * 100}%, transparent 0)`,
      }}
      className={cx(
        'inline rounded-[2px] px-px text-left whitespace-pre-wrap shadow-[inset_1px_0_0_var(--line)] focus-visible:outline-2 focus-visible:outline-accent',
        !known && 'text-muted',
        token.trained && !token.cut && 'underline decoration-accent decoration-2 underline-offset-4',
      )}
    >
      {token.text.replace(/\n/g, '↵\n')}
    </button>
  );
}
