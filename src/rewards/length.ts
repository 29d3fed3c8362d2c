/** Whether the answer is as long as it should be. */
import { options } from '../recipe/spec';
import { NO_COLUMNS, type RewardCommon, type RewardDescriptor, type ScoredAnswer, ZERO_TO_ONE } from './reward';

export interface Length extends RewardCommon {
  type: 'length';
  unit: 'words' | 'tokens' | 'characters';
  min: number;
  max: number;
  slope: number;
}

const bound = (label: string, help: string, standard: number) =>
  ({ kind: 'int', label, help, default: standard, min: 0, max: 1_000_000, step: 1, source: 'ours' }) as const;

const lengthIn = (unit: Length['unit'], { completion, tokens }: ScoredAnswer): number => {
  if (unit === 'tokens') return tokens.length;
  if (unit === 'characters') return [...completion.trim()].length;
  return completion.split(/\s+/u).filter(Boolean).length;
};

export const length: RewardDescriptor<Length> = {
  type: 'length',
  label: 'Length',
  text: 'Gives 1 if the answer’s length is in a range, and less the further it is outside.',
  runs: 'worker',
  range: ZERO_TO_ONE,
  columns: NO_COLUMNS,
  fields: {
    unit: {
      kind: 'select',
      label: 'Count in',
      help: 'Tokens include the end token.',
      default: 'words',
      options: options({ words: 'words', tokens: 'tokens', characters: 'characters' }),
      source: 'ours',
    },
    min: bound('At least', 'The shortest answer that gets 1.', 1),
    max: bound('At most', 'The longest answer that gets 1.', 100),
    slope: bound('Falls to 0 within', 'So far outside the range the reward is 0; at 0 it is so at once.', 20),
  },
  *problems({ min, max }) {
    if (min > max) yield { key: 'min', message: `is ${min}, above max, which is ${max}.` };
  },
  scorer:
    ({ unit, min, max, slope }) =>
    (answer) => {
      const count = lengthIn(unit, answer);
      const outside = Math.max(min - count, count - max, 0);
      if (outside === 0) return 1;
      return slope === 0 ? 0 : Math.max(0, 1 - outside / slope);
    },
};
