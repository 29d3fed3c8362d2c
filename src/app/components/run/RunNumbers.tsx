import { lastEval, lastStep, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { formatBytes, formatCompact, formatMetric } from '../../util/format';

/** The main metrics of a live run, visible from every page. */
export function RunNumbers() {
  const step = useTraining(lastStep);
  const measured = useTraining(lastEval);
  const rate = useTraining((state) => state.tokensPerSecond);
  const metrics = [
    [common.trainingLoss, formatMetric(step?.loss)],
    [
      measured?.step === 0 ? common.validationLossBefore : common.latestValidationLoss,
      formatMetric(measured?.eval_loss),
    ],
    [common.speed, rate > 0 ? common.tokensPerSecond(formatCompact(Math.round(rate))) : common.noValue],
    [common.gpuMemory, step ? formatBytes(step.gpu_bytes) : common.noValue],
  ];
  return (
    <dl className="space-y-1">
      {metrics.map(([name, value]) => (
        <div key={name} className="flex justify-between gap-4">
          <dt className="text-muted">{name}</dt>
          <dd className="font-medium">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
