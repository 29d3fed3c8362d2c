/** The methods that the script can train with. */
export { full } from './full';
export { ia3 } from './ia3';
export { lora } from './lora';
