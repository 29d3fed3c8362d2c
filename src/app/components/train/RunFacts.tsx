import { objectiveOf } from '../../../objectives';
import { BASE_TEXT_LOSS } from '../../../objectives/metrics';
import type { EvalMetrics, MetricsRow, RunRecord, RunStatus } from '../../../storage/types';
import { bestEvaluation, earnsRewards, isEvaluation, shownLoss, validationLoss } from '../../../stores/evaluations';
import { unfinished } from '../../../stores/runs';
import { useFields } from '../../../stores/select';
import { lastStep, stepReached, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { whatChanged } from '../../text/runs';
import { factsText as text } from '../../text/train';
import { Badge } from '../../ui/Badge';
import { type Fact, Facts } from '../../ui/Facts';
import { Panel } from '../../ui/Panel';
import {
  formatBytes,
  formatCompact,
  formatCount,
  formatDuration,
  formatMetric,
  formatPart,
  formatWhen,
} from '../../util/format';
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

/** The loss of the checkpoint that is kept, against the base's and the latest. */
function validation(run: RunRecord, rows: MetricsRow[]): Fact {
  const { before, best, latest } = validationLoss(run, rows);
  const earns = earnsRewards(run);
  const help = earns ? text.rewardHelp : objectiveOf(run.recipe.objective)?.loss;
  const shown = (loss: number | null) => formatMetric(shownLoss(run, loss));
  if (!best) {
    const note = before === null ? undefined : text.beforeTraining;
    return { name: earns ? text.reward : common.validationLoss, help, value: shown(before), note };
  }
  const notes = [text.atStep(best.step), ...(before === null ? [] : [text.before(shown(before))])];
  if (latest && latest.step !== best.step) notes.push(text.latest(shown(latest.loss)));
  return {
    name: earns ? text.bestReward : common.bestValidationLoss,
    help,
    value: shown(best.loss),
    note: notes.join('; '),
  };
}

/** The two most telling metrics of the same checkpoint, and their values before training. */
function scores(run: RunRecord, rows: MetricsRow[]): Fact[] {
  const evals = measuredIn(rows);
  const best = bestEvaluation(evals) ?? evals.at(-1);
  return metricsIn(evals, knownMetrics(run))
    .slice(0, 2)
    .map(({ name, label, help }) => ({
      name: label,
      help,
      value: formatMetric(best?.metrics?.[name]),
      note: best && against(best.step, evals[0]?.step === 0 ? evals[0].metrics?.[name] : undefined),
    }));
}

/** How much the loss on text like the base's training data has risen. */
function forgetting(rows: MetricsRow[]): Fact[] {
  const measured = rows.filter((row): row is EvalMetrics => isEvaluation(row) && baseTextLossOf(row) !== null);
  const best = bestEvaluation(measured) ?? measured.at(-1);
  if (!best) return [];
  const before = measured[0]!.step === 0 ? baseTextLossOf(measured[0]!)! : undefined;
  return [
    {
      name: BASE_TEXT_LOSS.label,
      help: BASE_TEXT_LOSS.help,
      value: formatMetric(baseTextLossOf(best)),
      note: against(best.step, before),
    },
  ];
}

/** Which evaluation a value is of, and what it was before. */
function against(step: number, before: number | undefined): string {
  if (step === 0) return text.beforeTraining;
  return [text.atStep(step), ...(before === undefined ? [] : [text.before(formatMetric(before))])].join('; ');
}

/** What an interruption would leave, and how often that is renewed. */
function keeping(run: RunRecord, live: boolean, saved: { step: number; everySeconds: number } | null): Fact[] {
  if (live) {
    const step = saved?.step ?? run.savedStep;
    return [
      {
        name: text.saved,
        help: text.savedHelp,
        value: step === undefined ? text.notSaved : text.savedStep(step),
        note: saved ? text.savedEvery(formatDuration(saved.everySeconds)) : undefined,
      },
    ];
  }
  if (!unfinished(run) || run.savedStep === undefined) return [];
  return [{ name: text.saved, value: text.savedStep(run.savedStep), note: text.resumesThere }];
}

/** Whether products are in 16 bits, where that was asked for, and by how much that changes the first batch. */
function fp16({ fp16: check }: RunRecord): Fact[] {
  if (!check) return [];
  const shown = (difference: number | null) =>
    difference === null ? text.fp16NoNumber : difference === 0 ? '0' : difference.toPrecision(2);
  return [
    {
      name: text.fp16,
      help: text.fp16Help,
      value: check.used ? text.fp16On : text.fp16Refused,
      note: check.products === 0 ? text.fp16None : text.fp16Apart(shown(check.logits), shown(check.loss)),
    },
  ];
}

/** Which run is shown, and how it is. */
export function RunTitle({ run }: { run: RunRecord }) {
  const phase = useTraining((state) => state.phase);
  const status = phase === 'idle' ? run.status : phase === 'paused' ? 'paused' : 'running';
  return (
    <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <span className="min-w-0 break-words text-[0.9375rem] font-semibold">{run.name}</span>
      <span className="text-[0.8125rem] text-muted">{formatWhen(run.createdAt)}</span>
      <StatusBadge status={status} />
      {run.changes && <span className="basis-full text-[0.8125rem] text-warn">{whatChanged(run.changes)}</span>}
    </p>
  );
}

/** The metrics of the run shown, at a glance. */
export function RunFacts({ run }: { run: RunRecord }) {
  const { phase, rows, totalSteps, tokensPerSecond, secondsLeft, summary, saved } = useTraining(
    useFields('phase', 'rows', 'totalSteps', 'tokensPerSecond', 'secondsLeft', 'summary', 'saved'),
  );
  const reached = useTraining(stepReached);
  const step = lastStep({ rows });
  const live = phase !== 'idle';
  const seconds = summary?.seconds ?? step?.seconds ?? null;
  const speed = live ? tokensPerSecond : step && step.seconds > 0 ? step.tokens / step.seconds : 0;
  return (
    <Panel title={text.title}>
      <Facts
        columns={4}
        facts={[
          {
            name: text.step,
            value: text.stepOf(reached, totalSteps || run.totalSteps),
            note: step && text.epoch(step.epoch.toFixed(2)),
          },
          {
            name: common.trainingLoss,
            help: objectiveOf(run.recipe.objective)?.loss,
            value: formatMetric(step?.loss ?? run.finalLoss),
          },
          validation(run, rows),
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
          ...fp16(run),
          ...keeping(run, live, saved),
          {
            name: text.trained,
            value: common.parameters(formatCompact(run.trainableParameters)),
            note: formatPart(run.trainableParameters, run.totalParameters),
          },
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
