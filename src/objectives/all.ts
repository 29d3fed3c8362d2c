/** Every objective, a line each. Their order on the screen is their own `order`. */
export { maskedLm } from './masked-lm';
export { pretraining } from './pretraining';
export { sequenceClassification } from './sequence-classification';
export { sft } from './sft';
export { tokenClassification } from './token-classification';
