import { CircleCheck, CircleX, TriangleAlert } from 'lucide-react';
import type { Verdict } from '../../../hub/descriptions';
import type { Forecast, MemoryAdvice } from '../../../session/api';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { runActive, useTraining } from '../../../stores/training';
import { memoryText as text } from '../../text/memory';
import { Button } from '../../ui/Button';
import { cx } from '../../util/cx';
import { formatBytes } from '../../util/format';

const looks: Record<
  Exclude<Verdict, 'unknown'>,
  { icon: typeof CircleCheck; className: string; title: (software: boolean) => string }
> = {
  fits: { icon: CircleCheck, className: 'text-accent-strong', title: text.fits },
  tight: { icon: TriangleAlert, className: 'text-warn', title: text.tight },
  too_big: { icon: CircleX, className: 'text-danger', title: text.tooBig },
};

/** Whether the run fits the GPU, how that is known, and what would reduce it. */
export function MemoryVerdict({ forecast }: { forecast: Forecast }) {
  const software = useModel((state) => state.device?.software === true);
  const { verdict = 'unknown', budget, advice = [], gradientCheckpointing, microBatchesTogether = 1 } = forecast;
  const how = [
    gradientCheckpointing ? text.checkpointing : '',
    microBatchesTogether > 1 ? text.together(microBatchesTogether) : '',
  ].join(' ');
  const known = budget ? text.budget(formatBytes(budget.bytes), budget.how) : text.budgetUnknown;
  if (verdict === 'unknown') {
    return (
      <p className="text-[0.8125rem] text-muted">
        {known} {how}
      </p>
    );
  }
  const { icon: Icon, className, title } = looks[verdict];
  return (
    <div className="space-y-2">
      <div className="flex items-start gap-2">
        <Icon aria-hidden size={18} className={cx('mt-px shrink-0', className)} />
        <p>
          <strong className={verdict === 'too_big' ? 'text-danger' : undefined}>{title(software)}</strong>
          <span className="block text-[0.8125rem] text-muted">
            {known} {how}
          </span>
        </p>
      </div>
      {advice.length > 0 && (
        <ul aria-label={text.advice} className="space-y-2">
          {advice.map((one) => (
            <Advice key={one.label} advice={one} />
          ))}
        </ul>
      )}
    </div>
  );
}

function Advice({ advice: { label, changes, saves, enough } }: { advice: MemoryAdvice }) {
  const set = useRecipe((state) => state.set);
  const training = useTraining(runActive);
  return (
    <li>
      <Button
        size="small"
        why={training && text.forNextRun}
        className="h-auto w-full flex-col gap-0! py-1.5"
        onClick={() => set(changes)}
      >
        <span>{label}</span>
        <span className="font-normal text-muted">
          {enough ? text.savesEnough(formatBytes(saves)) : text.saves(formatBytes(saves))}
        </span>
      </Button>
    </li>
  );
}
