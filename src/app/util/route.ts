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
  if (page === 'device') return { page: 'model', detail: decode(detail) };
  const known = pageNames.find((name) => name === page);
  return known ? { page: known, detail: decode(detail) } : { page: 'model', detail: '' };
}

export function hashOf(page: PageName, detail = ''): string {
  return `#/${page}${detail ? `/${encodeURIComponent(detail)}` : ''}`;
}

/** The detail of the Data page where classes are typed by hand. */
export const CLASSES = 'classes';
/** The detail of the Data page where the model writes examples. */
export const SELF_INSTRUCT = 'self-instruct';

/** The detail of the Model page where this device is measured; `#/device/benchmark` leads there too. */
export const BENCHMARK = 'benchmark';

/** Ids of parts of pages that links lead to: where things are exported, and parts of the Recipe page's Simple. */
export const EXPORT_PANEL = 'export';
export const GOAL_PANEL = 'goal';
export const LONG_FIELD = 'how-long';
export const CAREFUL_FIELD = 'how-careful';
export const MEMORY_PANEL = 'memory';

/** Where `navigate` is heading, until that page has been drawn. */
let heading: { hash: string; focus: boolean; part: string | undefined } | null = null;

/** Gives the focus to a part of the page, or to what it is for: a control with `data-main`, or else its first one. */
export function focusIn(part: HTMLElement): void {
  const control = 'button, select, input, a';
  const found = part.matches(control)
    ? part
    : (part.querySelector<HTMLElement>('[data-main]') ?? part.querySelector<HTMLElement>(control));
  found?.focus({ preventScroll: true });
}

/** Brings a part of the page into view, and gives the focus to it or to its first control. False if it is not there. */
function showPart(id: string | undefined): boolean {
  const part = id === undefined ? null : document.getElementById(id);
  if (!part) return false;
  part.scrollIntoView({ block: 'center' });
  focusIn(part);
  return true;
}

/** Called when a page has been drawn: scrolls to the top and moves the focus, as a new document would. */
export function arriveAt({ page, detail }: Route): void {
  const wanted = heading;
  heading = null;
  if (wanted?.hash !== hashOf(page, detail)) return;
  // After a dialog that has just closed has given its focus back.
  setTimeout(() => {
    if (showPart(wanted.part)) return;
    window.scrollTo(0, 0);
    if (wanted.focus) document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
  });
}

/** Goes to a page, or to the part of it with this id. With `focus`, the page's heading takes the focus. */
export function navigate(
  page: PageName,
  { detail = '', focus = true, part }: { detail?: string; focus?: boolean; part?: string } = {},
): void {
  const hash = hashOf(page, detail);
  heading = { hash, focus, part };
  if (window.location.hash === hash) arriveAt({ page, detail });
  else window.location.hash = hash;
}
