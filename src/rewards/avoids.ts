/** Whether the answer keeps clear of words. */
import { NO_COLUMNS, type RewardCommon, type RewardDescriptor, ZERO_TO_ONE } from './reward';
import { finder, IGNORE_CASE, WHOLE_WORDS } from './words';

export interface Avoids extends RewardCommon {
  type: 'avoids';
  words: string[];
  ignore_case: boolean;
  whole_words: boolean;
}

export const avoids: RewardDescriptor<Avoids> = {
  type: 'avoids',
  label: 'Avoids',
  text: 'Gives 1 if the answer has none of the words, and 0 if it has one.',
  runs: 'worker',
  range: ZERO_TO_ONE,
  columns: NO_COLUMNS,
  fields: {
    words: { kind: 'lines', label: 'Words or phrases', help: 'One a line.', default: [], source: 'yours' },
    ignore_case: IGNORE_CASE,
    whole_words: WHOLE_WORDS,
  },
  *problems({ words }) {
    if (words.length === 0) {
      yield { key: 'words', message: 'is empty.', action: 'Write what the answer should not have.' };
    }
  },
  scorer: (section) => {
    const find = finder(section);
    return ({ completion }) => (section.words.some(find(completion)) ? 0 : 1);
  },
};
