/** Examples of which the answers are imitated, whatever their shape: of two answers the better one, and none that is marked as bad. */
import type { ObjectiveData } from './objective-data';
import type { DataProblem, Example } from './types';

/** Everything but prompts alone. */
export const answered: NonNullable<ObjectiveData['needs']> = {
  kind: ['messages', 'prompt_completion', 'text', 'labelled', 'tagged', 'pair', 'judged'],
  message: 'These are prompts without answers, and there is nothing in them to imitate.',
  action: 'Map the column of the answers, or choose an objective that learns from rewards.',
};

/** Why an answer is not imitated; null if it is. */
export function unwanted(example: Example): DataProblem | null {
  if (example.kind !== 'judged' || example.good) return null;
  return {
    severity: 'warning',
    code: 'unwanted_answer',
    row: example.row,
    message: `Row ${example.row} is marked as a bad answer.`,
    action: 'It was left out, because training on it would teach an unwanted answer.',
    dropped: true,
  };
}

/** Says that the worse answers are not read. */
export function imitationWarnings(examples: readonly Example[]): DataProblem[] {
  const pairs = examples.reduce((sum, { kind }) => sum + (kind === 'pair' ? 1 : 0), 0);
  if (pairs === 0) return [];
  const rows = pairs === 1 ? 'One example is a pair' : `${pairs.toLocaleString('en')} examples are pairs`;
  return [
    {
      severity: 'warning',
      code: 'better_only',
      message: `${rows} of answers: the better one is imitated, and the worse one is not read.`,
      action: 'Choose an objective that compares answers to learn from both.',
      dropped: false,
    },
  ];
}
