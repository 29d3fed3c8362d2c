/** The files of a page besides its model: the code that the build made (scripts/page-export), with the page's own names in it. */
import { sha256 } from '../../base/digest';
import { TabtuneError } from '../../base/errors';
import type { ExportedFile } from '../export';
import { MANIFEST, type PageManifest } from './manifest';

/** Reads a file of the app's own server: `page/app.js`. */
export type OwnFile = (path: string) => Promise<ArrayBuffer>;

const FOLDER = 'page/';
const LIST = 'files.json';
const PAGE = 'index.html';
const SERVICE_WORKER = 'service-worker.js';
/** Stored for visits without a network; the service worker itself is the browser's to keep. */
const OFFLINE = [PAGE, 'app.js', 'style.css', 'engine.js', 'icon.svg', MANIFEST];

const broken = (path: string, details: string) =>
  new TabtuneError({
    code: 'network',
    message: 'The code of exported pages could not be loaded.',
    where: path,
    action: 'Check the connection, reload Tabtune and export again.',
    details,
  });

/** Throws `network` unless every file is as the build listed it. */
async function builtFiles(own: OwnFile): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const list = JSON.parse(new TextDecoder().decode(await own(FOLDER + LIST))) as { name: string; sha256: string }[];
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const { name, sha256: expected } of list) {
    const bytes = new Uint8Array(await own(FOLDER + name));
    if ((await sha256(bytes)) !== expected) throw broken(FOLDER + name, 'not the file of this version of Tabtune');
    files.set(name, bytes);
  }
  return files;
}

/** From the server that the app itself came from, or its copy in this browser. */
export const ownFiles =
  (baseUrl: string): OwnFile =>
  async (path) => {
    let response: Response;
    try {
      response = await fetch(new URL(path, baseUrl));
    } catch (cause) {
      throw broken(path, String(cause));
    }
    if (!response.ok) throw broken(path, `HTTP ${response.status}`);
    return response.arrayBuffer();
  };

const escaped = (text: string) =>
  text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`).replace(/\s+/g, ' ');

/** Every place of a name in a text; what is filled in is not looked through for names. */
const filled = (text: string, values: Record<string, string>) =>
  text.replaceAll(/__[A-Z_]+__/g, (name) => values[name] ?? name);

export async function siteFiles(own: OwnFile, manifest: PageManifest): Promise<ExportedFile[]> {
  const built = await builtFiles(own);
  const text = (name: string) => {
    const bytes = built.get(name);
    if (!bytes) throw broken(FOLDER + name, 'not among the files of the build');
    return new TextDecoder().decode(bytes);
  };
  const page = filled(text(PAGE), { __TITLE__: escaped(manifest.title), __ABOUT__: escaped(manifest.about) });
  const contents = new Map<string, string | Uint8Array<ArrayBuffer>>([
    ...built,
    [PAGE, page],
    [MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`],
  ]);
  const hashes: Record<string, string> = {};
  for (const name of OFFLINE) hashes[name] = await sha256(await new Blob([contents.get(name)!]).arrayBuffer());
  // The list stands in a string literal of the script, whatever its quotes are.
  const list = JSON.stringify(hashes).replaceAll('"', '\\u0022');
  contents.set(SERVICE_WORKER, filled(text(SERVICE_WORKER), { __PAGE_FILES__: list }));
  return [...contents].map(([path, content]) => ({ path, blob: new Blob([content]) }));
}
