/** What the page is made of, and how answers are drawn. */
import { formatBytes } from '../../base/bytes';
import type { PageGeneration, PageManifest } from '../../exports/page/manifest';
import { element, icon } from './dom';
import { shell } from './shell';
import { words } from './words';

/** Puts the button into the header; `generation` is changed in place. */
export function addAbout(manifest: PageManifest, generation: PageGeneration | null): void {
  const { facts } = words;
  const { model, files, madeWith } = manifest;
  const rows: [string, string | null][] = [
    [facts.model, model.name],
    [facts.trained, model.trained],
    [facts.base, model.base],
    [facts.licence, model.licence ?? words.unknownLicence],
    [facts.size, formatBytes(files.reduce((sum, { size }) => sum + size, 0))],
    [facts.madeWith, madeWith],
  ];
  const close = element('button', { type: 'button', className: 'primary' }, words.close);
  const dialog = element(
    'dialog',
    { attributes: { 'aria-label': words.about } },
    element('h2', {}, manifest.title),
    element(
      'dl',
      {},
      ...rows.flatMap(([name, value]) => (value === null ? [] : [element('dt', {}, name), element('dd', {}, value)])),
    ),
    generation && settings(generation),
    element('p', { className: 'quiet' }, words.aboutPrivacy),
    element('p', { className: 'quiet' }, element('a', { href: 'LICENCES.txt' }, words.licences)),
    close,
  );
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', (event) => {
    // Beside the dialog is its backdrop.
    if (event.target === dialog && outside(dialog, event)) dialog.close();
  });
  const open = element('button', { type: 'button', className: 'plain' }, icon('about'), words.about);
  open.addEventListener('click', () => dialog.showModal());
  document.body.append(dialog);
  shell.actions.append(open);
}

function outside(dialog: HTMLElement, { clientX, clientY }: MouseEvent): boolean {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}

function settings(generation: PageGeneration): HTMLElement {
  const shown = element('span', {}, generation.temperature.toFixed(1));
  const temperature = element('input', { type: 'range', min: '0', max: '2', step: '0.1' });
  temperature.value = String(generation.temperature);
  temperature.addEventListener('input', () => {
    generation.temperature = temperature.valueAsNumber;
    shown.textContent = generation.temperature.toFixed(1);
  });
  const longest = element('input', { type: 'number', min: '1', max: '4096', step: '1' });
  longest.value = String(generation.maxNewTokens);
  longest.addEventListener('change', () => {
    const wanted = Math.round(longest.valueAsNumber);
    if (wanted >= 1) generation.maxNewTokens = Math.min(wanted, 4096);
    longest.value = String(generation.maxNewTokens);
  });
  return element(
    'div',
    {},
    element('h3', {}, words.settings),
    element(
      'label',
      { className: 'setting' },
      element('span', {}, element('span', {}, words.temperature), shown),
      temperature,
      element('span', { className: 'hint' }, words.temperatureHint),
    ),
    element('label', { className: 'setting' }, element('span', {}, words.longest), longest),
  );
}
