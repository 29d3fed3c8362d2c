import { X } from 'lucide-react';
import { useEffect, useState } from 'react';
import { mixOf } from '../../../recipe/sections';
import { useBuiltins } from '../../../stores/builtins';
import { useData } from '../../../stores/data';
import { useRecipe } from '../../../stores/recipe';
import { useStorage } from '../../../stores/storage';
import { runActive, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { mixText as text } from '../../text/mix';
import { Button } from '../../ui/Button';
import { Input, Labelled, Select } from '../../ui/Field';
import { IconButton } from '../../ui/IconButton';
import { Panel } from '../../ui/Panel';
import { formatCount, formatShare } from '../../util/format';

/** Several datasets in one run: which, with what weights, and what an epoch then has of each. */
export function MixPanel() {
  const { source, mix } = useRecipe((state) => state.recipe.dataset);
  const set = useRecipe((state) => state.set);
  const sources = useData((state) => state.tokens?.stats.sources);
  const builtins = useBuiltins((state) => state.datasets);
  const report = useStorage((state) => state.report);
  const refresh = useStorage((state) => state.refresh);
  const training = useTraining(runActive);
  const why = training && common.runInProgress;
  useEffect(() => void refresh(), [refresh]);

  const kept = (report?.items ?? []).filter(({ kind }) => kind === 'dataset');
  const known = [
    ...kept.map(({ name }) => ({ value: `file:${name}`, label: name })),
    ...builtins.map(({ name, title }) => ({ value: `builtin:${name}`, label: title })),
  ];
  const titleOf = (one: string) => known.find(({ value }) => value === one)?.label ?? one.replace(/^[a-z]+:/, '');
  const parts = mixOf({ source, mix });
  const others = known.filter(({ value }) => !parts.some((part) => part.source === value));
  const epoch = sources?.reduce((sum, { perEpoch }) => sum + perEpoch, 0) ?? 0;
  const change = (next: Record<string, number>) =>
    set({ 'dataset.mix': Object.keys(next).length === 0 ? undefined : next });
  const without = (one: string) => Object.fromEntries(Object.entries(mix).filter(([other]) => other !== one));

  return (
    <Panel title={text.title} description={text.description}>
      <div className="space-y-3">
        {parts.length > 1 && (
          <div className="overflow-x-auto">
            <table aria-label={text.table} className="w-full text-left">
              <thead>
                <tr className="text-[0.8125rem] text-muted">
                  <th scope="col" className="py-1 pr-4 font-medium">
                    {text.columns.dataset}
                  </th>
                  <th scope="col" className="w-28 py-1 pr-4 font-medium">
                    {text.columns.weight}
                  </th>
                  {[text.columns.train, text.columns.epoch, text.columns.share, text.columns.held].map((column) => (
                    <th key={column} scope="col" className="py-1 pr-4 text-right font-medium">
                      {column}
                    </th>
                  ))}
                  <td className="w-10" />
                </tr>
              </thead>
              <tbody>
                {parts.map((part, i) => {
                  const counts = sources?.[i];
                  const name = titleOf(part.source);
                  return (
                    <tr key={part.source} className="border-t">
                      <th scope="row" className="min-w-32 py-1.5 pr-4 font-normal break-words">
                        {name}
                      </th>
                      <td className="py-1.5 pr-4">
                        <Weight
                          name={name}
                          value={part.weight}
                          disabled={training}
                          onChange={(weight) => change({ ...mix, [part.source]: weight })}
                        />
                      </td>
                      {[
                        counts && formatCount(counts.train),
                        counts && formatCount(counts.perEpoch),
                        counts && formatShare(counts.perEpoch / Math.max(1, epoch)),
                        counts && formatCount(counts.validation),
                      ].map((value, column) => (
                        // biome-ignore lint/suspicious/noArrayIndexKey: the columns never change places.
                        <td key={column} className="py-1.5 pr-4 text-right tabular-nums">
                          {value ?? common.noValue}
                        </td>
                      ))}
                      <td className="py-1.5">
                        {i > 0 && (
                          <IconButton
                            icon={X}
                            size="small"
                            label={text.remove(name)}
                            why={why}
                            onClick={() => {
                              const rest = without(part.source);
                              // A weight of one dataset alone would only repeat it.
                              change(parts.length === 2 ? {} : rest);
                            }}
                          />
                        )}
                      </td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        )}
        <div className="flex flex-wrap items-end gap-3">
          {others.length === 0 && parts.length === 1 ? (
            <p className="text-muted">{text.none}</p>
          ) : (
            <Labelled label={text.add} className="min-w-60">
              <Select
                value=""
                disabled={training || others.length === 0}
                options={[{ value: '', label: text.choose }, ...others]}
                onChange={({ target }) => {
                  if (target.value !== '') change({ ...mix, [target.value]: 1 });
                }}
              />
            </Labelled>
          )}
          {parts.length > 1 && (
            <Button why={why} onClick={() => change({})}>
              {text.alone}
            </Button>
          )}
        </div>
      </div>
    </Panel>
  );
}

/** A weight is taken over when it is left or confirmed: half a number is another number. */
function Weight({
  name,
  value,
  disabled,
  onChange,
}: {
  name: string;
  value: number;
  disabled: boolean;
  onChange: (weight: number) => void;
}) {
  const [typed, setTyped] = useState<string | null>(null);
  const number = Number((typed ?? '').replace(',', '.'));
  const wrong = typed !== null && !(number > 0 && number <= 100);
  const leave = () => {
    if (typed !== null && !wrong && number !== value) onChange(number);
    if (!wrong) setTyped(null);
  };
  return (
    <>
      <Input
        aria-label={text.weightOf(name)}
        aria-invalid={wrong || undefined}
        inputMode="decimal"
        disabled={disabled}
        value={typed ?? String(value)}
        onChange={({ target }) => setTyped(target.value)}
        onBlur={leave}
        onKeyDown={(event) => {
          if (event.key === 'Enter') leave();
          if (event.key === 'Escape') setTyped(null);
        }}
      />
      {wrong && (
        <p role="alert" className="mt-0.5 text-xs text-danger">
          {text.badWeight}
        </p>
      )}
    </>
  );
}
