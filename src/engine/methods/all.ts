/** The engine's half of every method, one per line. */
export { bottleneck } from './bottleneck';
export { full } from './full';
export { gradualUnfreezing } from './gradual-unfreezing';
export { head } from './head';
export { ia3 } from './ia3';
export { lora } from './lora';
export { pTuning } from './p-tuning';
export { prefixTuning } from './prefix-tuning';
export { promptTuning } from './prompt-tuning';
