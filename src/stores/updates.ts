/**
 * The copy of the app that this browser keeps (src/service-worker), and its new versions. One is offered when no tab trains,
 * and taken when a person says so.
 */
import { create } from 'zustand';
import { TRAINING_LOCK } from '../base/training-lock';

interface UpdatesState {
  /** `offered`: a new version is stored. `taken`: another tab has changed to it, and this one shows the one before. */
  state: 'none' | 'offered' | 'taken';
  /** Changes to the new version and reloads the page. Nothing happens if a run has begun meanwhile. */
  update: () => Promise<void>;
}

/** How often a stored version looks whether the run has ended. */
const LOOK_MS = 3000;
const CHECK_MS = 60 * 60_000;
/** A new service worker takes over in a moment; after that long the page reloads all the same. */
const TAKE_OVER_MS = 10_000;

let registration: ServiceWorkerRegistration | null = null;

async function trainsSomewhere(): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.some(({ name }) => name === TRAINING_LOCK);
}

export const useUpdates = create<UpdatesState>()((_set, get) => ({
  state: 'none',
  async update() {
    // Held until the page goes, so that no tab starts to train in between.
    await navigator.locks.request(TRAINING_LOCK, { ifAvailable: true }, async (free) => {
      if (!free) return useUpdates.setState({ state: 'none' });
      const next = registration?.waiting;
      if (next && get().state === 'offered') {
        await new Promise<void>((resolve) => {
          navigator.serviceWorker.addEventListener('controllerchange', () => resolve(), { once: true });
          setTimeout(resolve, TAKE_OVER_MS);
          next.postMessage('activate');
        });
      }
      window.location.reload();
      await new Promise((resolve) => setTimeout(resolve, TAKE_OVER_MS));
    });
  },
}));

/** Stores the app in this browser, and watches for new versions. Returns a function that stops the watching. */
export function followUpdates(): () => void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator) || !navigator.locks) return () => {};
  const container = navigator.serviceWorker;
  let controlled = container.controller !== null;
  let checked = Date.now();

  async function look() {
    if (useUpdates.getState().state === 'taken') return;
    const offered = controlled && registration?.waiting != null && !(await trainsSomewhere());
    useUpdates.setState({ state: offered ? 'offered' : 'none' });
  }
  async function check() {
    if (document.visibilityState !== 'visible' || Date.now() - checked < CHECK_MS || (await trainsSomewhere())) return;
    checked = Date.now();
    // Without a network there is nothing new.
    await registration?.update().catch(() => {});
  }
  const onChange = () => {
    // The first one takes over a page that came from the server.
    if (controlled) useUpdates.setState({ state: 'taken' });
    controlled = true;
  };
  const onVisible = () => void check();

  // A host or a setting of the browser that forbids it: the app works, but not without a network.
  container
    .register(new URL('service-worker.js', document.baseURI), { updateViaCache: 'none' })
    .then((made) => {
      registration = made;
      return look();
    })
    .catch(() => {});
  container.addEventListener('controllerchange', onChange);
  document.addEventListener('visibilitychange', onVisible);
  const timer = setInterval(() => void look(), LOOK_MS);
  return () => {
    container.removeEventListener('controllerchange', onChange);
    document.removeEventListener('visibilitychange', onVisible);
    clearInterval(timer);
  };
}
