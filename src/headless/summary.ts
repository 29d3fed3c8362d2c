/** summary.json, in snake_case as in the Python ecosystem. */

import { FP16_LIMITS } from '../base/fp16';
import type { ParsedDataset, TokenizedDataset } from '../data/types';
import type { ExportId } from '../exports';
import type { Proof } from '../exports/export';
import type { Forecast, RunSummary } from '../session/api';
import type { RunRecord, StoredFp16Check } from '../storage/types';

/** An export in the output folder; paths begin with its folder. */
export interface WrittenExport {
  id: ExportId;
  proof: Proof | null;
  files: { path: string; bytes: number }[];
}

export function summaryOf(
  summary: RunSummary,
  { inputs }: Pick<RunRecord, 'inputs'>,
  parsed: Pick<ParsedDataset, 'detected' | 'uses' | 'totalRows'>,
  { stats, maxLength }: TokenizedDataset,
  plan: Forecast,
  written: readonly WrittenExport[],
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
    micro_batches_together: summary.microBatchesTogether,
    fp16: summary.fp16 && {
      used: summary.fp16.used,
      max_logit_difference: summary.fp16.logits,
      loss_difference: summary.fp16.loss,
      products: summary.fp16.products ?? null,
    },
    kernels: summary.kernels ?? null,
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
    files: written.flatMap(({ files }) => files),
    exports: Object.fromEntries(written.map(({ id, proof }) => [id, proof && proofOf(proof)])),
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

/** What the comparison of a run's first batch in 16 and 32 bits came to. */
export function fp16Note({ used, logits, loss, products }: StoredFp16Check): string {
  if (used && products === 0) {
    return 'training.fp16: on, but no product of the first batch’s forward pass is large enough for 16 bits; only weights are rounded, in gradients.';
  }
  const shown = (difference: number | null) => difference?.toPrecision(2) ?? 'no finite number';
  const apart = `its logits differ from those in 32 bits by ${shown(logits)}, its loss by ${shown(loss)}`;
  return used
    ? `training.fp16: on. Of the first batch, ${apart}.`
    : `training.fp16: refused, so the run is in 32 bits. Of the first batch, ${apart}; at most ${FP16_LIMITS.logits} and ${FP16_LIMITS.loss} are allowed.`;
}

/** Null for what could not be compared. */
const proofOf = (proof: Proof) => ({
  texts: proof.texts,
  tokens: proof.tokens,
  max_logit_difference: proof.maxLogitDifference,
  largest_logit: proof.largestLogit,
  same_next_tokens: proof.sameChoices,
  carried: proof.carried,
  rounding: proof.rounding,
  perplexity_before: proof.perplexity?.before ?? null,
  perplexity_after: proof.perplexity?.after ?? null,
});
