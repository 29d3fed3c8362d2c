import type { Example } from '../../../data/types';
import { cellsOf } from './cells';

/** An example in a line, for lists; the page shortens it further. */
export function exampleText(example: Example | undefined): string {
  if (!example) return '';
  return cellsOf(example)
    .map(({ text }) => text.slice(0, 400))
    .join(' → ')
    .replace(/\s+/g, ' ');
}
