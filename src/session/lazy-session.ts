/**
 * The session behind an import of its own: the page draws itself while the code that talks to the workers, the storage and
 * the Hub is still arriving. Calls wait for it, in the order in which they were made.
 */
import { chunk, missing } from '../base/chunks';
import { HUB } from '../hub/hub-id';
import type { Session } from './api';
import type { SessionParts } from './session';

/** What answers at once, and so cannot be passed on by waiting. */
type Direct = {
  [Name in keyof Session]: ReturnType<Session[Name]> extends Promise<unknown> ? never : Name;
}[keyof Session];

const fetched = chunk(async () => (await import('./session')).createSession);

export function lazySession(
  load: () => Promise<(parts?: SessionParts) => Session> = fetched,
  parts: SessionParts = {},
): Session {
  let session: Session | null = null;
  let loading: Promise<Session> | null = null;
  let closed = false;

  /** A fetch that failed is tried again by the next call. */
  function ready(): Promise<Session> {
    loading ??= load().then(
      (create) => {
        session = create(parts);
        if (closed) session.close();
        return session;
      },
      (cause) => {
        loading = null;
        throw missing(cause);
      },
    );
    return loading;
  }

  /** A subscription that begins when the session is here, unless it was ended before. */
  function following(subscribe: (to: Session) => () => void): () => void {
    let ended = false;
    let end = () => {};
    ready().then(
      (to) => {
        if (!ended) end = subscribe(to);
      },
      // Whatever is asked next says so.
      () => {},
    );
    return () => {
      ended = true;
      end();
    };
  }

  const direct: Pick<Session, Direct> = {
    subscribe: (listener) => following((to) => to.subscribe(listener)),
    watchDownloads: (listener) => following((to) => to.watchDownloads(listener)),
    hubSettings: () => session?.hubSettings() ?? { endpoint: HUB, token: null },
    close() {
      closed = true;
      session?.close();
    },
  };

  void ready().catch(() => {});
  return new Proxy(direct as Session, {
    get: (own, name: keyof Session) =>
      own[name] ??
      ((...args: unknown[]) =>
        ready().then((to) => (to[name] as (...rest: unknown[]) => Promise<unknown>).apply(to, args))),
  });
}
