import { CircleCheck, CircleX, Gauge, TriangleAlert } from 'lucide-react';
import { useBlockers } from '../../../stores/blockers';
import { usePlan } from '../../../stores/plan';
import { useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import { stepOf, useTrial } from '../../../stores/trial';
import { common } from '../../text/common';
import { driveText as text } from '../../text/trial';
import { Button } from '../../ui/Button';
import { ErrorNotice } from '../../ui/Notice';
import { ProgressBar } from '../../ui/Progress';
import { cx } from '../../util/cx';
import { FindRateButton } from '../recipe/FindRateButton';
import { type Tick, ticksOf } from './ticks';

const looks = {
  good: { icon: CircleCheck, className: 'text-accent-strong' },
  warn: { icon: TriangleAlert, className: 'text-warn' },
  bad: { icon: CircleX, className: 'text-danger' },
};

/** One measured step before the run, and what it found. */
export function TestDrive() {
  const { phase, done, total, drive, driveError, startDrive, cancel } = useTrial(
    useFields('phase', 'done', 'total', 'drive', 'driveError', 'startDrive', 'cancel'),
  );
  const recipe = useRecipe((state) => state.recipe);
  const forecast = usePlan((state) => state.forecast);
  const first = useBlockers()[0];
  const fresh = drive !== null && drive.recipe === stepOf(recipe);
  const why = first ? first.error.message : phase === 'searching' && text.inUse;
  return (
    <div className="space-y-2">
      <h2 className="text-[0.8125rem] font-medium text-muted">{text.title}</h2>
      {phase === 'driving' ? (
        <div role="status" className="space-y-2">
          <ProgressBar
            label={text.running}
            value={total > 0 ? done / total : null}
            text={total > 0 ? text.part(done, total) : text.preparing}
          />
          <div className="flex items-center justify-between gap-2">
            <span className="text-[0.8125rem] text-muted">{total > 0 ? text.part(done, total) : text.preparing}</span>
            <Button size="small" onClick={cancel}>
              {common.cancel}
            </Button>
          </div>
        </div>
      ) : (
        <>
          {driveError && <ErrorNotice error={driveError} />}
          {fresh ? (
            <ul aria-label={text.ticks} className="space-y-1.5">
              {ticksOf(drive.result, recipe, forecast).map((tick) => (
                <Line key={tick.id} tick={tick} />
              ))}
            </ul>
          ) : (
            <p className="text-[0.8125rem] text-muted">{drive ? text.stale : text.intro}</p>
          )}
          <Button size="small" why={why} onClick={() => void startDrive()}>
            <Gauge aria-hidden size={14} />
            {drive ? text.again : text.start}
          </Button>
        </>
      )}
    </div>
  );
}

function Line({ tick: { state, text: words, action, press, find } }: { tick: Tick }) {
  const set = useRecipe((store) => store.set);
  const { icon: Icon, className } = looks[state];
  return (
    <li className="flex items-start gap-2 text-[0.8125rem]">
      <Icon role="img" aria-label={text.states[state]} size={15} className={cx('mt-0.5 shrink-0', className)} />
      <div className="min-w-0 space-y-1">
        <p>
          {words} {action && <span className="text-muted">{action}</span>}
        </p>
        {press && (
          <Button size="small" className="h-auto py-1" onClick={() => set(press.changes)}>
            {press.label}
          </Button>
        )}
        {find && <FindRateButton />}
      </div>
    </li>
  );
}
