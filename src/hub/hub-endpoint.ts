/** Where models are fetched from: the Hub, or a mirror with the same routes. */
import { TabtuneError } from '../base/errors';
import { HUB } from './hub-id';

/** Returns `https://host/path` without a trailing slash. Throws `bad_recipe` if the text is not a server address. */
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
    message: 'This is not a valid Hub address.',
    where: 'Hub endpoint',
    action: `Enter an address such as ${HUB}, without a user name or token in it.`,
  });
}

/** A token is sent only over https or to this machine. */
export function mayCarryToken(url: URL): boolean {
  return url.protocol === 'https:' || /^(localhost|127\.0\.0\.1|\[::1\]|.*\.localhost)$/.test(url.hostname);
}
