import { Download } from 'lucide-react';
import { answerText, type SetRow, scoresOf, usePromptSets } from '../../../stores/prompt-sets';
import { useFields } from '../../../stores/select';
import { setText as text, answerText as words } from '../../text/comparing';
import { Button } from '../../ui/Button';
import { downloadBlob } from '../../util/downloadBlob';
import { useColumns } from './useColumns';

const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;

/** As a spreadsheet reads it. A cell that begins like a formula stays text. */
export function answersCsv(titles: readonly string[], rows: readonly SetRow[]): string {
  const safe = (cell: string) => quoted(/^[=+\-@\t]/.test(cell) ? `'${cell}` : cell);
  const head = [text.columnPrompt, text.columnReference, ...titles].map(safe).join(',');
  const lines = rows.map(({ prompt, answers }) =>
    [prompt.text, prompt.expected ?? '', ...answers.map((answer) => answer.error?.message ?? answerText(answer))]
      .map(safe)
      .join(','),
  );
  return `\uFEFF${[head, ...lines].join('\r\n')}\r\n`;
}

/** What every column answered to every prompt, and how close that is to the references. */
export function SetTable() {
  const { rows, columns: asked, chosen, sorts } = usePromptSets(useFields('rows', 'columns', 'chosen', 'sorts'));
  const { columns } = useColumns();
  const titles = asked.map(
    ({ model, fewShot }) => columns.find((one) => one.id === model && one.fewShot === fewShot)?.title ?? model,
  );
  const means = asked.map((_, i) => scoresOf(rows, i));
  const references = rows.some(({ prompt }) => prompt.expected !== undefined);
  return (
    <div className="space-y-2">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard. */}
      <section aria-label={text.table} tabIndex={0} className="max-h-[32rem] overflow-auto rounded-md border">
        <table className="w-full min-w-160 text-left align-top">
          <thead className="sticky top-0 bg-surface">
            <tr className="border-b text-[0.8125rem] text-muted">
              <th scope="col" className="px-3 py-1.5 font-medium">
                {text.columnPrompt}
              </th>
              {references && (
                <th scope="col" className="px-3 py-1.5 font-medium">
                  {text.columnReference}
                </th>
              )}
              {titles.map((title, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the columns of one table.
                <th key={i} scope="col" className="px-3 py-1.5 font-medium">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ prompt, answers }, r) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a set may hold a prompt twice.
              <tr key={r} className="border-b align-top last:border-b-0">
                <th scope="row" className="max-w-64 px-3 py-2 font-normal break-words whitespace-pre-wrap">
                  {prompt.text}
                </th>
                {references && (
                  <td className="max-w-64 px-3 py-2 break-words whitespace-pre-wrap text-muted">{prompt.expected}</td>
                )}
                {asked.map((_, i) => {
                  const answer = answers[i];
                  return (
                    // biome-ignore lint/suspicious/noArrayIndexKey: the columns of one table.
                    <td key={i} className="max-w-80 px-3 py-2 break-words whitespace-pre-wrap">
                      {answer?.error ? (
                        <span className="text-danger">{answer.error.message}</span>
                      ) : (
                        (answer && answerText(answer)) || <span className="text-muted">{words.empty}</span>
                      )}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
          {means.some(Boolean) && (
            <tfoot className="sticky bottom-0 bg-surface">
              <tr className="border-t text-[0.8125rem]">
                <th scope="row" colSpan={references ? 2 : 1} className="px-3 py-1.5 font-medium">
                  {text.mean(means.find(Boolean)?.count ?? 0)}
                </th>
                {means.map((mean, i) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: the columns of one table.
                  <td key={i} className="px-3 py-1.5 font-medium">
                    {mean && (sorts ? text.accuracy(mean.exactMatch) : text.scores(mean.rougeL, mean.exactMatch))}
                  </td>
                ))}
              </tr>
            </tfoot>
          )}
        </table>
      </section>
      <div className="flex flex-wrap items-center gap-3">
        <Button
          size="small"
          onClick={() =>
            downloadBlob(
              new Blob([answersCsv(titles, rows)], { type: 'text/csv' }),
              `${chosen || 'held-out'}-answers.csv`,
            )
          }
        >
          <Download aria-hidden size={14} /> {text.saveAnswers}
        </Button>
        {!sorts && means.some(Boolean) && <span className="text-[0.8125rem] text-muted">{text.scoresHelp}</span>}
      </div>
    </div>
  );
}
