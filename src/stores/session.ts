/** The session that the stores use. main.tsx connects the real one, tests a scripted one. */
import type { Session } from '../session/api';

let session: Session | null = null;

export function connectSession(next: Session): void {
  session = next;
}

export function getSession(): Session {
  if (!session) throw new Error('connectSession() has not been called.');
  return session;
}
