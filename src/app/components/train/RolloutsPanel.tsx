import { useMemo } from 'react';
import { shownTurns } from '../../../data/preference-parts';
import type { ParsedDataset } from '../../../data/types';
import { promptOf } from '../../../session/sample-prompts';
import { useChartView } from '../../../stores/chart-view';
import { useData } from '../../../stores/data';
import { type StepRollouts, useRollouts } from '../../../stores/rollouts';
import { useTraining } from '../../../stores/training';
import { rolloutText as text } from '../../text/train';
import { Panel } from '../../ui/Panel';
import { cx } from '../../util/cx';
import { formatMetric } from '../../util/format';

type Answer = StepRollouts['answers'][number];

/** The answers of a step by prompt, the best rewarded first. */
function groupsOf(answers: readonly Answer[]): [row: number, answers: Answer[]][] {
  const groups = new Map<number, Answer[]>();
  for (const answer of answers) groups.set(answer.row, [...(groups.get(answer.row) ?? []), answer]);
  return [...groups].map(([row, own]) => [row, own.sort((a, b) => b.reward - a.reward)]);
}

/** The prompts of these rows, in one pass over the dataset. */
function promptsIn(dataset: ParsedDataset | null, rows: readonly number[]): Map<number, string> {
  const wanted = new Set(rows);
  const found = new Map<number, string>();
  for (const example of dataset?.examples ?? []) {
    if (!wanted.has(example.row)) continue;
    const prompt = example.kind === 'prompt' ? shownTurns(example.prompt) : promptOf(example)?.text;
    if (prompt !== undefined) found.set(example.row, prompt);
  }
  return found;
}

/** The answers behind the figures: what the model wrote at a step, and what each was worth. */
export function RolloutsPanel() {
  const steps = useRollouts((state) => state.steps);
  // Under the cursor of a chart: what was answered then.
  const at = useChartView(({ step }) => step);
  const source = useTraining((state) => state.run?.recipe.dataset.source);
  // Rows of another dataset are other prompts.
  const dataset = useData((state) => (state.source === source ? state.dataset : null));
  const shown = (at === null ? undefined : steps.findLast(({ step }) => step <= at)) ?? steps.at(-1);
  const groups = useMemo(() => (shown ? groupsOf(shown.answers) : []), [shown]);
  const prompts = useMemo(
    () =>
      promptsIn(
        dataset,
        groups.map(([row]) => row),
      ),
    [dataset, groups],
  );
  if (!shown) return null;
  const rewards = [...new Set(shown.answers.flatMap((answer) => Object.keys(answer.rewards)))];
  const several = rewards.length > 1;
  return (
    <Panel title={text.title(shown.step)} description={text.description} flush>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard. */}
      <section aria-label={text.table} tabIndex={0} className="max-h-[32rem] overflow-auto border-t">
        <table className="w-full min-w-160 text-left">
          <thead className="sticky top-0 bg-surface">
            <tr className="border-b text-[0.8125rem] text-muted">
              <th scope="col" className="px-4 py-1.5 font-medium">
                {text.answer}
              </th>
              {several &&
                rewards.map((name) => (
                  <th key={name} scope="col" className="px-3 py-1.5 text-right font-medium">
                    {name}
                  </th>
                ))}
              <th scope="col" className="px-3 py-1.5 text-right font-medium">
                {text.reward}
              </th>
              <th scope="col" className="px-3 py-1.5 text-right font-medium">
                {text.advantage}
              </th>
              <th scope="col" className="px-4 py-1.5 text-right font-medium">
                {text.tokens}
              </th>
            </tr>
          </thead>
          {groups.map(([row, answers]) => (
            <tbody key={row} className="border-b last:border-b-0">
              <tr>
                <th
                  scope="rowgroup"
                  colSpan={(several ? rewards.length : 0) + 4}
                  className="bg-sunken px-4 py-1.5 font-medium break-words whitespace-pre-wrap"
                >
                  {prompts.get(row) ?? text.row(row)}
                </th>
              </tr>
              {answers.map((answer, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: answers to one prompt may be equal.
                <Row key={i} answer={answer} rewards={several ? rewards : []} />
              ))}
            </tbody>
          ))}
        </table>
      </section>
    </Panel>
  );
}

function Row({ answer, rewards }: { answer: Answer; rewards: readonly string[] }) {
  const figure = 'px-3 py-1.5 text-right tabular-nums';
  const said = (value: number | null | undefined) =>
    value === null || value === undefined ? text.nothing : formatMetric(value);
  return (
    <tr className="align-top">
      <td className="max-w-120 px-4 py-1.5 break-words whitespace-pre-wrap">
        {answer.text || <span className="text-muted">{text.empty}</span>}
        {!answer.finished && <span className="ml-2 text-[0.8125rem] text-muted">{text.cut}</span>}
      </td>
      {rewards.map((name) => (
        <td key={name} className={figure}>
          {said(answer.rewards[name])}
        </td>
      ))}
      <td className={figure}>{said(answer.reward)}</td>
      <td className={cx(figure, answer.advantage !== null && answer.advantage > 0 && 'font-medium')}>
        {said(answer.advantage)}
      </td>
      <td className={cx(figure, 'pr-4')}>{answer.tokens}</td>
    </tr>
  );
}
