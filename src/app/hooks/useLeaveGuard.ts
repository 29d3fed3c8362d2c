import { useEffect } from 'react';
import { getSession } from '../../stores/session';

/** While active, the browser asks before the tab closes or reloads, and the run is saved when the page may be about to go. */
export function useLeaveGuard(active: boolean): void {
  useEffect(() => {
    if (!active) return;
    // A checkpoint that fails ends the run with its error; that it could not be asked for is nothing to show.
    const save = () =>
      void getSession()
        .saveRun()
        .catch(() => {});
    const ask = (event: BeforeUnloadEvent) => {
      event.preventDefault();
      // While the person reads the question, the engine works on.
      save();
    };
    const hide = () => document.hidden && save();
    window.addEventListener('beforeunload', ask);
    window.addEventListener('pagehide', save);
    document.addEventListener('visibilitychange', hide);
    return () => {
      window.removeEventListener('beforeunload', ask);
      window.removeEventListener('pagehide', save);
      document.removeEventListener('visibilitychange', hide);
    };
  }, [active]);
}
