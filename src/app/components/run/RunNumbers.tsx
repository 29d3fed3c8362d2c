import { useTraining } from '../../../stores/training';
import { formatBytes, formatCompact, formatFigure } from '../../util/format';

/** The few figures of a running run, for people who look at another page meanwhile. */
export function RunNumbers() {
  const { rows, tokensPerSecond } = useTraining();
  const step = rows.findLast((row) => row.kind === 'step');
  const measured = rows.findLast((row) => row.kind === 'eval');
  const figures = [
    ['Loss', step?.kind === 'step' ? formatFigure(step.loss) : '–'],
    ['Validation loss', measured?.kind === 'eval' ? formatFigure(measured.eval_loss) : '–'],
    ['Speed', tokensPerSecond > 0 ? `${formatCompact(Math.round(tokensPerSecond))} tokens/s` : '–'],
    ['GPU memory', step?.kind === 'step' ? formatBytes(step.gpu_bytes) : '–'],
  ];
  return (
    <dl className="space-y-1">
      {figures.map(([name, value]) => (
        <div key={name} className="flex justify-between gap-4">
          <dt className="text-muted">{name}</dt>
          <dd className="font-medium">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
