/** The address says which place is open: `#/train/RUN` is the place `train` with the detail `RUN`. */
import type { PlaceName } from '../../stores/blockers';

export interface Route {
  place: PlaceName;
  detail: string;
}

const names: PlaceName[] = ['model', 'data', 'recipe', 'train', 'compare'];

/** Addresses come from other people: half an escape is no reason to fail. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

export function parseHash(hash: string): Route {
  const [, place = '', detail = ''] = hash.split('/');
  const known = names.find((name) => name === place);
  return known ? { place: known, detail: decode(detail) } : { place: 'model', detail: '' };
}

export function hashOf(place: PlaceName, detail = ''): string {
  return `#/${place}${detail ? `/${encodeURIComponent(detail)}` : ''}`;
}

/** Goes to a place. With `focus` the heading there takes the focus, as a new page would. */
export function navigate(
  place: PlaceName,
  { detail = '', focus = true }: { detail?: string; focus?: boolean } = {},
): void {
  const hash = hashOf(place, detail);
  const arrive = () => {
    window.scrollTo(0, 0);
    if (focus) document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
  };
  if (window.location.hash === hash) {
    arrive();
    return;
  }
  // React draws the place after it has heard of the change itself.
  window.addEventListener('hashchange', () => setTimeout(arrive), { once: true });
  window.location.hash = hash;
}
