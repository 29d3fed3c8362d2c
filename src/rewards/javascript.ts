/** A function that the person writes. It runs in a sandbox (src/workers/reward), never in the page or a worker of ours. */
import { NO_COLUMNS, type RewardCommon, type RewardDescriptor } from './reward';

export interface JavascriptReward extends RewardCommon {
  type: 'javascript';
  code: string;
}

export const EXAMPLE_CODE = `// Gives the reward of one answer: a number, or null to say nothing about it.
function reward({ prompt, completion, columns, finished, tokens }) {
  return completion.trim().endsWith('.') ? 1 : 0;
}
`;

export const javascript: RewardDescriptor<JavascriptReward> = {
  type: 'javascript',
  label: 'JavaScript',
  text: 'Gives what a function of yours returns, which runs in a sandbox without a way out.',
  runs: 'sandbox',
  range: () => null,
  columns: NO_COLUMNS,
  fields: {
    code: {
      kind: 'code',
      language: 'javascript',
      label: 'Code',
      help: 'Declares a function called reward, which gets one answer and returns a number, or null to say nothing about it.',
      default: EXAMPLE_CODE,
      source: 'ours',
    },
  },
  *problems({ code }) {
    if (!/\breward\b/.test(code)) {
      yield {
        key: 'code',
        message: 'declares no function called reward.',
        action: 'Write function reward(answer) { … }.',
      };
    }
  },
};
