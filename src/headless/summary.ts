/** summary.json and the lines of metrics.jsonl, in snake_case as in the Python ecosystem. */
import type { ParsedDataset, TokenizedDataset } from '../data/types';
import type { Forecast, MergedExport, RunSummary } from '../session/api';
import type { MetricsRow, RunRecord } from '../storage/types';

/** A step or an evaluation, told apart by `loss` and `eval_loss` as in transformers' log history. */
export function metricsLine({ kind, ...figures }: MetricsRow): Record<string, unknown> {
  if (kind === 'eval' || !figures.metrics) return figures;
  // A step's metrics are columns after its own, and replace none of them.
  const { metrics, ...columns } = figures;
  return { ...columns, ...metrics, ...columns };
}

export function summaryOf(
  summary: RunSummary,
  { inputs }: Pick<RunRecord, 'inputs'>,
  parsed: Pick<ParsedDataset, 'detected' | 'uses' | 'totalRows'>,
  { stats, maxLength }: TokenizedDataset,
  plan: Forecast,
  files: { path: string; bytes: Uint8Array }[],
  merged: MergedExport | null,
): Record<string, unknown> {
  const { device } = summary;
  return {
    recipe: summary.recipe,
    reason: summary.reason,
    steps: summary.steps,
    tokens: summary.tokens,
    seconds: summary.seconds,
    tokens_per_second: summary.seconds > 0 ? summary.tokens / summary.seconds : null,
    initial_eval_loss: summary.initialEvalLoss,
    final_eval_loss: summary.finalEvalLoss,
    best_eval_loss: summary.bestEvalLoss,
    best_step: summary.bestStep,
    metrics: summary.metrics,
    forgetting: summary.forgetting,
    weight_change: summary.weightChange,
    trainable_parameters: summary.trainableParameters,
    total_parameters: summary.totalParameters,
    gradient_checkpointing: summary.gradientCheckpointing,
    dispatches_per_step: summary.dispatchesPerStep,
    gpu_bytes: summary.gpuBytes,
    forecast_gpu_bytes: plan.totalBytes,
    dataset: {
      detected: parsed.detected,
      used: Object.fromEntries(parsed.uses.flatMap(({ column, part }) => (part === null ? [] : [[column, part]]))),
      not_used: parsed.uses.flatMap(({ column, part }) => (part === null ? [column] : [])),
      rows: parsed.totalRows,
      examples: stats.examples,
      train_examples: stats.trainExamples,
      validation_examples: stats.validationExamples,
      tokens: stats.tokens,
      target_tokens: stats.targetTokens,
      max_length: maxLength,
      truncated: stats.truncated,
    },
    // By content: another file of the same name has other hashes.
    inputs: inputs && {
      model: inputs.model,
      dataset: inputs.dataset,
      base_text: inputs.baseText,
      init_adapter: inputs.initAdapter,
      examples: inputs.examples,
    },
    files: [
      ...files.map(({ path, bytes }) => ({ path: `adapter/${path}`, bytes: bytes.byteLength })),
      ...(merged?.files ?? []).map(({ path, blob }) => ({ path: `model/${path}`, bytes: blob.size })),
    ],
    ...(merged && { merged: { max_logit_difference: merged.maxLogitDifference } }),
    adapter: {
      vendor: device.vendor,
      architecture: device.architecture,
      description: device.description,
      software: device.software,
      features: device.features,
    },
    versions: summary.versions,
  };
}
