/** The engine’s half of every objective, a line each. */

export { cpoTwin } from './cpo';
export { dpoTwin } from './dpo';
export { grpoTwin } from './grpo';
export { ktoTwin } from './kto';
export { maskedLmTwin } from './masked-lm';
export { onlineDpoTwin } from './online-dpo';
export { orpoTwin } from './orpo';
export { ppoTwin } from './ppo';
export { pretrainingTwin } from './pretraining';
export { rejectionSamplingTwin } from './rejection-sampling';
export { rewardTwin } from './reward';
export { rlooTwin } from './rloo';
export { sequenceClassificationTwin } from './sequence-classification';
export { sftTwin } from './sft';
export { tokenClassificationTwin } from './token-classification';
