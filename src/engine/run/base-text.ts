/**
 * Text of the kind that the base was trained on: what forgetting is measured on, and what EWC weighs the weights by.
 */
import type { Batch, BatchKind } from '../../data/types';
import { textSection } from '../../objectives';
import type { Method } from '../methods/method';
import type { LanguageModel } from '../models/model';
import { createObjective } from '../objectives';
import type { Objective, ObjectiveInfo } from '../objectives/objective';
import { evaluate } from './evaluate';

/** In batches of one row. */
export interface BaseBatches {
  /** What forgetting is measured on. */
  measured: Batch[];
  /** What EWC weighs the weights by. */
  learned: Batch[];
}

export interface BaseText extends BaseBatches {
  /** What a model of this kind learns from plain text. */
  objective: Objective;
}

/** Null without text, or without a head that predicts tokens. */
export function baseTextOf(
  model: LanguageModel,
  info: Pick<ObjectiveInfo, 'maskTokenId'>,
  batches: ((kind: BatchKind) => BaseBatches) | null,
): BaseText | null {
  if (!batches || !model.heads.lm) return null;
  const objective = createObjective(textSection(model.kind), { ...info, vocabSize: model.vocabSize, task: null });
  return { objective, ...batches(objective.batches) };
}

/** Mean loss on the measured rows; null without base text, or when the run was stopped meanwhile. */
export async function baseTextLoss(
  model: LanguageModel,
  method: Method | null,
  base: BaseText | null,
  stopped: () => boolean = () => false,
): Promise<number | null> {
  if (!base) return null;
  const { objective, measured } = base;
  const evaluated = await evaluate({ model, method, objective }, measured, stopped);
  return evaluated?.loss ?? null;
}
