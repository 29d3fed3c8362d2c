/** Every objective, a line each. Their order on the screen is their own `order`. */

export { cpo } from './cpo';
export { dpo } from './dpo';
export { grpo } from './grpo';
export { kto } from './kto';
export { maskedLm } from './masked-lm';
export { onlineDpo } from './online-dpo';
export { orpo } from './orpo';
export { ppo } from './ppo';
export { pretraining } from './pretraining';
export { rejectionSampling } from './rejection-sampling';
export { reward } from './reward';
export { rloo } from './rloo';
export { sequenceClassification } from './sequence-classification';
export { sft } from './sft';
export { tokenClassification } from './token-classification';
