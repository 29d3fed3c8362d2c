/**
 * Parts of the page that the first look does not need, each in its own chunk. They are fetched ahead of time once the
 * page has started, because from then on it must work without a network.
 */
import { type ComponentType, createElement, type FunctionComponent, lazy, useState } from 'react';
import { chunk as fetchedAhead } from '../../base/chunks';
import type { TabtuneError } from '../../base/errors';

interface Chunk<P> {
  /** The component, once it is here. */
  loaded: ComponentType<P> | null;
  /** Suspends until it is here. */
  pending: ComponentType<P>;
}

/** A part of the page that could not be fetched. React keeps a failure for good; after `reset` the next mount asks again. */
export class MissingChunk extends Error {
  declare readonly cause: TabtuneError;
  readonly reset: () => void;

  constructor(cause: TabtuneError, reset: () => void) {
    super('A part of the page could not be fetched.', { cause });
    this.reset = reset;
  }
}

function FromChunk<P extends object>({ chunk, props }: { chunk: Chunk<P>; props: P }) {
  // Chosen once per mount, so that a chunk that arrives meanwhile does not remount what is shown.
  const [Component] = useState(() => chunk.loaded ?? chunk.pending);
  return createElement(Component, props);
}

/**
 * A component that is fetched when it is first shown, or ahead of that by `fetchChunks`. Once fetched it renders at once,
 * where React's own `lazy` would show the fallback for a moment.
 */
export function lazyAhead<P extends object>(load: () => Promise<ComponentType<P>>): FunctionComponent<P> {
  const fetch = fetchedAhead(async () => {
    chunk.loaded = await load();
    return chunk.loaded;
  });
  // Not reset here: React mounts a suspended component anew when the promise ends, and would fetch for ever.
  const reset = () => {
    chunk.pending = suspending();
  };
  const suspending = () =>
    lazy(() =>
      fetch().then(
        (Component) => ({ default: Component }),
        (cause) => {
          throw new MissingChunk(cause, reset);
        },
      ),
    ) as unknown as ComponentType<P>;
  const chunk: Chunk<P> = { loaded: null, pending: suspending() };
  return (props) => createElement(FromChunk<P>, { chunk, props });
}
