/** The methods that the script can train with. */
export { full } from './full';
export { head } from './head';
export { ia3 } from './ia3';
export { lora } from './lora';
export { pTuning } from './p-tuning';
export { prefixTuning } from './prefix-tuning';
export { promptTuning } from './prompt-tuning';
