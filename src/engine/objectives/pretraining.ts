/**
 * Continued pretraining: the next token of plain text, every token a target. The arithmetic is that of sft.ts; what differs
 * is the data, which is packed (`Batch.starts`).
 */
import type { Objective } from './objective';
import { sft } from './sft';

export const pretraining: Objective = sft;
