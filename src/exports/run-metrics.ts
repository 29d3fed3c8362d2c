/** The metrics of a run as files: metrics.jsonl, a table, and what transformers' Trainer leaves beside a checkpoint. */
import type { Recipe } from '../recipe/types';
import type { EvalMetrics, MetricsRow, RunRecord, StepMetrics } from '../storage/types';

/** A step or an evaluation, told apart by `loss` and `eval_loss` as in transformers' log history. */
export function metricsLine({ kind, ...figures }: MetricsRow): Record<string, unknown> {
  if (kind === 'eval' || !figures.metrics) return figures;
  // A step's metrics are columns after its own, and replace none of them.
  const { metrics, ...columns } = figures;
  return { ...columns, ...metrics, ...columns };
}

/** metrics.jsonl, as the headless runner writes it. */
export const metricsJsonl = (rows: readonly MetricsRow[]): string =>
  rows.map((row) => `${JSON.stringify(metricsLine(row))}\n`).join('');

/** Metrics of an evaluation under the names that Trainer gives them: `eval_accuracy`. */
const evalColumns = ({ eval_loss, perplexity, metrics }: EvalMetrics): Record<string, number | undefined> => ({
  eval_loss,
  eval_perplexity: perplexity,
  ...Object.fromEntries(Object.entries(metrics ?? {}).map(([name, value]) => [`eval_${name}`, value])),
});

const stepColumns = ({ kind: _, step: _step, epoch: _epoch, metrics, ...own }: StepMetrics) => ({
  ...own,
  ...metrics,
  ...own,
});

/** One line per step, with its evaluation beside it; what was not measured, or is not a number, is left empty. */
export function metricsCsv(rows: readonly MetricsRow[]): string {
  const lines = new Map<number, Record<string, number | undefined>>();
  const names = new Set<string>(['step', 'epoch']);
  for (const row of rows) {
    const { step, epoch } = row;
    const columns = row.kind === 'step' ? stepColumns(row) : evalColumns(row);
    for (const [name, value] of Object.entries(columns)) if (value !== undefined) names.add(name);
    lines.set(step, { ...lines.get(step), step, epoch, ...columns });
  }
  const header = [...names];
  const cells = [...lines]
    .sort(([a], [b]) => a - b)
    .map(([, line]) => header.map((name) => (Number.isFinite(line[name]) ? String(line[name]) : '')));
  return [header.map(quoted), ...cells].map((line) => `${line.join(',')}\n`).join('');
}

const quoted = (name: string) => (/[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);

/** The fields of transformers' TrainerState (5.x), in the order in which `save_to_json` writes them. */
export interface TrainerState {
  best_global_step: number | null;
  best_metric: number | null;
  best_model_checkpoint: string | null;
  epoch: number;
  eval_steps: number;
  global_step: number;
  is_hyper_param_search: boolean;
  is_local_process_zero: boolean;
  is_world_process_zero: boolean;
  log_history: Record<string, number>[];
  logging_steps: number;
  max_steps: number;
  num_input_tokens_seen: number;
  num_train_epochs: number;
  save_steps: number;
  stateful_callbacks: Record<string, never>;
  total_flos: number;
  train_batch_size: number;
  trial_name: string | null;
  trial_params: null;
}

type Saved = Pick<RunRecord, 'status' | 'step' | 'totalSteps' | 'bestEvalLoss' | 'bestStep' | 'seconds' | 'recipe'>;

/**
 * trainer_state.json. What Trainer would know and we do not (floating-point operations, its callbacks) has the value that
 * the field begins with there.
 */
export function trainerState(run: Saved, rows: readonly MetricsRow[]): TrainerState {
  const { training } = run.recipe;
  const last = rows.at(-1);
  const lastStep = rows.findLast((row) => row.kind === 'step');
  return {
    best_global_step: run.bestStep,
    best_metric: run.bestEvalLoss,
    best_model_checkpoint: run.bestStep === null ? null : `checkpoint-${run.bestStep}`,
    epoch: last?.epoch ?? 0,
    eval_steps: training.eval_steps || run.totalSteps,
    global_step: run.step,
    is_hyper_param_search: false,
    is_local_process_zero: true,
    is_world_process_zero: true,
    log_history: logHistory(run, rows),
    logging_steps: 1,
    max_steps: run.totalSteps,
    num_input_tokens_seen: lastStep?.tokens ?? 0,
    num_train_epochs: epochsOf(training, run.totalSteps, lastStep),
    save_steps: training.save_steps || run.totalSteps,
    stateful_callbacks: {},
    total_flos: 0,
    train_batch_size: training.per_device_train_batch_size,
    trial_name: null,
    trial_params: null,
  };
}

/** Whole epochs, the last of which may be cut short. Under `max_steps` the steps decide. */
function epochsOf(training: Recipe['training'], total: number, last: StepMetrics | undefined): number {
  if (training.max_steps <= 0) return Math.ceil(training.num_train_epochs);
  if (!last || last.step === 0) return 0;
  return Math.ceil(Number(((total * last.epoch) / last.step).toPrecision(9)));
}

const ended: readonly RunRecord['status'][] = ['completed', 'early_stopped', 'stopped'];

function logHistory(run: Saved, rows: readonly MetricsRow[]): Record<string, number>[] {
  const logs = rows.map((row): Record<string, number | undefined> => {
    const { step, epoch } = row;
    if (row.kind === 'eval') return { epoch, ...evalColumns(row), step };
    const { loss, grad_norm, learning_rate, tokens, metrics } = row;
    const own = { epoch, grad_norm, learning_rate, loss, num_input_tokens_seen: tokens, step };
    return { ...metrics, ...own };
  });
  const steps = rows.filter((row) => row.kind === 'step');
  const last = steps.at(-1);
  if (last && ended.includes(run.status)) {
    const seconds = run.seconds ?? last.seconds;
    logs.push({
      epoch: last.epoch,
      train_loss: steps.reduce((sum, { loss }) => sum + loss, 0) / steps.length,
      train_runtime: seconds,
      ...(seconds > 0 && { train_steps_per_second: last.step / seconds }),
      step: last.step,
    });
  }
  // JSON has no NaN.
  return logs.map((log) =>
    Object.fromEntries(Object.entries(log).filter((entry): entry is [string, number] => Number.isFinite(entry[1]))),
  );
}

export type MetricsFormat = 'csv' | 'jsonl' | 'trainer_state';

/** The text of a file, and what it is called beside the run's other files. */
export function metricsFile(
  format: MetricsFormat,
  run: RunRecord,
  rows: readonly MetricsRow[],
): { text: string; type: string; ending: string } {
  if (format === 'csv') return { text: metricsCsv(rows), type: 'text/csv', ending: 'metrics.csv' };
  if (format === 'jsonl') return { text: metricsJsonl(rows), type: 'application/jsonl', ending: 'metrics.jsonl' };
  const text = `${JSON.stringify(trainerState(run, rows), null, 2)}\n`;
  return { text, type: 'application/json', ending: 'trainer_state.json' };
}
