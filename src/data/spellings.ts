/** How a file wrote a number, where JavaScript would write another: “0.50”, “1e3”. Kept beside the objects that hold the numbers. */

const spellings = new WeakMap<object, Record<string, string>>();

/** A number as the file wrote it (“0.50”), where JavaScript would write another; undefined if the two are the same. */
export function spelling(container: object, key: string): string | undefined {
  return spellings.get(container)?.[key];
}

/** Gives `to` the spellings of `from`, for rows that are built anew. */
export function copySpellings(from: object, to: object): void {
  const found = spellings.get(from);
  if (found) spellings.set(to, { ...spellings.get(to), ...found });
}

export function keepSpelling(container: object, key: string, written: string): void {
  let own = spellings.get(container);
  if (!own) {
    own = Object.create(null) as Record<string, string>;
    spellings.set(container, own);
  }
  own[key] = written;
}
