/** The objectives that the script can train. */
export { sft } from './sft';
