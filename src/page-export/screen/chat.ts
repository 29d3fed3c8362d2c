/** A conversation with a model that writes. Nothing of it outlives the page. */
import type { PageGeneration, PageManifest } from '../../exports/page/manifest';
import type { Remote } from '../../rpc/rpc';
import type { InferenceApi } from '../inference';
import { element, growingField, icon } from './dom';
import { answerFault, exampleList, say, shell, showEmpty } from './shell';
import { words } from './words';

export interface Screen {
  /** Where the model's loading, and what stands in its way, is shown. */
  place(notice: HTMLElement | null): void;
  /** The model is open. */
  ready(): void;
}

interface Turn {
  text: string;
  expected: string;
}

export function chatScreen(
  manifest: PageManifest,
  generation: PageGeneration,
  engine: () => Remote<InferenceApi>,
): Screen {
  let turns: Turn[] = [];
  let writing: AbortController | null = null;
  let open = false;
  /** Sent before the model was open. */
  let early = false;

  const notice = element('div');
  const waits = element('p', { className: 'quiet', hidden: true }, words.early);
  const log = element('div', { className: 'log', attributes: { role: 'log', 'aria-label': words.conversation } });
  const field = growingField(words.ask, words.askPlaceholder, () => void send(field.value));
  const button = element('button', { type: 'submit', className: 'round' });
  const composer = element('form', { className: 'composer' }, field, button);
  const fresh = element('button', { type: 'button', className: 'plain', hidden: true }, icon('fresh'), words.fresh);
  const examples = exampleList(manifest.prompts, (prompt) => {
    field.value = prompt;
    field.focus();
    void send(prompt);
  });

  const update = () => {
    const stops = writing !== null;
    button.replaceChildren(icon(stops ? 'stop' : 'send'));
    button.setAttribute('aria-label', stops ? words.stop : words.send);
    button.classList.toggle('stop', stops);
    button.disabled = !stops && field.value.trim() === '';
  };

  async function send(text: string): Promise<void> {
    if (writing || text.trim() === '') return;
    if (!open) {
      early = true;
      waits.hidden = false;
      say(words.early);
      return;
    }
    const mine = new AbortController();
    writing = mine;
    field.value = '';
    showEmpty(false);
    fresh.hidden = false;
    const answer = element('p');
    const written = element(
      'article',
      { className: 'turn writing', attributes: { 'aria-label': words.model, 'aria-busy': 'true' } },
      answer,
    );
    const asked = element(
      'article',
      { className: 'turn asked', attributes: { 'aria-label': words.you } },
      element('p', {}, text),
    );
    log.append(asked, written);
    update();
    say(words.answering);
    asked.scrollIntoView({ block: 'start' });
    const remark = (line: string) => written.append(element('p', { className: 'quiet' }, line));
    try {
      const before = turns;
      const result = await engine().answer(
        { text, system: manifest.system, before },
        generation,
        (soFar) => {
          answer.textContent = soFar;
          followEnd();
        },
        mine.signal,
      );
      answer.textContent = result.text;
      // A new chat may have begun meanwhile.
      if (turns === before) turns = [...before, { text, expected: result.text }];
      if (result.text.trim() === '') remark(words.nothing);
      if (mine.signal.aborted) remark(words.stopped);
      else if (!result.ended) remark(words.cut);
      if (result.dropped > 0) remark(words.dropped);
      if (result.text.trim() !== '') written.append(copyButton(result.text));
      say(mine.signal.aborted ? words.stopped : words.answered);
    } catch (cause) {
      say('');
      field.value ||= text;
      written.replaceChildren(answerFault(cause));
    } finally {
      written.classList.remove('writing');
      written.setAttribute('aria-busy', 'false');
      writing = null;
      update();
      followEnd();
    }
  }

  composer.addEventListener('submit', (event) => {
    event.preventDefault();
    if (writing) writing.abort();
    else void send(field.value);
  });
  field.addEventListener('input', update);
  fresh.addEventListener('click', () => {
    writing?.abort();
    turns = [];
    log.replaceChildren();
    fresh.hidden = true;
    showEmpty(true);
    field.focus();
  });

  if (examples) shell.main.append(examples);
  shell.main.append(log);
  shell.footer.prepend(notice, waits, composer);
  shell.actions.append(fresh);
  update();
  return {
    place: (next) => notice.replaceChildren(...(next ? [next] : [])),
    ready() {
      open = true;
      waits.hidden = true;
      update();
      if (early) void send(field.value);
      else if (document.activeElement === document.body) field.focus({ preventScroll: true });
    },
  };
}

/** Keeps the end in sight for those who are reading there, and leaves others where they are. */
function followEnd(): void {
  const { scrollHeight, clientHeight, scrollTop } = document.documentElement;
  if (scrollHeight - clientHeight - scrollTop < 160) scrollTo({ top: scrollHeight });
}

function copyButton(text: string): HTMLElement {
  const label = element('span', {}, words.copy);
  const button = element('button', { type: 'button', className: 'plain' }, icon('copy'), label);
  button.addEventListener('click', () => {
    void navigator.clipboard.writeText(text).then(() => {
      label.textContent = words.copied;
      say(words.copied);
      setTimeout(() => {
        label.textContent = words.copy;
      }, 2000);
    });
  });
  return button;
}
