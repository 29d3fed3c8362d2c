/** The address says which page is open: `#/train/RUN` is the page `train` with the detail `RUN`. */
import { type PageName, pageNames } from '../../stores/pages';

export interface Route {
  page: PageName;
  detail: string;
}

/** Addresses come from other people: a broken escape is treated as no detail. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

export function parseHash(hash: string): Route {
  const [, page = '', detail = ''] = hash.split('/');
  const known = pageNames.find((name) => name === page);
  return known ? { page: known, detail: decode(detail) } : { page: 'model', detail: '' };
}

export function hashOf(page: PageName, detail = ''): string {
  return `#/${page}${detail ? `/${encodeURIComponent(detail)}` : ''}`;
}

/** Where `navigate` is heading, until that page has been drawn. */
let heading: { hash: string; focus: boolean } | null = null;

/** Called when a page has been drawn: scrolls to the top and moves the focus, as a new document would. */
export function arriveAt({ page, detail }: Route): void {
  const wanted = heading;
  heading = null;
  if (wanted?.hash !== hashOf(page, detail)) return;
  // After a dialog that has just closed has given its focus back.
  setTimeout(() => {
    window.scrollTo(0, 0);
    if (wanted.focus) document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
  });
}

/** Goes to a page. With `focus`, its heading takes the focus. */
export function navigate(
  page: PageName,
  { detail = '', focus = true }: { detail?: string; focus?: boolean } = {},
): void {
  const hash = hashOf(page, detail);
  heading = { hash, focus };
  if (window.location.hash === hash) arriveAt({ page, detail });
  else window.location.hash = hash;
}
