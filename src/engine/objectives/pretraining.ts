/** Continued pretraining: the loss of sft.ts. Its data differ: every token of plain text is a target. */
import type { PretrainingObjective } from '../../objectives/pretraining';
import type { ObjectiveTwin } from './objective';
import { sft } from './sft';

export const pretrainingTwin: ObjectiveTwin<PretrainingObjective> = { type: 'pretraining', create: () => sft };
