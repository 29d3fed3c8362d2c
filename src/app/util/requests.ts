/** What the requests of this tab were for, as far as their addresses say. */
import type { RequestNote } from '../../base/requests';
import { reaches } from '../../hub/hub-policy';
import type { privacyText } from '../text/privacy';

export type Purpose = keyof typeof privacyText.log.purposes;

export function purposeOf(note: RequestNote, hub: string, page: string): Purpose {
  const url = new URL(note.url);
  const own = new URL(page);
  if (url.origin === own.origin) {
    const path = url.pathname.slice(own.pathname.lastIndexOf('/') + 1);
    if (path.startsWith('models/')) return 'model';
    return path.startsWith('datasets/') ? 'dataset' : 'app';
  }
  if (!reaches(note.url, hub)) return 'strange';
  if (note.method === 'PUT' || note.method === 'POST') return 'push';
  if (!note.url.startsWith(`${hub}/`)) return 'file';
  const path = url.pathname.slice(new URL(hub).pathname.replace(/\/$/, '').length);
  if (path === '/api/models') return 'search';
  if (path === '/api/whoami-v2') return 'push';
  if (path.startsWith('/api/')) return 'details';
  return path.includes('/resolve/') ? 'file' : 'hub';
}

export type Asked = RequestNote & { purpose: Purpose };

export function groupRequests(notes: readonly RequestNote[], hub: string, page: string) {
  const asked = notes.map((note): Asked => ({ ...note, purpose: purposeOf(note, hub, page) }));
  const own = asked.filter(({ purpose }) => ['app', 'model', 'dataset'].includes(purpose));
  const strange = asked.filter(({ purpose }) => purpose === 'strange');
  const ofHub = asked.filter((note) => !own.includes(note) && !strange.includes(note));
  return { own, hub: ofHub, strange };
}

export const receivedBy = (notes: readonly RequestNote[]): number =>
  notes.reduce((sum, { received }) => sum + (received ?? 0), 0);
