/** A goal that several objectives share, each on its kind of model. */
import type { Goal } from './objective';

export const READ_MORE: Goal = {
  name: 'Read more of my domain',
  text: 'It learns from every word of plain text: the language of a domain, not how to answer.',
  formats: ['text'],
};
