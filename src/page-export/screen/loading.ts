/** The model on its way: asked for where it is large, then its progress, then nothing, or what stands in the way. */
import { formatBytes } from '../../base/bytes';
import type { PageManifest } from '../../exports/page/manifest';
import type { Remote } from '../../rpc/rpc';
import type { InferenceApi, OpenedPage } from '../inference';
import { element } from './dom';
import { errorOf, fault, say, shell } from './shell';
import { words } from './words';

/** A visitor who may be on a phone's connection is asked before so much is fetched. */
const ASK_FROM = 64 * 2 ** 20;

/** Resolves once the model is open. `engine` gives a worker, a new one where the last has died. */
export async function loadedModel(
  engine: () => Remote<InferenceApi>,
  manifest: PageManifest,
  place: (notice: HTMLElement | null) => void,
): Promise<OpenedPage> {
  const missing = await engine()
    .missing(manifest)
    .catch(() => 0);
  if (missing >= ASK_FROM) await asked(missing, place);
  for (;;) {
    try {
      const opened = await engine().open(manifest, progressIn(place));
      place(null);
      const remarks = [opened.software && words.software, !opened.kept && words.notKept].filter((one) => one !== false);
      if (remarks.length > 0) shell.footer.append(element('p', { className: 'remark' }, remarks.join(' ')));
      return opened;
    } catch (cause) {
      const error = errorOf(cause);
      say('');
      await new Promise<void>((resolve) => place(fault(error, { label: words.tryAgain, press: resolve })));
    }
  }
}

function asked(bytes: number, place: (notice: HTMLElement) => void): Promise<void> {
  return new Promise((resolve) => {
    const button = { type: 'button' as const, className: 'primary', onclick: () => resolve() };
    const label = words.load(formatBytes(bytes));
    place(
      element(
        'div',
        { className: 'card notice' },
        element('button', button, label),
        element('p', { className: 'quiet' }, words.loadWhy),
      ),
    );
  });
}

function progressIn(place: (notice: HTMLElement) => void): Parameters<InferenceApi['open']>[1] {
  const text = element('p', { className: 'quiet' }, words.loading);
  const bar = element('progress', { max: 1, attributes: { 'aria-label': words.loading } });
  place(element('div', { className: 'notice' }, text, bar));
  let phase = '';
  return (progress) => {
    const { done, total } = progress;
    bar.value = total > 0 ? done / total : 1;
    text.textContent =
      progress.phase === 'fetching' ? words.fetching(formatBytes(done), formatBytes(total)) : words.loading;
    // Not every number is read aloud.
    if (progress.phase !== phase) say(text.textContent);
    phase = progress.phase;
  };
}
