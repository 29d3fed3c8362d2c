/** Examples as the kind that an objective needs. */
import { TabtuneError } from '../base/errors';
import type { Example } from './types';

export type ExampleOf<K extends Example['kind']> = Extract<Example, { kind: K }>;

/** Throws bad_data for an example of another kind; `what` is what it lacks, in words. */
export function exampleAs<K extends Example['kind']>(example: Example, kind: K, what: string): ExampleOf<K> {
  if (example.kind === kind) return example as ExampleOf<K>;
  throw new TabtuneError({
    code: 'bad_data',
    message: `Row ${example.row} has no label to learn: this objective needs ${what}.`,
    where: `row ${example.row}`,
    action: 'Choose a dataset with labels, map the columns, or choose another objective.',
  });
}

/** The text of an example that has neither a prompt nor an answer; null for the others. */
export function plainText(example: Example): string | null {
  if (example.kind === 'text' || example.kind === 'labelled') return example.text;
  return example.kind === 'tagged' ? example.tokens.join(' ') : null;
}
