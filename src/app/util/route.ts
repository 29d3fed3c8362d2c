/** The address says which page is open: `#/train/RUN` is the page `train` with the detail `RUN`. */
import type { PageName } from '../../stores/blockers';

export interface Route {
  page: PageName;
  detail: string;
}

const names: PageName[] = ['model', 'data', 'recipe', 'train', 'compare'];

/** Addresses come from other people: half an escape is no reason to fail. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

export function parseHash(hash: string): Route {
  const [, page = '', detail = ''] = hash.split('/');
  const known = names.find((name) => name === page);
  return known ? { page: known, detail: decode(detail) } : { page: 'model', detail: '' };
}

export function hashOf(page: PageName, detail = ''): string {
  return `#/${page}${detail ? `/${encodeURIComponent(detail)}` : ''}`;
}

/** Goes to a page. With `focus` the heading there takes the focus, as a new page would. */
export function navigate(
  page: PageName,
  { detail = '', focus = true }: { detail?: string; focus?: boolean } = {},
): void {
  const hash = hashOf(page, detail);
  const arrive = () => {
    window.scrollTo(0, 0);
    if (focus) document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
  };
  if (window.location.hash === hash) {
    arrive();
    return;
  }
  // React draws the page after it has heard of the change itself.
  window.addEventListener('hashchange', () => setTimeout(arrive), { once: true });
  window.location.hash = hash;
}
