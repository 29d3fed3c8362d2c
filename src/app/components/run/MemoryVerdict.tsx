import { CircleCheck, CircleX, TriangleAlert } from 'lucide-react';
import type { Verdict } from '../../../hub/descriptions';
import type { Forecast, MemoryAdvice } from '../../../session/api';
import { useRecipe } from '../../../stores/recipe';
import { useTraining } from '../../../stores/training';
import { Button } from '../../ui/Button';
import { cx } from '../../util/cx';
import { formatBytes } from '../../util/format';

const looks: Record<Exclude<Verdict, 'unknown'>, { icon: typeof CircleCheck; className: string; text: string }> = {
  fits: { icon: CircleCheck, className: 'text-accent-strong', text: 'Fits this GPU' },
  tight: { icon: TriangleAlert, className: 'text-warn', text: 'Tight on this GPU' },
  too_big: { icon: CircleX, className: 'text-danger', text: 'Too big for this GPU' },
};

/** Whether the run fits the GPU, what that is known from, and what would make it smaller. */
export function MemoryVerdict({ forecast }: { forecast: Forecast }) {
  const { verdict = 'unknown', budget, advice = [], gradientCheckpointing } = forecast;
  const again = gradientCheckpointing && 'Blocks are computed twice instead of kept (gradient checkpointing).';
  const known = budget
    ? `About ${formatBytes(budget.bytes)} to use, ${budget.how}.`
    : 'The browser does not say how much memory this GPU has.';
  if (verdict === 'unknown') {
    return (
      <p className="text-[0.8125rem] text-muted">
        {known} {again}
      </p>
    );
  }
  const { icon: Icon, className, text } = looks[verdict];
  return (
    <div className="space-y-2">
      <div className="flex items-start gap-2">
        <Icon aria-hidden size={18} className={cx('mt-px shrink-0', className)} />
        <p>
          <strong className={verdict === 'too_big' ? 'text-danger' : undefined}>{text}</strong>
          <span className="block text-[0.8125rem] text-muted">
            {known} {again}
          </span>
        </p>
      </div>
      {advice.length > 0 && (
        <ul aria-label="What would make it smaller" className="space-y-2">
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
  const training = useTraining((state) => state.phase !== 'idle');
  return (
    <li>
      <Button
        size="small"
        why={training && 'Changes are for the next run.'}
        className="h-auto w-full flex-col gap-0! py-1.5"
        onClick={() => set(changes)}
      >
        <span>{label}</span>
        <span className="font-normal text-muted">
          saves {formatBytes(saves)}
          {enough && ', and then it fits'}
        </span>
      </Button>
    </li>
  );
}
