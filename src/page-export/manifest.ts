/** page.json, as the page reads it. */
import { TabtuneError } from '../base/errors';
import { MANIFEST, type PageManifest } from '../exports/page/manifest';

export const failed = (path: string, message: string, action: string, details?: string) =>
  new TabtuneError({ code: 'network', message, where: path, action, details });

/** Servers of single-page apps answer a wrong path with a page. */
export const isPage = (response: Response) => response.headers.get('Content-Type')?.startsWith('text/html') === true;

/** Throws `network` if there is no page.json, and `bad_model` if it is of another version. */
export async function readManifest(url: URL): Promise<PageManifest> {
  const broken = (message: string, details: string) =>
    failed(MANIFEST, message, 'If this page is yours, upload all files of its zip.', details);
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw failed(MANIFEST, 'The page could not be loaded.', 'Check the connection and try again.', String(cause));
  }
  if (!response.ok || isPage(response)) throw broken('This page lacks its page.json.', `HTTP ${response.status}`);
  const manifest = (await response.json().catch(() => null)) as PageManifest | null;
  if (manifest?.version !== 1) throw broken('The page.json of this page is damaged.', 'not of version 1');
  return manifest;
}
