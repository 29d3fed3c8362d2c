/** Whether the answer matches a regular expression. */
import { options } from '../recipe/spec';
import { NO_COLUMNS, type RewardCommon, type RewardDescriptor, ZERO_TO_ONE } from './reward';

export interface RegexReward extends RewardCommon {
  type: 'regex';
  pattern: string;
  flags: string;
  match: 'anywhere' | 'whole';
}

const compiled = ({ pattern, flags, match }: RegexReward) =>
  // With the flag m, ^ and $ would be the ends of a line.
  new RegExp(match === 'whole' ? `(?<![^])(?:${pattern})(?![^])` : pattern, flags);

export const regex: RewardDescriptor<RegexReward> = {
  type: 'regex',
  label: 'Regular expression',
  text: 'Gives 1 if the answer matches a regular expression, and 0 otherwise.',
  runs: 'worker',
  range: ZERO_TO_ONE,
  columns: NO_COLUMNS,
  fields: {
    pattern: {
      kind: 'text',
      label: 'Pattern',
      help: 'As JavaScript writes it, without slashes around it.',
      default: '',
      source: 'yours',
    },
    flags: {
      kind: 'text',
      label: 'Flags',
      help: 'i ignores capitals, s lets a dot match line breaks, m anchors at lines, u reads whole characters.',
      default: 's',
      source: 'TRL’s format rewards',
    },
    match: {
      kind: 'select',
      label: 'Match',
      help: 'Somewhere in the answer, or from its first letter to its last.',
      default: 'anywhere',
      options: options({ anywhere: 'anywhere', whole: 'the whole answer' }),
      source: 'ours',
    },
  },
  *problems(section) {
    if (section.pattern === '') yield { key: 'pattern', message: 'is empty.', action: 'Write a regular expression.' };
    // A pattern that remembers where it stopped (g, y) would score the same answer differently.
    if (/[^imsuv]/.test(section.flags)) {
      yield { key: 'flags', message: 'may have i, m, s, u or v.' };
      return;
    }
    try {
      compiled(section);
    } catch (cause) {
      yield {
        key: 'pattern',
        message: `is no regular expression (${cause instanceof Error ? cause.message : cause}).`,
      };
    }
  },
  scorer: (section) => {
    const pattern = compiled(section);
    return ({ completion }) => (pattern.test(completion) ? 1 : 0);
  },
};
