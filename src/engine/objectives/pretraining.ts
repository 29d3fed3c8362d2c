/**
 * Continued pretraining: the next token of plain text, every token a target. The arithmetic is that of sft.ts; only the data
 * differ, which are packed (`NextTokenBatch.starts`).
 */
import type { PretrainingObjective } from '../../objectives/pretraining';
import type { ObjectiveTwin } from './objective';
import { sft } from './sft';

export const pretrainingTwin: ObjectiveTwin<PretrainingObjective> = { type: 'pretraining', create: () => sft };
