import { objectiveOf } from '../../../objectives';
import { BASE_TEXT_LOSS } from '../../../objectives/metrics';
import type { MetricsRow, RunRecord, RunStatus } from '../../../storage/types';
import { useTraining } from '../../../stores/training';
import { Badge } from '../../ui/Badge';
import { type Fact, Facts } from '../../ui/Facts';
import { Panel } from '../../ui/Panel';
import { formatBytes, formatCompact, formatDuration, formatFigure, formatWhen } from '../../util/format';
import { baseTextLossOf, knownMetrics, measuredIn, metricsIn } from './metrics';

const badges: Record<RunStatus, { tone: 'neutral' | 'accent' | 'warning' | 'danger'; text: string }> = {
  running: { tone: 'accent', text: 'running' },
  paused: { tone: 'warning', text: 'paused' },
  interrupted: { tone: 'warning', text: 'interrupted' },
  completed: { tone: 'accent', text: 'finished' },
  stopped: { tone: 'neutral', text: 'stopped' },
  early_stopped: { tone: 'accent', text: 'finished early' },
  failed: { tone: 'danger', text: 'failed' },
};

export function StatusBadge({ status }: { status: RunStatus }) {
  const { tone, text } = badges[status];
  return <Badge tone={tone}>{text}</Badge>;
}

/** The two most telling metrics of the last evaluation, and what they were before. */
function scores(run: RunRecord, rows: MetricsRow[]): Fact[] {
  const evals = measuredIn(rows);
  const last = evals.at(-1);
  return metricsIn(evals, knownMetrics(run))
    .slice(0, 2)
    .map(({ name, label, help }) => {
      const before = evals[0]?.metrics?.[name];
      return {
        name: label,
        help,
        value: formatFigure(last?.metrics?.[name]),
        note: before !== undefined && evals.length > 1 ? `was ${formatFigure(before)} before` : undefined,
      };
    });
}

/** How much worse it reads text of the kind that the base was trained on. */
function forgetting(rows: MetricsRow[]): Fact[] {
  const measured = rows.map(baseTextLossOf).filter((value) => value !== null);
  const [before] = measured;
  const after = measured.at(-1);
  if (before === undefined || after === undefined) return [];
  return [
    {
      name: BASE_TEXT_LOSS.label,
      help: BASE_TEXT_LOSS.help,
      value: formatFigure(after),
      note: measured.length > 1 ? `was ${formatFigure(before)}; what it rises by is forgotten` : undefined,
    },
  ];
}

/** The figures of the shown run at a glance. */
export function RunFacts({ run }: { run: RunRecord }) {
  const { phase, rows, totalSteps, tokensPerSecond, secondsLeft, summary } = useTraining();
  const last = rows.findLast((row) => row.kind === 'step');
  const step = last?.kind === 'step' ? last : null;
  const evals = rows.filter((row) => row.kind === 'eval');
  const before = run.initialEvalLoss ?? evals[0]?.eval_loss ?? null;
  const best = evals.length > 0 ? Math.min(...evals.map((row) => row.eval_loss)) : run.bestEvalLoss;
  const lossHelp = objectiveOf(run.recipe.objective)?.loss;
  const live = phase !== 'idle';
  const seconds = summary?.seconds ?? step?.seconds ?? null;
  const speed = live ? tokensPerSecond : step && step.seconds > 0 ? step.tokens / step.seconds : 0;
  return (
    <Panel
      title={run.name}
      aside={
        <>
          <span className="text-[0.8125rem] text-muted">{formatWhen(run.createdAt)}</span>
          <StatusBadge status={live ? (phase === 'paused' ? 'paused' : 'running') : run.status} />
        </>
      }
    >
      <Facts
        columns={4}
        facts={[
          {
            name: 'Step',
            value: `${step?.step ?? run.step} of ${totalSteps || run.totalSteps}`,
            note: step ? `epoch ${step.epoch.toFixed(2)}` : undefined,
          },
          { name: 'Loss', help: lossHelp, value: formatFigure(step?.loss ?? run.finalLoss) },
          {
            name: 'Validation loss',
            help: lossHelp,
            value: best === null ? '–' : formatFigure(best),
            note: before !== null && best !== null ? `was ${formatFigure(before)} before` : undefined,
          },
          ...scores(run, rows),
          ...forgetting(rows),
          live
            ? { name: 'Time left', value: secondsLeft === null ? '–' : formatDuration(secondsLeft) }
            : { name: 'Took', value: seconds === null ? '–' : formatDuration(seconds) },
          { name: 'Speed', value: speed > 0 ? `${formatCompact(Math.round(speed))} tokens/s` : '–' },
          { name: 'Tokens', value: step ? formatCompact(step.tokens) : '–' },
          { name: 'GPU memory', value: step ? formatBytes(step.gpu_bytes) : '–' },
          { name: 'Trained', value: `${formatCompact(run.trainableParameters)} parameters` },
        ]}
      />
    </Panel>
  );
}
