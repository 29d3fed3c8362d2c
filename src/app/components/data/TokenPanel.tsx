import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useState } from 'react';
import type { TokenView } from '../../../data/types';
import { useData } from '../../../stores/data';
import { modelReady, useModel } from '../../../stores/model';
import { useFields } from '../../../stores/select';
import { lossText } from '../../text/checks';
import { tokenText as text } from '../../text/data';
import { IconButton } from '../../ui/IconButton';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { Segmented } from '../../ui/Segmented';
import { formatPlural } from '../../util/format';
import { TokenLossView } from './TokenLossView';
import { looks, stateOf, TokenSequence } from './TokenSequence';

/** The selected example as the model reads it: rendered by the chat template, tokenised, and marked by loss mask. */
export function TokenPanel() {
  const { view, viewError, row, dataset, selectRow } = useData(
    useFields('view', 'viewError', 'row', 'dataset', 'selectRow'),
  );
  const ready = useModel(modelReady);
  const [shown, setShown] = useState<'tokens' | 'text' | 'loss'>('tokens');
  const examples = dataset?.examples ?? [];
  const index = examples.findIndex((example) => example.row === row);
  const counts = { trained: 0, masked: 0, cut: 0 };
  for (const token of [...(view?.tokens ?? []), ...(view?.rejected?.tokens ?? [])]) counts[stateOf(token)]++;
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
              // A loss for each token is what the next-token objectives have; labels of whole texts have one each.
              ...(view && view.label === undefined && !view.rejected && counts.trained > 0
                ? [{ value: 'loss' as const, label: lossText.label }]
                : []),
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
            {(view.label === undefined || counts.trained > 0) && (
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
          {shown === 'loss' ? <TokenLossView view={view} /> : <Sequences view={view} shown={shown} />}
        </>
      )}
    </Panel>
  );
}

/** One sequence, or the two of a pair of answers: side by side where there is room. */
function Sequences({ view, shown }: { view: TokenView; shown: 'tokens' | 'text' }) {
  const label = shown === 'tokens' ? text.tokensLabel : text.textLabel;
  if (!view.rejected) return <TokenSequence label={label} {...view} shown={shown} />;
  const sides = [
    { name: text.withBetter, rendered: view.rendered, tokens: view.tokens },
    { name: text.withWorse, ...view.rejected },
  ];
  return (
    <div className="grid gap-3 md:grid-cols-2">
      {sides.map(({ name, rendered, tokens }) => (
        <div key={name} className="min-w-0">
          <h3 className="mb-1 text-[0.8125rem] font-medium">
            {name} <span className="font-normal text-muted">{formatPlural(tokens.length, 'token')}</span>
          </h3>
          <TokenSequence label={`${name}: ${label}`} rendered={rendered} tokens={tokens} shown={shown} />
        </div>
      ))}
    </div>
  );
}
