/** The parts of the page that index.html has, and what every screen needs of them. */
import { type ErrorCode, type ErrorData, TabtuneError } from '../../base/errors';
import { element } from './dom';
import { words } from './words';

const byId = (id: string): HTMLElement => {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no element #${id}.`);
  return found;
};

export const shell = {
  header: document.querySelector('header')!,
  main: document.querySelector('main')!,
  footer: document.querySelector('footer')!,
  title: document.querySelector('h1')!,
  about: byId('about'),
  actions: byId('actions'),
};

/** Read aloud; what it says is also seen. */
export function say(text: string): void {
  byId('status').textContent = text;
}

/** Before the first message, or after it. */
export function showEmpty(empty: boolean): void {
  document.body.classList.toggle('empty', empty);
  if (empty) shell.main.prepend(shell.title);
  else shell.header.prepend(shell.title);
}

/** After these, the model has to be opened again. Their own advice is for whoever trains. */
const RELOADED: Partial<Record<ErrorCode, string>> = {
  gpu_lost: words.reloads,
  gpu_out_of_memory: words.noRoom,
  worker_died: words.reloads,
  timeout: words.reloads,
};

export function errorOf(cause: unknown): ErrorData {
  const error = TabtuneError.from(cause, {
    code: 'internal',
    message: 'Something went wrong in this page.',
    action: 'Try again; if it happens again, reload the page.',
  }).toData();
  return { ...error, action: RELOADED[error.code] ?? error.action };
}

/** An error of an answer; the conversation stays until the page is reloaded. */
export function answerFault(cause: unknown): HTMLElement {
  const error = errorOf(cause);
  return fault(error, RELOADED[error.code] ? { label: words.reload, press: () => location.reload() } : undefined);
}

/** What went wrong, what to do, and a button that does it. */
export function fault(error: ErrorData, again?: { label: string; press(): void }): HTMLElement {
  const { message, action, where, details } = error;
  const technical = [where, details].filter(Boolean).join('\n');
  return element(
    'div',
    { className: 'card notice fault', attributes: { role: 'alert' } },
    element('p', {}, element('strong', {}, message)),
    action ? element('p', {}, action) : null,
    technical
      ? element('details', { className: 'quiet' }, element('summary', {}, 'Details'), element('code', {}, technical))
      : null,
    again ? element('button', { type: 'button', className: 'primary', onclick: again.press }, again.label) : null,
  );
}

/** Examples as buttons; nothing without any. */
export function exampleList(prompts: readonly string[], press: (prompt: string) => void): HTMLElement | null {
  if (prompts.length === 0) return null;
  const items = prompts.map((prompt) =>
    element(
      'li',
      {},
      element('button', { type: 'button', title: prompt, onclick: () => press(prompt) }, element('span', {}, prompt)),
    ),
  );
  return element('ul', { className: 'examples', attributes: { 'aria-label': words.examples } }, ...items);
}
