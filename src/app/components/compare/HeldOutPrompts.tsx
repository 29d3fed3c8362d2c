import { useEffect, useState } from 'react';
import type { SplitPrompt } from '../../../session/comparison-types';
import { useBuiltins } from '../../../stores/builtins';
import { type Side, useComparing } from '../../../stores/comparing';
import { useData } from '../../../stores/data';
import { useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import { useTraining } from '../../../stores/training';
import { promptText as text } from '../../text/comparing';
import { Button } from '../../ui/Button';
import { Check } from '../../ui/Check';
import { ErrorNotice } from '../../ui/Notice';
import { cellsOf } from '../data/cells';
import { useColumns } from './useColumns';
import { useWhy } from './useWhy';

const FEW = 5;
/** Characters of a prompt on its button. */
const SHOWN = 90;

const shortened = (prompt: string) => (prompt.length > SHOWN ? `${prompt.slice(0, SHOWN).trimEnd()}…` : prompt);

/** The dataset's own suggestions, else its first examples: for as long as there is no run whose split is known. */
function useSuggestions(): string[] {
  const datasets = useBuiltins((state) => state.datasets);
  const source = useRecipe((state) => state.recipe.dataset.source);
  const dataset = useData((state) => state.dataset);
  const listed = datasets.find(({ name }) => source === `builtin:${name}`)?.suggestedPrompts;
  if (listed && listed.length > 0) return listed;
  const prompts = (dataset?.examples ?? [])
    .slice(0, 20)
    .map((example) => cellsOf(example)[0]?.text ?? '')
    .filter(({ length }) => length > 0 && length < 120);
  return [...new Set(prompts)].slice(0, 3);
}

/** Suggestions of the data's authors that are not among what was trained on. */
function useUnseen(): string[] {
  const datasets = useBuiltins((state) => state.datasets);
  const split = useComparing((state) => state.split);
  const { models } = useColumns();
  const source = models.find(({ run }) => run)?.run?.recipe.dataset.source;
  const listed = datasets.find(({ name }) => source === `builtin:${name}`)?.suggestedPrompts ?? [];
  // Only if all of what was trained on is known.
  if (!split || split.doubt || split.trained.length < split.trainedTotal) return [];
  const seen = new Set([...split.trained, ...split.heldOut].map((prompt) => prompt.text));
  return listed.filter((prompt) => !seen.has(prompt));
}

/** Runs whose first question has been asked, so that a question that is taken back does not come again. */
const begun = new Set<string>();

/**
 * Asks the first held-out prompt once a run has just ended and nothing else has been asked: what it learned is then on the
 * screen without a further press.
 */
function useFirstQuestion(first: SplitPrompt | undefined, blocked: string | false): void {
  const finished = useTraining(({ summary, run }) => (summary && run ? run.id : null));
  const shown = useColumns().models.some(({ run }) => run?.id === finished);
  const { prompt, asked, generating, take, ask } = useComparing(
    useFields('prompt', 'asked', 'generating', 'take', 'ask'),
  );
  const wanted = first !== undefined && shown && !blocked && !generating && asked === null && prompt === '';
  useEffect(() => {
    if (!wanted || finished === null || begun.has(finished)) return;
    begun.add(finished);
    take(first, 'held_out');
    void ask();
  }, [wanted, finished, first, take, ask]);
}

/** Prompts to try: first those that no column has learned from. */
export function HeldOutPrompts({ blocked }: { blocked: string | false }) {
  const { split, splitError, splitting, loadSplit } = useComparing(
    useFields('split', 'splitError', 'splitting', 'loadSplit'),
  );
  const { models, judging } = useColumns();
  const why = useWhy();
  const [all, setAll] = useState(false);
  const [trained, setTrained] = useState(false);
  const suggestions = useSuggestions();
  const unseen = useUnseen();
  // What was trained on may have become other data while a run was under way.
  const key = models.map(({ id, run }) => `${id}/${run?.step}`).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the columns decide whose data it is.
  useEffect(() => {
    if (!why) void loadSplit();
  }, [key, why, loadSplit]);

  // A suggestion has no answer to judge.
  const own = judging ? [] : unseen.map((prompt): SplitPrompt => ({ row: 0, text: prompt }));
  const heldOut = split ? [...own, ...split.heldOut] : [];
  useFirstQuestion(split && !split.doubt && !splitting ? heldOut[0] : undefined, blocked);

  if (splitError) return <ErrorNotice error={splitError} />;
  if (splitting) return <p className="text-[0.8125rem] text-muted">{text.looking}</p>;
  if (!split) {
    return suggestions.length === 0 ? null : (
      <Prompts
        label={text.suggestions}
        prompts={suggestions.map((prompt) => ({ row: 0, text: prompt }))}
        side={null}
        blocked={blocked}
      />
    );
  }
  const shown = all ? heldOut : heldOut.slice(0, FEW);
  return (
    <div className="space-y-3">
      {heldOut.length === 0 ? (
        <p className="max-w-prose text-[0.8125rem] text-muted">{text.none}</p>
      ) : (
        <div className="space-y-1.5">
          <p className={split.doubt ? 'text-[0.8125rem] text-warn' : 'text-[0.8125rem] text-muted'}>
            {split.doubt ?? text.heldOut(split.heldOutTotal + own.length, split.dataset, own.length)}
          </p>
          <Prompts label={text.examples} prompts={shown} side={split.doubt ? null : 'held_out'} blocked={blocked} />
          {heldOut.length > FEW && (
            <Button size="small" variant="quiet" aria-expanded={all} onClick={() => setAll(!all)}>
              {all ? text.fewer : text.more(heldOut.length)}
            </Button>
          )}
        </div>
      )}
      {split.trained.length > 0 && (
        <Check label={text.showTrained} checked={trained} onChange={({ target }) => setTrained(target.checked)} />
      )}
      {trained && (
        <div className="space-y-1.5">
          <p className="text-[0.8125rem] text-warn">{text.trained(split.dataset)}</p>
          <Prompts
            label={text.trained(split.dataset)}
            prompts={split.trained.slice(0, 20)}
            side="trained"
            blocked={blocked}
          />
        </div>
      )}
    </div>
  );
}

function Prompts({
  label,
  prompts,
  side,
  blocked,
}: {
  label: string;
  prompts: readonly SplitPrompt[];
  side: Side;
  blocked: string | false;
}) {
  const { take, ask } = useComparing(useFields('take', 'ask'));
  return (
    <ul aria-label={label} className="flex max-h-72 flex-wrap gap-2 overflow-y-auto p-0.5">
      {prompts.map((prompt) => (
        <li key={`${prompt.row} ${prompt.text}`} className="max-w-full">
          <Button
            size="small"
            why={blocked}
            className="!shrink py-1 text-left break-words"
            onClick={() => {
              take(prompt, side);
              void ask();
            }}
          >
            {shortened(prompt.text)}
          </Button>
        </li>
      ))}
    </ul>
  );
}
