/** Examples as the kind that an objective needs. Light, because objectives are part of the page's first load. */
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

/** The text of a label that a generative model learns to write. */
export function writtenLabel({ labels, written }: Pick<ExampleOf<'labelled'>, 'labels' | 'written'>): string {
  return written ?? (typeof labels === 'number' ? String(labels) : labels.join(', '));
}

/** What a split keeps together: equal examples, and answers to one prompt where answers are compared. */
export const togetherKey = (example: Example): string =>
  example.kind === 'pair' || example.kind === 'judged' || example.kind === 'prompt'
    ? JSON.stringify(example.prompt)
    : exampleKey(example);

/** A key that is equal for equal content, regardless of the row. */
export function exampleKey(example: Example): string {
  switch (example.kind) {
    case 'messages':
      return JSON.stringify(
        example.messages.map((m) => (m.thoughts ? [m.role, m.content, m.thoughts] : [m.role, m.content])),
      );
    case 'prompt_completion':
      return JSON.stringify([example.prompt, example.completion]);
    case 'text':
      return example.text;
    case 'labelled':
      return JSON.stringify([example.text, writtenLabel(example)]);
    case 'tagged':
      return JSON.stringify([example.tokens, example.tags]);
    case 'pair':
      return JSON.stringify([example.prompt, example.chosen, example.rejected]);
    case 'judged':
      return JSON.stringify([example.prompt, example.completion, example.good]);
    case 'prompt':
      return JSON.stringify([example.prompt, example.columns]);
  }
  example satisfies never;
}
