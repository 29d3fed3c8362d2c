/** Selectors for components, which must render again only when what they show has changed. */
import { useShallow } from 'zustand/react/shallow';

export { useShallow };

/** Several fields of a store: `const { status, info } = useModel(useFields('status', 'info'))`. */
export function useFields<State, Key extends keyof State>(...keys: Key[]): (state: State) => Pick<State, Key> {
  return useShallow(
    (state: State) => Object.fromEntries(keys.map((key) => [key, state[key]])) as unknown as Pick<State, Key>,
  );
}
