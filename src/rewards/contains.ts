/** Whether the answer has the words that it should have. */
import { options } from '../recipe/spec';
import { columnText } from './answer-text';
import { type RewardCommon, type RewardDescriptor, ZERO_TO_ONE } from './reward';
import { finder, IGNORE_CASE, WHOLE_WORDS } from './words';

export interface Contains extends RewardCommon {
  type: 'contains';
  words: string[];
  column: string | null;
  count: 'all' | 'any' | 'share';
  ignore_case: boolean;
  whole_words: boolean;
}

export const contains: RewardDescriptor<Contains> = {
  type: 'contains',
  label: 'Contains',
  text: 'Gives 1 if the answer has the words that it should have, or the share of them that it has.',
  runs: 'worker',
  range: ZERO_TO_ONE,
  columns: ({ column }) => (column === null ? [] : [column]),
  fields: {
    words: {
      kind: 'lines',
      label: 'Words or phrases',
      help: 'One a line.',
      default: [],
      source: 'yours',
    },
    column: {
      kind: 'text',
      label: 'Column with another one',
      help: 'A column of the dataset with a text, or a list of texts, that the answer should have as well.',
      default: null,
      source: 'ours',
    },
    count: {
      kind: 'select',
      label: 'Count',
      help: 'All of them must be there, any one is enough, or the share that is there counts.',
      default: 'all',
      options: options({ all: 'all must be there', any: 'any is enough', share: 'the share that is there' }),
      source: 'ours',
    },
    ignore_case: IGNORE_CASE,
    whole_words: WHOLE_WORDS,
  },
  *problems({ words, column }) {
    if (words.length === 0 && column === null) {
      yield {
        key: 'words',
        message: 'is empty, and no column is named.',
        action: 'Write what the answer should have.',
      };
    }
  },
  scorer: (section) => {
    const find = finder(section);
    return ({ completion, columns }) => {
      const wanted = [...section.words, ...fromColumn(section.column === null ? null : columns[section.column])];
      if (wanted.length === 0) return null;
      const has = find(completion);
      const found = wanted.filter(has).length;
      if (section.count === 'share') return found / wanted.length;
      return (section.count === 'any' ? found > 0 : found === wanted.length) ? 1 : 0;
    };
  },
};

function fromColumn(value: unknown): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.map(columnText).filter((text) => text !== null);
}
