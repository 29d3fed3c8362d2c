/** Whether the answer is the one that the dataset expects. */
import { options } from '../recipe/spec';
import { afterThoughts, columnText, normalised } from './answer-text';
import { type RewardCommon, type RewardDescriptor, ZERO_TO_ONE } from './reward';

export interface ExactAnswer extends RewardCommon {
  type: 'exact_answer';
  column: string;
  compare: 'number' | 'text';
  tolerance: number;
  ignore_case: boolean;
  ignore_punctuation: boolean;
}

export const exactAnswer: RewardDescriptor<ExactAnswer> = {
  type: 'exact_answer',
  label: 'Exact answer',
  text: 'Gives 1 if the answer is what a column of the dataset expects, and 0 otherwise.',
  runs: 'worker',
  range: ZERO_TO_ONE,
  columns: ({ column }) => [column],
  fields: {
    column: {
      kind: 'text',
      label: 'Column with the expected answer',
      help: 'A whole solution may be in it: what is expected is read from it as from an answer.',
      default: 'answer',
      source: 'the column of GSM8K',
    },
    compare: {
      kind: 'select',
      label: 'Compare',
      help: 'Number: what follows ####, a box, or else the last number of the text. Text: all of it. Thoughts are left out.',
      default: 'number',
      options: options({ number: 'number', text: 'text' }),
      source: 'GSM8K',
    },
    tolerance: {
      kind: 'number',
      label: 'Difference allowed',
      help: 'Numbers that differ by at most this are equal.',
      default: 0,
      min: 0,
      max: 1e9,
      step: 0.01,
      source: 'GSM8K',
    },
    ignore_case: {
      kind: 'bool',
      label: 'Ignore capitals',
      help: 'Of texts: “Paris” equals “paris”.',
      default: true,
      source: 'ours: how SQuAD compares answers',
    },
    ignore_punctuation: {
      kind: 'bool',
      label: 'Ignore punctuation',
      help: 'Of texts: “Paris.” equals “Paris”.',
      default: true,
      source: 'ours: how SQuAD compares answers',
    },
  },
  async scorer(section) {
    const { column, compare, tolerance } = section;
    // Only the worker that scores compares numbers.
    const { answerNumber, sameNumber } = await import('./numbers');
    return ({ completion, columns }) => {
      const expected = columnText(columns[column]);
      if (expected === null) return null;
      const answer = afterThoughts(completion);
      if (compare === 'text') return normalised(answer, section) === normalised(expected, section) ? 1 : 0;
      const wanted = answerNumber(expected);
      if (!wanted) return null;
      const given = answerNumber(answer);
      return given && sameNumber(given, wanted, tolerance) ? 1 : 0;
    };
  },
};
