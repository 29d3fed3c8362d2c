/** The engine’s half of every objective, a line each. */
export { maskedLmTwin } from './masked-lm';
export { pretrainingTwin } from './pretraining';
export { sequenceClassificationTwin } from './sequence-classification';
export { sftTwin } from './sft';
export { tokenClassificationTwin } from './token-classification';
