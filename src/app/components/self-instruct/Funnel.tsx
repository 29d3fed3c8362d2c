import { type FunnelStep, funnelOf, stepWords } from '../../../self-instruct';
import { useSelfInstruct } from '../../../stores/self-instruct';
import { selfInstructText as text } from '../../text/self-instruct';
import { Panel } from '../../ui/Panel';
import { cx } from '../../util/cx';
import { formatCount } from '../../util/format';

/** How much was written, and what each filter has left of it. */
export function Funnel() {
  const draft = useSelfInstruct((state) => state.draft);
  const { instructions, tasks, instances } = funnelOf(draft);
  const written = instructions[0]!.left;
  return (
    <Panel title={text.funnelTitle} description={written === 0 ? text.funnelEmpty : text.funnelHow}>
      {written > 0 && (
        <div className="space-y-4">
          <Steps title={text.instructions} steps={instructions} />
          <div className="min-w-0 space-y-2">
            <Steps title={text.examples} steps={instances} />
            <p className="text-[0.8125rem] text-muted">
              {text.tasks(formatCount(tasks.usable), formatCount(tasks.asked))}
            </p>
          </div>
        </div>
      )}
    </Panel>
  );
}

function Steps({ title, steps }: { title: string; steps: readonly FunnelStep[] }) {
  const written = steps[0]!.left;
  const shown = steps.filter(({ name, dropped }) => dropped > 0 || name === 'written' || name === 'kept');
  return (
    <div className="min-w-0">
      <table className="w-full table-fixed">
        <caption className="pb-1 text-left font-semibold">{title}</caption>
        <thead className="text-[0.8125rem] text-muted">
          <tr>
            <th scope="col" className="text-left font-medium">
              {text.step}
            </th>
            <th scope="col" className="w-16 text-right font-medium">
              {text.dropped}
            </th>
            <th scope="col" className="w-14 text-right font-medium">
              {text.left}
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ name, dropped, left }) => (
            <tr key={name} className="align-top">
              <th
                scope="row"
                className={cx('py-1 pr-2 text-left break-words', name === 'kept' ? 'font-semibold' : 'font-normal')}
              >
                {stepWords[name]}
                <span aria-hidden className="mt-0.5 block h-1.5 rounded-full bg-line">
                  <span
                    className={cx('block h-full rounded-full', name === 'kept' ? 'bg-accent' : 'bg-series-1')}
                    style={{ width: `${written === 0 ? 0 : (100 * left) / written}%` }}
                  />
                </span>
              </th>
              <td className="py-1 text-right text-muted tabular-nums">
                {dropped > 0 ? `−${formatCount(dropped)}` : ''}
              </td>
              <td className="py-1 text-right tabular-nums">{formatCount(left)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < steps.length && written > 0 && (
        <p className="text-[0.8125rem] text-muted">{text.othersDropped}</p>
      )}
    </div>
  );
}
