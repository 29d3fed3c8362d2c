import type { StoreApi } from 'zustand';

/** What puts a store back into the state in which it is now. */
export function resetOf<S>(store: Pick<StoreApi<S>, 'getState' | 'setState'>): () => void {
  const initial = store.getState();
  return () => store.setState(initial, true);
}
