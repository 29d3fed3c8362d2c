import { useEffect, useRef, useState } from 'react';
import type { ErrorData } from '../../../base/errors';
import { type Augmentation, type AugmentOptions, augmentations } from '../../../data/augment';
import type { ParsedDataset } from '../../../data/types';
import { readAsDetected } from '../../../recipe/sections';
import { useData } from '../../../stores/data';
import { toErrorData } from '../../../stores/errors';
import { useRecipe } from '../../../stores/recipe';
import { getSession } from '../../../stores/session';
import { runActive, useTraining } from '../../../stores/training';
import { augmentText as text } from '../../text/augment';
import { common } from '../../text/common';
import { Button } from '../../ui/Button';
import { Input, Labelled } from '../../ui/Field';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { ProgressBar } from '../../ui/Progress';
import { formatPlural } from '../../util/format';

/** Examples of which the preview shows what is made. */
const previewed = 5;

type Preview = Awaited<ReturnType<ReturnType<typeof getSession>['augmentPreview']>>;

const within = (typed: string, least: number, most: number, otherwise: number) => {
  const value = Number(typed);
  return typed.trim() === '' || !Number.isFinite(value) ? otherwise : Math.min(most, Math.max(least, value));
};

/** More training examples from those that there are, looked at before they are written. */
export function AugmentPanel({ dataset }: { dataset: ParsedDataset }) {
  const tokens = useData((state) => state.tokens);
  const recipe = useRecipe((state) => state.recipe);
  const set = useRecipe((state) => state.set);
  const training = useTraining(runActive);
  const [kinds, setKinds] = useState<Augmentation[]>(['swap', 'delete', 'typos']);
  const [share, setShare] = useState('10');
  const [copies, setCopies] = useState('1');
  const [seed, setSeed] = useState('42');
  const [preview, setPreview] = useState<Preview | null>(null);
  const [progress, setProgress] = useState<number | null>(null);
  const [error, setError] = useState<ErrorData | null>(null);
  const stop = useRef<AbortController | null>(null);
  const options: AugmentOptions = {
    kinds: augmentations.filter((kind) => kinds.includes(kind)),
    share: within(share, 1, 50, 10) / 100,
    copies: Math.floor(within(copies, 1, 20, 1)),
    seed: Math.floor(within(seed, 0, 2 ** 31, 42)),
  };
  const wanted = JSON.stringify(options);

  useEffect(() => {
    if (!tokens || training) return;
    let current = true;
    // Not at every key that is pressed.
    const timer = setTimeout(() => {
      getSession()
        .augmentPreview(recipe, JSON.parse(wanted) as AugmentOptions, previewed)
        .then(
          (found) => current && setPreview(found),
          (cause: unknown) => current && setError(toErrorData(cause, text.failed)),
        );
    }, 300);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [recipe, tokens, training, wanted]);
  useEffect(() => () => stop.current?.abort(), []);

  const kind = dataset.examples[0]?.kind;
  if (kind === 'pair' || kind === 'judged' || kind === 'prompt') {
    return <Panel title={text.title} description={text.whyNot[kind]} />;
  }
  if (kind !== 'labelled' && kind !== 'prompt_completion') return null;

  async function write() {
    const controller = new AbortController();
    stop.current = controller;
    setProgress(0);
    setError(null);
    try {
      const onProgress = (done: number, total: number) =>
        setProgress(Math.round((100 * done) / Math.max(1, total)) / 100);
      const source = await getSession().augmentDataset(recipe, options, onProgress, controller.signal);
      set({ 'dataset.source': source, ...readAsDetected, name: undefined });
    } catch (cause) {
      if (!controller.signal.aborted) setError(toErrorData(cause, text.failed));
    } finally {
      setProgress(null);
    }
  }

  const made = preview?.made ?? [];
  const why =
    (training && common.runInProgress) ||
    (kinds.length === 0 && text.chooseOne) ||
    (preview && made.length === 0 && text.none) ||
    (!preview && text.preview);
  return (
    <Panel
      title={text.title}
      description={kind === 'labelled' ? text.description : `${text.description} ${text.prompts}`}
    >
      <div className="space-y-4">
        <div className="flex flex-wrap items-end gap-x-6 gap-y-3">
          <fieldset className="flex min-h-9 flex-wrap items-center gap-x-4 gap-y-1">
            <legend className="mb-1 text-[0.8125rem] font-medium">{text.changes}</legend>
            {augmentations.map((one) => (
              <label key={one} className="flex items-center gap-1.5">
                <input
                  type="checkbox"
                  className="size-[1.125rem]"
                  checked={kinds.includes(one)}
                  onChange={({ target }) =>
                    setKinds(target.checked ? [...kinds, one] : kinds.filter((other) => other !== one))
                  }
                />
                {text.kinds[one]}
              </label>
            ))}
          </fieldset>
          <Labelled label={text.share}>
            <Input inputMode="decimal" value={share} onChange={({ target }) => setShare(target.value)} />
          </Labelled>
          <Labelled label={text.copies}>
            <Input inputMode="numeric" value={copies} onChange={({ target }) => setCopies(target.value)} />
          </Labelled>
          <Labelled label={text.seed}>
            <Input inputMode="numeric" value={seed} onChange={({ target }) => setSeed(target.value)} />
          </Labelled>
        </div>
        {error && <ErrorNotice error={error} onDismiss={() => setError(null)} />}
        {made.length > 0 && (
          <table aria-label={text.table} className="w-full table-fixed text-left">
            <thead>
              <tr className="text-[0.8125rem] text-muted">
                <th scope="col" className="py-1 pr-4 font-medium">
                  {text.before}
                </th>
                <th scope="col" className="py-1 pr-4 font-medium">
                  {text.after}
                </th>
              </tr>
            </thead>
            <tbody>
              {made.slice(0, 2 * previewed).map(({ row, before, after, kind: how }, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the rows of one preview never change places.
                <tr key={i} className="border-t align-top">
                  <td className="py-1.5 pr-4 break-words">
                    <span className="line-clamp-3">{before}</span>
                    <span className="text-[0.8125rem] text-muted">{text.of(row)}</span>
                  </td>
                  <td className="py-1.5 pr-4 break-words">
                    <span className="line-clamp-3">{after}</span>
                    <span className="text-[0.8125rem] text-muted">{text.kinds[how]}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {progress === null ? (
          <Button why={why} onClick={() => void write()}>
            {text.write(formatPlural((preview?.examples ?? 0) * options.copies, 'new example'))}
          </Button>
        ) : (
          <div className="flex items-center gap-3">
            <div className="min-w-40 flex-1">
              <ProgressBar label={text.writing} value={progress} />
            </div>
            <Button size="small" onClick={() => stop.current?.abort()}>
              {text.cancel}
            </Button>
          </div>
        )}
      </div>
    </Panel>
  );
}
