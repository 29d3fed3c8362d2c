import { useState } from 'react';
import type { ErrorData } from '../../../base/errors';
import type { Example, Turns } from '../../../data/types';
import { type RewardSection, rewardsOf } from '../../../rewards';
import { useData } from '../../../stores/data';
import { toErrorData } from '../../../stores/errors';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { getSession } from '../../../stores/session';
import { rewardsText } from '../../text/rewards';
import { Button } from '../../ui/Button';
import { Labelled, Textarea } from '../../ui/Field';

const text = rewardsText.try;
const ANSWERS = 3;

interface Tried {
  prompt: Turns;
  columns: Record<string, unknown>;
  row: number | null;
}

/** What a reward gave: a number for each answer, null where it says nothing, or why it gave none. */
type Outcome = { reward: RewardSection; values: (number | null)[] | null; error: ErrorData | null };

function promptsOf(examples: readonly Example[] | undefined): Tried[] {
  const found: Tried[] = [];
  for (const example of examples ?? []) {
    if (example.kind === 'prompt') found.push({ prompt: example.prompt, columns: example.columns, row: example.row });
    if (found.length === ANSWERS) break;
  }
  return found.length > 0 ? found : Array.from({ length: ANSWERS }, () => ({ prompt: '', columns: {}, row: null }));
}

const promptText = (prompt: Turns) => (typeof prompt === 'string' ? prompt : (prompt.at(-1)?.content ?? ''));

/** What the dataset expects, where a column says so, is an answer to begin with. */
const firstAnswer = ({ columns }: Tried) =>
  String(columns.answer ?? columns.solution ?? Object.values(columns)[0] ?? '');

const shown = (value: number | null | undefined) =>
  value === null || value === undefined ? text.silent : String(Number(value.toFixed(4)));

/** Three answers, to the first prompts of the dataset, and what each reward gives for them. */
export function TryRewards() {
  const examples = useData((state) => state.dataset?.examples);
  const rewards = rewardsOf(useRecipe((state) => state.recipe.objective));
  const [typed, setTyped] = useState<Record<number, string>>({});
  const [scored, setScored] = useState<{ key: string; outcomes: Outcome[] } | null>(null);
  const [busy, setBusy] = useState(false);
  const ready = useModel((state) => state.status === 'ready');
  const prompts = promptsOf(examples);
  const answers = prompts.map((tried, i) => typed[i] ?? firstAnswer(tried));

  const key = JSON.stringify([rewards, prompts, answers]);
  // Scores of other answers or rewards are not shown beside these.
  const outcomes = scored?.key === key ? scored.outcomes : null;

  async function score() {
    setBusy(true);
    const given = prompts.map(({ prompt, columns }, i) => ({ prompt, columns, completion: answers[i]! }));
    const all: Outcome[] = [];
    for (const reward of rewards) {
      try {
        all.push({ reward, values: await getSession().tryReward(reward, given), error: null });
      } catch (cause) {
        all.push({ reward, values: null, error: toErrorData(cause, `${reward.name} could not be tried.`) });
      }
    }
    setScored({ key, outcomes: all });
    setBusy(false);
  }

  /** Null where no reward says anything about the answer. */
  const sum = (i: number) => {
    const said = (outcomes ?? []).flatMap(({ reward, values }) => {
      const value = values?.[i];
      return value === null || value === undefined ? [] : [reward.weight * value];
    });
    return said.length === 0 ? null : said.reduce((total, value) => total + value, 0);
  };
  return (
    <details className="rounded-md border px-3 py-2">
      <summary className="cursor-pointer font-medium">{text.title}</summary>
      <div className="space-y-3 pt-2">
        <p className="text-muted">{text.text}</p>
        {prompts[0]?.row === null && <p className="text-muted">{text.noPrompts}</p>}
        {prompts.map((tried, i) => (
          <Labelled
            key={tried.row ?? `own ${i}`}
            label={tried.row === null ? text.own(i + 1) : text.answer(tried.row)}
            hint={promptText(tried.prompt).slice(0, 200)}
          >
            <Textarea
              rows={2}
              value={answers[i]}
              onChange={({ target }) => setTyped({ ...typed, [i]: target.value })}
            />
          </Labelled>
        ))}
        <Button onClick={score} aria-busy={busy} why={!ready && text.noModel}>
          {text.run}
        </Button>
        {outcomes && (
          <div className="overflow-x-auto" aria-live="polite">
            <table className="w-full text-left text-[0.8125rem]">
              <caption className="sr-only">{text.caption}</caption>
              <thead>
                <tr className="border-b text-muted">
                  <th scope="col" className="py-1 pr-3 font-medium">
                    {text.reward}
                  </th>
                  {prompts.map(({ row }, i) => (
                    <th key={row ?? i} scope="col" className="py-1 pr-3 font-medium">
                      {row === null ? text.own(i + 1) : text.answer(row)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {outcomes.map(({ reward, values, error }) => (
                  <tr key={reward.name} className="border-b">
                    <th scope="row" className="py-1 pr-3 font-mono font-normal whitespace-nowrap">
                      {reward.name}
                    </th>
                    {error || !values ? (
                      <td colSpan={prompts.length} className={error ? 'py-1 text-danger' : 'py-1 text-muted'}>
                        {error ? `${error.message} ${error.action ?? ''}` : text.engine}
                      </td>
                    ) : (
                      prompts.map(({ row }, i) => (
                        <td key={row ?? i} className="py-1 pr-3 tabular-nums">
                          {shown(values[i])}
                        </td>
                      ))
                    )}
                  </tr>
                ))}
                {outcomes.every(({ error, values }) => !error && values) && (
                  <tr>
                    <th scope="row" className="py-1 pr-3 font-medium">
                      {text.sum}
                    </th>
                    {prompts.map(({ row }, i) => (
                      <td key={row ?? i} className="py-1 pr-3 font-medium tabular-nums">
                        {shown(sum(i))}
                      </td>
                    ))}
                  </tr>
                )}
              </tbody>
            </table>
          </div>
        )}
      </div>
    </details>
  );
}
