/** Where models are fetched from: the Hub, or a mirror with the same routes. */
import { TabtuneError } from '../base/errors';
import { HUB } from './hub-id';

/** `https://host/path` without a slash at the end. Throws `bad_recipe` for what is no address of a server. */
export function checkEndpoint(text: string): string {
  const given = text.trim().replace(/\/+$/, '');
  if (given === '') return HUB;
  let url: URL | null = null;
  try {
    url = new URL(/^[a-z]+:\/\//i.test(given) ? given : `https://${given}`);
  } catch {
    // Reported below.
  }
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '' && url.hash === '') {
    return (url.origin + url.pathname).replace(/\/+$/, '');
  }
  throw new TabtuneError({
    code: 'bad_recipe',
    message: 'This is not the address of a Hub.',
    where: 'Hub endpoint',
    action: `Write an address such as ${HUB}, without a name or token in it.`,
  });
}

/** A token goes over https, or stays on this machine. */
export function mayCarryToken(url: URL): boolean {
  return url.protocol === 'https:' || /^(localhost|127\.0\.0\.1|\[::1\]|.*\.localhost)$/.test(url.hostname);
}
