/** Text that was copied out of web pages with its codes: “&amp;”, “&#39;”, “<br>”. It is learned as it stands, and that is said. */
import { excerpt } from './problems';
import type { DataProblem } from './types';

const ENTITY =
  /&(?:amp|lt|gt|quot|apos|nbsp|#39|#\d{2,5}|#x[0-9a-f]{2,5}|[aeiou](?:acute|grave|circ|uml)|ntilde|ccedil|szlig|rsquo|lsquo|[lr]dquo|hellip|[mn]dash);/gi;
/** Of this much text, from the beginning. */
const SAMPLE = 2_000_000;
/** A text may speak about HTML once. */
const FEW = 3;

export function htmlEntities(text: string): DataProblem[] {
  const sample = text.slice(0, SAMPLE);
  let places = 0;
  let first = -1;
  for (const match of sample.matchAll(ENTITY)) {
    if (first === -1) first = match.index;
    places++;
  }
  if (places < FEW) return [];
  const start = Math.max(0, sample.lastIndexOf(' ', Math.max(0, first - 12)) + 1);
  return [
    {
      severity: 'warning',
      code: 'html_entities',
      message: `The text has HTML entities, such as in “${excerpt(sample.slice(start, first + 30), 40)}”: ${places.toLocaleString('en')}${text.length > SAMPLE ? ' in its beginning' : ''}.`,
      action:
        'They are learned as they stand. If they are meant as letters, unescape them first, e.g. with Python’s html.unescape.',
      dropped: false,
    },
  ];
}
