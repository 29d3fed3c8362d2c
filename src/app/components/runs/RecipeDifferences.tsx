import { Copy } from 'lucide-react';
import { useState } from 'react';
import { sameValue } from '../../../recipe/diff';
import type { RunRecord } from '../../../storage/types';
import { toErrorData } from '../../../stores/errors';
import { shownLoss } from '../../../stores/evaluations';
import { useRuns } from '../../../stores/runs';
import { differenceText as text } from '../../text/runs';
import { Button } from '../../ui/Button';
import { Panel } from '../../ui/Panel';
import { cx } from '../../util/cx';
import { formatMetric } from '../../util/format';
import { namesOf } from './curves';
import { differencesAsText, differencesOf, shownValue } from './differences';

/** Only what differs between the recipes of the selected runs, beside what came of it. */
export function RecipeDifferences({ selected }: { selected: RunRecord[] }) {
  const [copied, setCopied] = useState('');
  const differences = differencesOf(selected.map(({ recipe }) => recipe));
  const names = namesOf(selected);
  const plain = differencesAsText(names, differences);
  async function copy() {
    try {
      await navigator.clipboard.writeText(plain);
      setCopied(plain);
    } catch (cause) {
      useRuns.setState({ error: toErrorData(cause, text.copyFailed, text.copyAction) });
    }
  }
  return (
    <Panel
      title={text.title}
      aside={
        differences.length > 0 && (
          <Button size="small" onClick={() => void copy()}>
            <Copy aria-hidden size={14} /> <span aria-live="polite">{copied === plain ? text.copied : text.copy}</span>
          </Button>
        )
      }
    >
      {differences.length === 0 ? (
        <p>{text.same}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
        <section aria-label={text.title} tabIndex={0} className="overflow-x-auto">
          <table className="w-full text-left text-[0.8125rem]">
            <caption className="sr-only">{text.caption}</caption>
            <thead>
              <tr className="border-b text-muted">
                <th scope="col" className="py-1 pr-4 font-medium">
                  {text.field}
                </th>
                {names.map((name) => (
                  <th key={name} scope="col" className="min-w-28 py-1 pr-4 align-bottom font-medium wrap-anywhere">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {differences.map(({ path, label, values }) => (
                <tr key={path} className="border-b align-top">
                  <th scope="row" className="min-w-44 py-1 pr-4 font-normal">
                    {label}
                    <span className="block font-mono text-xs text-muted wrap-anywhere">{path}</span>
                  </th>
                  {values.map((value, i) => (
                    // A different look where it is not the first run's, so that the eye finds it.
                    <td
                      key={names[i]}
                      className={cx(
                        'py-1 pr-4 wrap-anywhere whitespace-pre-wrap',
                        i > 0 && !sameValue(value, values[0]) && 'font-semibold',
                      )}
                    >
                      {shownValue(path, value)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
            <tfoot>
              <tr className="align-top">
                <th scope="row" className="py-1 pr-4 font-normal">
                  {text.result}
                </th>
                {selected.map((run) => (
                  <td key={run.id} className="py-1 pr-4">
                    {formatMetric(shownLoss(run, run.bestEvalLoss))}
                  </td>
                ))}
              </tr>
            </tfoot>
          </table>
        </section>
      )}
    </Panel>
  );
}
