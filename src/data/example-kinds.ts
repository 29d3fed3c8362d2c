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
  }
  example satisfies never;
}
