/** The objectives that the script can train. */
export { cpo } from './cpo';
export { dpo } from './dpo';
export { kto } from './kto';
export { maskedLm } from './masked-lm';
export { orpo } from './orpo';
export { pretraining } from './pretraining';
export { reward } from './reward';
export { sequenceClassification } from './sequence-classification';
export { sft } from './sft';
export { tokenClassification } from './token-classification';
