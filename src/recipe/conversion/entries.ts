/** The commonest ways in which a trainer writes a field. */
import { type Config, type ConfigReader, type Entry, type Run, Unreadable } from './types';

type Extra = Pick<Entry, 'absent' | 'lost'>;

/** The same value under this key. */
export const same = (key: string, extra: Extra = {}): Entry => ({
  write: (value) => ({ [key]: value }),
  read: (at) => at(key),
  ...extra,
});

/** The same value; written only if it is another than `off`, which is what the trainer does without the key. */
export const unless = (off: unknown, key: string, extra: Extra = {}): Entry => ({
  write: (value): Config => (value === off ? {} : { [key]: value }),
  read: (at) => at(key),
  absent: off,
  ...extra,
});

const asBool = (value: unknown): unknown => (value === 'true' ? true : value === 'false' ? false : value);

/** True here is false there. */
export const not = (key: string, extra: Extra = {}): Entry => ({
  write: (value) => ({ [key]: !value }),
  read(at) {
    const value = asBool(at(key));
    return typeof value === 'boolean' ? !value : value;
  },
  ...extra,
});

/** A choice under other names. The first name of each is written; further ones are read too. */
export function choice(key: string, names: Record<string, readonly string[]>, extra: Extra = {}): Entry {
  return {
    write: (value) => ({ [key]: names[String(value)]![0] }),
    read(at) {
      const value = at(key);
      if (value === undefined) return undefined;
      const found = Object.entries(names).find(([, list]) => list.includes(String(value)));
      if (!found) throw new Unreadable(`Tabtune has none called ${JSON.stringify(value)}.`);
      return found[0];
    },
    ...extra,
  };
}

/** The trainer has no place for it; `why` says what that means where the value matters. */
export const lost = (why: (value: unknown, run: Run) => string | null): Entry => ({ lost: why });

/** Nothing to write: what it does to the data is done to the rows that go along, and another trainer's config has nothing like it. */
export const inRows: Entry = {};

/** Reads the first of several keys that has a value. */
export function firstOf(at: ConfigReader, keys: readonly string[]): unknown {
  for (const key of keys) {
    const value = at(key);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** A list of names, separated by commas in one text. */
export const commaList = (key: string, extra: Extra = {}): Entry => ({
  write: (value): Config => ((value as string[]).length === 0 ? {} : { [key]: (value as string[]).join(',') }),
  read: (at) => commaSeparated(at(key)),
  ...extra,
});

/** A text with commas as a list; anything else as it is. */
export function commaSeparated(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

export const asNumber = (value: unknown): number | undefined => {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
};

export const isOn = (value: unknown): boolean => asBool(value) === true;
