import { cpo } from './cpo';
import { dpo } from './dpo';
import { grpo } from './grpo';
import { kto } from './kto';
import { orpo } from './orpo';
import { pretraining } from './pretraining';
import { reward } from './reward';
import { sft } from './sft';

/** Objectives that other trainers have too. A config is read as the first one that claims it. */
export const all = [grpo, kto, orpo, cpo, dpo, reward, pretraining, sft] as const;
