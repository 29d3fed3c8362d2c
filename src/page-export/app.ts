/**
 * An exported page: what index.html shows besides its title. A classic script, because browsers load no module from a file, and
 * whoever opens the page as one should be told what to do.
 */
import { type Connection, connect } from '../rpc/rpc';
import type { InferenceApi } from './inference';
import { readManifest } from './manifest';
import { addAbout } from './screen/about';
import { chatScreen } from './screen/chat';
import { classifierScreen } from './screen/classifier';
import { element } from './screen/dom';
import { loadedModel } from './screen/loading';
import { errorOf, fault, shell } from './screen/shell';
import { obstacle, words } from './screen/words';

/**
 * A worker of text has the policy of the page, and so may ask the page's own server and nobody else, on every host. Its script
 * would come with a policy of its own, which a static host does not send.
 */
function startWorker(): Worker {
  const script = new URL('engine.js', document.baseURI);
  const text = new Blob([`import ${JSON.stringify(script.href)};`], { type: 'text/javascript' });
  const url = URL.createObjectURL(text);
  const worker = new Worker(url, { type: 'module', name: 'engine' });
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  return worker;
}

/** Keeps the page itself in this browser; the model is kept by its worker. */
function keepPage(): void {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return;
  const before = serviceWorker.controller !== null;
  serviceWorker.addEventListener('controllerchange', () => {
    // On the first visit it only begins to answer.
    if (!before) return;
    const press = () => location.reload();
    shell.footer.append(
      element(
        'p',
        { className: 'remark' },
        `${words.newVersion} `,
        element('button', { type: 'button', className: 'plain', onclick: press }, words.reload),
      ),
    );
  });
  // A host that forbids it, or a private window: the page works without.
  serviceWorker.register('service-worker.js').catch(() => {});
}

async function start(): Promise<void> {
  const inTheWay = obstacle();
  if (inTheWay) {
    shell.main.append(fault(inTheWay));
    return;
  }
  const manifest = await readManifest(new URL('page.json', document.baseURI));
  let connection: Connection<InferenceApi> | null = null;
  const engine = () => {
    if (!connection || connection.death) connection = connect<InferenceApi>(startWorker(), { name: 'engine' });
    return connection.api;
  };
  const generation = { ...manifest.generation };
  const chats = manifest.form === 'chat';
  const screen = chats ? chatScreen(manifest, generation, engine) : classifierScreen(manifest, engine);
  addAbout(manifest, chats ? generation : null);
  keepPage();
  await loadedModel(engine, manifest, screen.place);
  screen.ready();
}

start().catch((cause) => {
  const again = { label: words.reload, press: () => location.reload() };
  shell.main.append(fault(errorOf(cause), again));
});
