/** The methods that PEFT or transformers can train. */
export { full } from './full';
export { lora } from './lora';
