/** The page behind `npm run headless`. */
import { isFramed } from '../base/framed';
import { connectEngine } from '../session/connections';
import { restrictRequests } from '../stores/hub-choice';
import { setHost } from './host';
import { program } from './program';

// Nothing here may be asked by a page around this one.
if (isFramed()) throw new Error('Tabtune does not run inside another page.');

setHost({
  tell: (message) => window.tabtuneTell(message),
  files: (input) => Array.from(document.querySelector<HTMLInputElement>(`#${input}`)?.files ?? []),
  parts: { connectEngine },
  restrict: restrictRequests,
});

window.tabtune = program;
