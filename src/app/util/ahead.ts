/**
 * Parts of the page in chunks of their own, which a first look does not need. They are fetched when the page has nothing
 * else to do, since from then on it must work without a network.
 */
import { type ComponentType, type LazyExoticComponent, lazy } from 'react';

type Load<P> = () => Promise<{ default: ComponentType<P> }>;

const loads: (() => Promise<unknown>)[] = [];

export function lazyAhead<P>(load: Load<P>): LazyExoticComponent<ComponentType<P>> {
  loads.push(load);
  return lazy(load);
}

export function fetchAhead(): void {
  // A chunk that cannot be fetched now is asked for again when it is shown.
  for (const load of loads) load().catch(() => {});
}
