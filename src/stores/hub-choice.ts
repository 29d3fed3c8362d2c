/** The Hub of this tab. Another one than Hugging Face's own is chosen for the tab alone, and is forgotten with it. */
import { checkEndpoint } from '../hub/hub-endpoint';
import { HUB } from '../hub/hub-id';
import { allowedHub, allowOnly } from '../hub/hub-policy';

const KEY = 'tabtune.hub';
const TOKEN_KEY = 'tabtune.hub.token';

export function chosenHub(): string {
  try {
    return checkEndpoint(sessionStorage.getItem(KEY) ?? HUB);
  } catch {
    // Written by somebody else, or storage is forbidden.
    return HUB;
  }
}

/** Whether the browser lets this page ask that Hub. Where no policy was written, the server's own decides. */
export const mayAsk = (endpoint: string): boolean => [null, endpoint].includes(allowedHub());

/** Has to come before anything that could ask. */
export const restrictRequests = (endpoint = chosenHub()): void => allowOnly(checkEndpoint(endpoint));

/** Reloads the page with another Hub. `again`: a token was typed, which is kept nowhere and has to be typed once more. */
export function changeHub(endpoint: string, again: boolean): void {
  sessionStorage.setItem(KEY, endpoint);
  if (again) sessionStorage.setItem(TOKEN_KEY, 'again');
  window.location.reload();
}

/** Whether a token is asked for once more after `changeHub`. Says so once. */
export function tokenAsked(): boolean {
  const asked = sessionStorage.getItem(TOKEN_KEY) !== null;
  sessionStorage.removeItem(TOKEN_KEY);
  return asked;
}
