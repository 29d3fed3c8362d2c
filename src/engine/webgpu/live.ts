/**
 * Values that differ each time the same work is done: a batch's ids, the number of a pass, a loss's scale. Work that is recorded in
 * order to be replayed (recording.ts) must say for each of them whether it decides what is done or is only passed on. So it
 * gets its values behind a view. What reads one at once has decided something by it, and the recording holds only while it
 * stays the same. What is only passed on to the GPU is given as a function, which is called again at every replay.
 */

/** A number that may differ at every replay. */
export type Live = number | (() => number);

/** Whoever is recording what work depends on. */
export interface Witness {
  /** What is recorded holds only where this is true. */
  condition(holds: () => boolean): void;
  /** What is recorded must not be replayed. */
  refuse(reason: string): void;
}

let witness: Witness | null = null;
let passing = 0;
/** Rises whenever a view gets other values. */
let turn = 0;

export function setWitness(by: Witness | null): void {
  witness = by;
}

/** The value now. */
export function current<T extends number | string | object>(value: T | (() => T)): T {
  if (typeof value !== 'function') return value;
  passing++;
  try {
    return (value as () => T)();
  } finally {
    passing--;
  }
}

/** A number that follows from live values and decides what is done. */
export function decided(value: () => number): number {
  const now = current(value);
  witness?.condition(() => current(value) === now);
  return now;
}

/** Something that several functions of live values share, made once for each set of values. */
export function madeOnce<T extends object>(make: () => T): () => T {
  let made: { value: T; turn: number } | null = null;
  return () => {
    if (passing === 0) witness?.refuse('what follows from live values is read before it is passed on');
    if (made?.turn !== turn) made = { value: make(), turn };
    return made.value;
  };
}

/** A view of values that can be exchanged for others with the same fields. */
export interface Exchangeable<V extends object> {
  view: V;
  exchange(values: V): void;
}

export function exchangeable<V extends object>(first: V, by: Witness): Exchangeable<V> {
  let values = first;
  turn++;
  return {
    view: seen(() => values, '', by) as V,
    exchange(others) {
      values = others;
      turn++;
    },
  };
}

const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

function seen(get: () => object, path: string, by: Witness): object {
  const inner = new Map<string, object>();
  const known = new Set<string>();
  const once = (what: string, holds: () => boolean) => {
    if (!known.has(what)) by.condition(holds);
    known.add(what);
  };
  const field = (name: string): unknown => (get() as Record<string, unknown>)[name];
  return new Proxy(get(), {
    get(_, name) {
      const value = field(name as string);
      if (typeof name === 'symbol' || passing > 0) return value;
      if (isPlain(value)) {
        once(`{} ${name}`, () => isPlain(field(name)));
        if (!inner.has(name))
          inner.set(
            name,
            seen(() => field(name) as object, `${path}${name}.`, by),
          );
        return inner.get(name);
      }
      if (value !== null && (typeof value === 'object' || typeof value === 'function')) {
        by.refuse(`${path}${name} is read before it is passed on`);
      } else once(name, () => Object.is(field(name), value));
      return value;
    },
    has(_, name) {
      const has = Reflect.has(get(), name);
      if (passing === 0) once(`in ${String(name)}`, () => Reflect.has(get(), name) === has);
      return has;
    },
    ownKeys() {
      const keys = Reflect.ownKeys(get());
      if (passing === 0) once('keys', () => Reflect.ownKeys(get()).join() === keys.join());
      return keys;
    },
    getOwnPropertyDescriptor: (_, name) => Reflect.getOwnPropertyDescriptor(get(), name),
  });
}
