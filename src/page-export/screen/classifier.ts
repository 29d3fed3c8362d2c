/** A form for models that label texts or words, or score answers. */
import { WORD_LABELS } from '../../base/task';
import type { LabelScore } from '../../data/label-scores';
import type { PageManifest } from '../../exports/page/manifest';
import type { Remote } from '../../rpc/rpc';
import type { InferenceApi } from '../inference';
import type { Screen } from './chat';
import { element, growingField } from './dom';
import { answerFault, exampleList, say, shell } from './shell';
import { words } from './words';

/** Labels that are shown; the others are counted. */
const SHOWN = 12;
/** The label of words that have none, in the IOB scheme. */
const NO_LABEL = 'O';

const share = (probability: number) => `${(100 * probability).toFixed(1)} %`;

export function classifierScreen(manifest: PageManifest, engine: () => Remote<InferenceApi>): Screen {
  const judges = manifest.form === 'answers';
  const labelled = (label: string, field: HTMLElement) => element('label', {}, label, field);
  const submit = () => void ask();
  const text = growingField(judges ? words.prompt : words.text, words.textPlaceholder, submit);
  const answer = growingField(words.answer, '', submit);
  const verb = { texts: words.classify, words: words.find, answers: words.score, chat: words.send }[manifest.form];
  const button = element('button', { type: 'submit', className: 'primary', disabled: true }, verb);
  const notice = element('div');
  const waits = element('p', { className: 'quiet', hidden: true }, words.early);
  const form = element(
    'form',
    { className: 'card' },
    labelled(judges ? words.prompt : words.text, text),
    judges && labelled(words.answer, answer),
    button,
  );
  const result = element('section', {
    className: 'card result',
    hidden: true,
    attributes: { 'aria-label': words.result, 'aria-live': 'polite' },
  });
  const examples = exampleList(manifest.prompts, (prompt) => {
    text.value = prompt;
    update();
    if (judges) answer.focus();
    else void ask();
  });
  let open = false;
  let busy = false;
  /** Asked before the model was open. */
  let early = false;

  const complete = () => text.value.trim() !== '' && (!judges || answer.value.trim() !== '');
  const update = () => {
    button.disabled = busy || !complete();
  };

  async function ask(): Promise<void> {
    if (busy || !complete()) return;
    if (!open) {
      early = true;
      waits.hidden = false;
      say(words.early);
      return;
    }
    busy = true;
    update();
    say(words.working);
    result.setAttribute('aria-busy', 'true');
    try {
      const input = judges ? { prompt: text.value, answer: answer.value } : text.value;
      result.replaceChildren(scoresOf(await engine().classify(input)));
    } catch (cause) {
      result.replaceChildren(answerFault(cause));
    }
    say('');
    result.hidden = false;
    result.setAttribute('aria-busy', 'false');
    busy = false;
    update();
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
  form.addEventListener('input', update);
  document.body.classList.add('form');
  shell.main.append(...(examples ? [examples] : []), form, waits, notice, result);
  return {
    place: (next) => notice.replaceChildren(...(next ? [next] : [])),
    ready() {
      open = true;
      waits.hidden = true;
      update();
      if (early) void ask();
    },
  };

  function scoresOf(scores: LabelScore[]): HTMLElement {
    const [first] = scores;
    if (scores.some(({ word }) => word !== undefined)) return taggedWords(scores);
    if (!first) return element('p', {}, words.noWords);
    // One number is not a probability.
    if (scores.length === 1) {
      return element(
        'p',
        {},
        element('span', { className: 'number' }, first.probability.toPrecision(4)),
        ` ${judges ? '' : first.label}`,
      );
    }
    return bars(scores);
  }
}

function bars(scores: LabelScore[]): HTMLElement {
  const items = scores.slice(0, SHOWN).map(({ label, probability }, i) => {
    const bar = element('div');
    bar.style.width = `${100 * probability}%`;
    return element(
      'li',
      { className: i === 0 ? 'first' : '' },
      element('div', { className: 'share' }, element('span', {}, label), element('span', {}, share(probability))),
      element('div', { className: 'track', attributes: { 'aria-hidden': 'true' } }, bar),
    );
  });
  const rest = scores.length - SHOWN;
  return element('ol', {}, ...items, rest > 0 ? element('li', { className: 'quiet' }, words.more(rest)) : null);
}

function taggedWords(scores: LabelScore[]): HTMLElement {
  const parts = scores.flatMap(({ word, label, probability }) => [
    label === NO_LABEL
      ? (word ?? '')
      : element('mark', { title: share(probability) }, word ?? '', element('b', {}, label)),
    ' ',
  ]);
  const none = scores.every(({ label }) => label === NO_LABEL);
  return element(
    'div',
    { attributes: { 'data-kind': WORD_LABELS } },
    element('p', { className: 'tagged' }, ...parts),
    none ? element('p', { className: 'quiet' }, words.noWords) : null,
  );
}
