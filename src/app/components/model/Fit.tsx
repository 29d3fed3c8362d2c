import { CircleCheck, CircleHelp, CircleX, TriangleAlert } from 'lucide-react';
import type { PrecisionPlan, Verdict } from '../../../hub/descriptions';
import { useModel } from '../../../stores/model';
import { fitText, precisionNames } from '../../text/model';
import { cx } from '../../util/cx';
import { formatBytes } from '../../util/format';

const looks: Record<Verdict, { icon: typeof CircleCheck; className: string }> = {
  fits: { icon: CircleCheck, className: 'text-accent-strong' },
  tight: { icon: TriangleAlert, className: 'text-warn' },
  too_big: { icon: CircleX, className: 'text-danger' },
  unknown: { icon: CircleHelp, className: 'text-muted' },
};

/** The precision to start with: the published one if it fits, else the least reduced one that does. */
export function bestPrecision(plans: PrecisionPlan[]): PrecisionPlan | undefined {
  const asIs = plans.find(({ quantization }) => quantization === 'none');
  const order = [asIs, ...plans.filter((plan) => plan !== asIs)].filter((plan) => plan !== undefined);
  const good = (verdict: Verdict) => order.find((plan) => plan.verdict === verdict);
  return good('fits') ?? good('tight') ?? good('unknown') ?? order.at(-1);
}

function sentence({ totalBytes, quantization, verdict }: PrecisionPlan, brief: boolean, software: boolean): string {
  const bytes = formatBytes(totalBytes);
  const precision = brief || quantization === 'none' ? '' : fitText.inPrecision(precisionNames[quantization]);
  switch (verdict) {
    case 'fits':
      return fitText.fits(bytes, precision, software);
    case 'tight':
      return fitText.tight(bytes, precision, software);
    case 'too_big':
      return fitText.tooBig(bytes, precision, software);
    case 'unknown':
      return fitText.unknown(bytes, precision, software);
    default:
      return verdict satisfies never;
  }
}

/** Whether a model can be trained here, and the memory it needs, in a line. `brief` if the precision is already shown. */
export function Fit({ plan, brief = false }: { plan: PrecisionPlan; brief?: boolean }) {
  const software = useModel((state) => state.device?.software === true);
  const { icon: Icon, className } = looks[plan.verdict];
  return (
    <span className="flex items-start gap-1.5 text-[0.8125rem]">
      <Icon aria-hidden size={15} className={cx('mt-0.5 shrink-0', className)} />
      <span className={plan.verdict === 'too_big' ? 'text-danger' : undefined}>{sentence(plan, brief, software)}</span>
    </span>
  );
}
