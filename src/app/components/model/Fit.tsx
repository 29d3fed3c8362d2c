import { CircleCheck, CircleHelp, CircleX, TriangleAlert } from 'lucide-react';
import type { PrecisionPlan, Quantization, Verdict } from '../../../hub/descriptions';
import { cx } from '../../util/cx';
import { formatBytes } from '../../util/format';

const looks: Record<Verdict, { icon: typeof CircleCheck; className: string }> = {
  fits: { icon: CircleCheck, className: 'text-accent-strong' },
  tight: { icon: TriangleAlert, className: 'text-warn' },
  too_big: { icon: CircleX, className: 'text-danger' },
  unknown: { icon: CircleHelp, className: 'text-muted' },
};

export const precisionNames: Record<Quantization, string> = {
  none: 'As it comes',
  q8: '8-bit',
  nf4: '4-bit (NF4)',
};

/** The precision to begin with: as the weights come where that fits, else the least reduced one that does. */
export function bestPrecision(plans: PrecisionPlan[]): PrecisionPlan | undefined {
  const asIs = plans.find(({ quantization }) => quantization === 'none');
  const order = [asIs, ...plans.filter((plan) => plan !== asIs)].filter((plan) => plan !== undefined);
  const good = (verdict: Verdict) => order.find((plan) => plan.verdict === verdict);
  return good('fits') ?? good('tight') ?? good('unknown') ?? order.at(-1);
}

function words(plan: PrecisionPlan, brief: boolean): string {
  const takes = formatBytes(plan.totalBytes);
  const reduced = brief || plan.quantization === 'none' ? '' : ` in ${precisionNames[plan.quantization]}`;
  switch (plan.verdict) {
    case 'fits':
      return `Fits this GPU${reduced}: ${takes} to train`;
    case 'tight':
      return `Tight on this GPU${reduced}: ${takes} to train`;
    case 'too_big':
      return `Too big for this GPU: ${takes} to train${reduced}`;
    case 'unknown':
      return `Takes ${takes} of GPU memory to train${reduced}`;
    default:
      return plan.verdict satisfies never;
  }
}

/** Whether a model can be trained here, and what it takes, in a line. `brief` where the precision is said beside it. */
export function Fit({ plan, brief = false }: { plan: PrecisionPlan; brief?: boolean }) {
  const { icon: Icon, className } = looks[plan.verdict];
  return (
    <span className="flex items-start gap-1.5 text-[0.8125rem]">
      <Icon aria-hidden size={15} className={cx('mt-0.5 shrink-0', className)} />
      <span className={plan.verdict === 'too_big' ? 'text-danger' : undefined}>{words(plan, brief)}</span>
    </span>
  );
}
