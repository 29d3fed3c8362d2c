import { objectiveOf } from '../../../objectives';
import { BASE_TEXT_LOSS } from '../../../objectives/metrics';
import type { MetricsRow, RunRecord, RunStatus } from '../../../storage/types';
import { useFields } from '../../../stores/select';
import { lastStep, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { factsText as text } from '../../text/train';
import { Badge } from '../../ui/Badge';
import { type Fact, Facts } from '../../ui/Facts';
import { Panel } from '../../ui/Panel';
import { formatBytes, formatCompact, formatCount, formatDuration, formatMetric, formatWhen } from '../../util/format';
import { baseTextLossOf, knownMetrics, measuredIn, metricsIn } from './metrics';

const tones: Record<RunStatus, 'neutral' | 'accent' | 'warning' | 'danger'> = {
  running: 'accent',
  paused: 'warning',
  interrupted: 'warning',
  completed: 'accent',
  stopped: 'neutral',
  early_stopped: 'accent',
  failed: 'danger',
};

export function StatusBadge({ status }: { status: RunStatus }) {
  return <Badge tone={tones[status]}>{text.statuses[status]}</Badge>;
}

/** The two most telling metrics of the last evaluation, and their values before training. */
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
        value: formatMetric(last?.metrics?.[name]),
        note: before !== undefined && evals.length > 1 ? text.before(formatMetric(before)) : undefined,
      };
    });
}

/** How much the loss on text like the base's training data has risen. */
function forgetting(rows: MetricsRow[]): Fact[] {
  const measured = rows.map(baseTextLossOf).filter((value) => value !== null);
  const [before] = measured;
  const after = measured.at(-1);
  if (before === undefined || after === undefined) return [];
  return [
    {
      name: BASE_TEXT_LOSS.label,
      help: BASE_TEXT_LOSS.help,
      value: formatMetric(after),
      note: measured.length > 1 ? text.forgetting(formatMetric(before)) : undefined,
    },
  ];
}

/** The metrics of the run shown, at a glance. */
export function RunFacts({ run }: { run: RunRecord }) {
  const { phase, rows, totalSteps, tokensPerSecond, secondsLeft, summary } = useTraining(
    useFields('phase', 'rows', 'totalSteps', 'tokensPerSecond', 'secondsLeft', 'summary'),
  );
  const step = lastStep({ rows });
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
            name: text.step,
            value: text.stepOf(step?.step ?? run.step, totalSteps || run.totalSteps),
            note: step && text.epoch(step.epoch.toFixed(2)),
          },
          { name: common.loss, help: lossHelp, value: formatMetric(step?.loss ?? run.finalLoss) },
          {
            name: common.validationLoss,
            help: lossHelp,
            value: formatMetric(best),
            note: before !== null && best !== null ? text.before(formatMetric(before)) : undefined,
          },
          ...scores(run, rows),
          ...forgetting(rows),
          live
            ? { name: text.timeLeft, value: secondsLeft === null ? common.noValue : formatDuration(secondsLeft) }
            : { name: text.took, value: seconds === null ? common.noValue : formatDuration(seconds) },
          {
            name: common.speed,
            value: speed > 0 ? common.tokensPerSecond(formatCompact(Math.round(speed))) : common.noValue,
          },
          { name: text.tokens, value: step ? formatCompact(step.tokens) : common.noValue },
          { name: common.gpuMemory, value: step ? formatBytes(step.gpu_bytes) : common.noValue },
          { name: text.trained, value: common.parameters(formatCompact(run.trainableParameters)) },
        ]}
      />
      {run.data && (
        <p className="mt-4 max-w-prose break-words text-[0.8125rem] text-muted">
          {text.data(formatCount(run.data.examples), formatCount(run.data.rows))} {run.data.detected} {run.data.usage}
        </p>
      )}
      {run.data?.notes && run.data.notes.length > 0 && (
        <details className="mt-2 max-w-prose text-[0.8125rem] text-muted">
          <summary className="cursor-pointer">{text.dataNotes(run.data.notes.length)}</summary>
          <ul className="mt-1 list-disc break-words pl-5">
            {run.data.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </details>
      )}
    </Panel>
  );
}
