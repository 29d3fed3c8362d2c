import { CircleAlert, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import type { DataProblem } from '../../../data/types';
import { useData } from '../../../stores/data';
import { useRecipe } from '../../../stores/recipe';
import { problemText as text } from '../../text/data';
import { Button } from '../../ui/Button';
import { Panel } from '../../ui/Panel';
import { formatCount, formatPlural, formatShare } from '../../util/format';

const first = 5;

interface Props {
  problems: DataProblem[];
  rows: Set<number>;
  /** Rows of the file from which nothing is learned, and all of them. */
  leftOut: number;
  totalRows: number;
}

/** Problems in the file, row by row, and what was done about each. */
export function ProblemsPanel({ problems, rows, leftOut, totalRows }: Props) {
  const [all, setAll] = useState(false);
  const set = useRecipe((state) => state.set);
  const selectRow = useData((state) => state.selectRow);
  if (problems.length === 0) return null;
  // Problems of one kind are listed up to a limit; the summary of the rest counts as many as it stands for.
  const count = problems.reduce((sum, problem) => sum + (problem.more ? (problem.rows ?? 1) : 1), 0);
  const shown = all ? problems : problems.slice(0, first);
  return (
    <Panel
      title={formatPlural(count, 'problem')}
      description={
        leftOut > 0
          ? text.leftOut(formatCount(leftOut), formatPlural(totalRows, 'row'), formatShare(leftOut / totalRows))
          : text.nothingLeftOut
      }
      flush
    >
      <ul className="divide-y border-t">
        {shown.map((problem) => {
          const Icon = problem.severity === 'error' ? CircleAlert : TriangleAlert;
          return (
            <li key={`${problem.code} ${problem.row} ${problem.message}`} className="flex gap-3 px-4 py-2">
              <Icon
                aria-hidden
                size={16}
                className={problem.severity === 'error' ? 'mt-0.5 shrink-0 text-danger' : 'mt-0.5 shrink-0 text-warn'}
              />
              <p className="min-w-0 flex-1 break-words">
                <span className="sr-only">{problem.severity === 'error' ? text.error : text.warning}</span>
                {problem.message} <span className="text-muted">{problem.action}</span>
              </p>
              {problem.choices?.map(({ label, set: answer }) => (
                <Button key={label} size="small" className="shrink-0 self-start" onClick={() => set(answer)}>
                  {label}
                </Button>
              ))}
              {problem.row !== undefined && rows.has(problem.row) && (
                <Button size="small" variant="quiet" onClick={() => selectRow(problem.row ?? null)}>
                  {text.showRow(problem.row)}
                </Button>
              )}
            </li>
          );
        })}
      </ul>
      {problems.length > first && (
        <div className="border-t px-4 py-2">
          <Button size="small" variant="quiet" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? text.showFewer : text.showAll(problems.length)}
          </Button>
        </div>
      )}
    </Panel>
  );
}
