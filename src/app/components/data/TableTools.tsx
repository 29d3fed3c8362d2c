import { X } from 'lucide-react';
import { useEffect, useId, useState } from 'react';
import type { ParsedDataset } from '../../../data/types';
import { useData } from '../../../stores/data';
import { useEdits } from '../../../stores/edits';
import type { Finding } from '../../../stores/findings';
import { useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import { everything, type Query, useTable } from '../../../stores/table';
import { runActive, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { tableToolsText as text } from '../../text/data';
import { Button } from '../../ui/Button';
import { Input, Labelled, Select } from '../../ui/Field';
import { ProgressBar } from '../../ui/Progress';
import { formatCount, formatPlural } from '../../util/format';

/** Labels that the menu lists; more are found by searching. */
const mostLabels = 200;
const settleMs = 200;

interface Props {
  dataset: ParsedDataset;
  findings: readonly Finding[];
}

/** What the table shows: a search, filters, an order and a sample, which a run can be restricted to. */
export function TableTools({ dataset, findings }: Props) {
  const { query, order, balance, progress, ask, cancel } = useTable(
    useFields('query', 'order', 'balance', 'progress', 'ask', 'cancel'),
  );
  const all = dataset.examples.length;
  const waiting = useData((state) => state.tokens === null) && text.waiting;
  const shown = order?.length ?? all;
  const withRows = findings.filter(({ rows }) => rows.length > 0);
  const changed = JSON.stringify(query) !== JSON.stringify(everything);
  return (
    <section aria-label={text.label} className="space-y-3 border-t px-4 py-3">
      <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-4">
        <Search key={dataset.name} value={query.text} onSearch={(wanted) => ask({ text: wanted })} />
        {withRows.length > 0 && (
          <Labelled label={text.finding}>
            <Select
              value={query.finding ?? ''}
              options={[
                { value: '', label: text.any },
                ...withRows.map(({ kind, sentence }) => ({ value: kind, label: sentence })),
              ]}
              onChange={({ target }) => {
                const found = withRows.find(({ kind }) => kind === target.value);
                ask({ finding: found?.kind ?? null }, found?.rows ?? []);
              }}
            />
          </Labelled>
        )}
        {balance && balance.labels.length > 1 && (
          <Labelled label={text.byLabel}>
            <Select
              value={query.label ?? ''}
              options={[
                { value: '', label: text.any },
                ...balance.labels.slice(0, mostLabels).map(({ label, count }) => ({
                  value: label,
                  label: text.labelOption(label, formatCount(count)),
                })),
              ]}
              onChange={({ target }) => ask({ label: target.value || null })}
            />
          </Labelled>
        )}
        <Labelled label={text.side} hint={query.side !== null && waiting}>
          <Select
            value={query.side ?? ''}
            options={text.sides}
            onChange={({ target }) => ask({ side: (target.value || null) as Query['side'] })}
          />
        </Labelled>
        <Labelled label={text.order} hint={query.sort === 'tokens' && waiting}>
          <Select
            value={`${query.sort}${query.down ? ' down' : ''}`}
            options={balance ? [...text.orders, ...text.labelOrders] : text.orders}
            onChange={({ target }) => {
              const [sort, down] = target.value.split(' ');
              ask({ sort: sort as Query['sort'], down: down !== undefined });
            }}
          />
        </Labelled>
      </div>
      <Sample all={all} />
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <p role="status" className="min-w-40 flex-1">
          {progress === null ? text.shown(formatCount(shown), formatPlural(all, 'example')) : text.looking}
        </p>
        {progress !== null && (
          <>
            <div className="w-40">
              <ProgressBar label={text.looking} value={progress} />
            </div>
            <Button size="small" onClick={cancel}>
              {common.cancel}
            </Button>
          </>
        )}
        {progress === null && changed && (
          <Button size="small" onClick={cancel}>
            <X aria-hidden size={14} />
            {text.showAll}
          </Button>
        )}
      </div>
    </section>
  );
}

/** Looks once the typing has paused. */
function Search({ value, onSearch }: { value: string; onSearch: (text: string) => void }) {
  const [draft, setDraft] = useState(value);
  // “Show all” empties it from outside.
  useEffect(() => setDraft(value), [value]);
  useEffect(() => {
    if (draft === value) return;
    const timer = setTimeout(() => onSearch(draft), settleMs);
    return () => clearTimeout(timer);
  }, [draft, value, onSearch]);
  return (
    <Labelled label={text.search}>
      <Input type="search" value={draft} onChange={({ target }) => setDraft(target.value)} />
    </Labelled>
  );
}

/** So many at random, to look at and to train on. */
function Sample({ all }: { all: number }) {
  const { query, ask } = useTable(useFields('query', 'ask'));
  const { max_samples } = useRecipe((state) => state.recipe.dataset);
  const seed = useRecipe((state) => state.recipe.training.seed);
  const set = useEdits((state) => state.set);
  const training = useTraining(runActive) && common.runInProgress;
  const [count, setCount] = useState('');
  const [drawnWith, setDrawnWith] = useState('');
  const id = useId();
  const wanted = Number(count);
  const chosenSeed = drawnWith === '' ? seed : Number(drawnWith);
  const wrong =
    !Number.isInteger(wanted) || wanted < 1 || wanted > all
      ? text.sampleRange(formatCount(all))
      : !Number.isInteger(chosenSeed) || chosenSeed < 0
        ? text.seedRange
        : null;
  const { sample } = query;
  return (
    <div className="flex flex-wrap items-end gap-3">
      <form
        aria-labelledby={id}
        className="flex flex-wrap items-end gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (!wrong) ask({ sample: { count: wanted, seed: chosenSeed } });
        }}
      >
        <span id={id} className="sr-only">
          {text.sample}
        </span>
        <Labelled label={text.sampleOf} className="w-32">
          <Input
            inputMode="numeric"
            value={count}
            placeholder={text.sampleExample}
            onChange={({ target }) => setCount(target.value.trim())}
          />
        </Labelled>
        <Labelled label={text.seed} className="w-24">
          <Input
            inputMode="numeric"
            value={drawnWith}
            placeholder={String(seed)}
            onChange={({ target }) => setDrawnWith(target.value.trim())}
          />
        </Labelled>
        <Button type="submit" why={wrong}>
          {text.showSample}
        </Button>
      </form>
      {sample && (max_samples !== sample.count || seed !== sample.seed) && (
        <Button
          why={training}
          onClick={() =>
            set(
              { 'dataset.max_samples': sample.count, ...(sample.seed !== seed && { 'training.seed': sample.seed }) },
              text.trainOnly(formatPlural(sample.count, 'example')),
            )
          }
        >
          {text.trainOnly(formatPlural(sample.count, 'example'))}
        </Button>
      )}
      {max_samples !== null && max_samples < all && (
        <div className="flex flex-wrap items-center gap-2">
          <p>{text.restricted(formatCount(max_samples), formatPlural(all, 'example'))}</p>
          <Button size="small" why={training} onClick={() => set({ 'dataset.max_samples': undefined }, text.trainAll)}>
            {text.trainAll}
          </Button>
        </div>
      )}
    </div>
  );
}
