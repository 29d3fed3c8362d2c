/** The columns of a file, to be picked by the part of an example that they hold. */
import { type ColumnProfile, isWorse } from './columns';
import { type PartName, partOf, parts } from './parts';

export type Mapping = Record<string, string>;

interface Wanted {
  /** Instead of the part's usual names. */
  names?: readonly string[];
  where?: (p: ColumnProfile) => boolean;
  /** Columns that are something else. */
  taken?: readonly (string | undefined)[];
}

export class ColumnSet {
  private readonly byName: ReadonlyMap<string, ColumnProfile>;

  /** `given`: what a person mapped, part -> column; '' means that no column holds this part. */
  constructor(
    readonly all: readonly ColumnProfile[],
    readonly given: Readonly<Record<string, string>>,
    /** Whether some of them are inside other columns. */
    readonly nested = false,
  ) {
    this.byName = new Map(all.map((p) => [p.name, p]));
  }

  /** Columns that nobody assigned, and that are not the worse of two answers. */
  get free(): ColumnProfile[] {
    const taken = Object.values(this.given);
    return this.all.filter((p) => p.filled > 0 && !taken.includes(p.name) && !isWorse(p));
  }

  column(name: string | undefined): ColumnProfile | undefined {
    return name === undefined ? undefined : this.byName.get(name);
  }

  isGiven(part: PartName): boolean {
    return Object.keys(this.given).some((key) => partOf(key) === part);
  }

  /** What was mapped by hand, or else the first free column with one of the part's names. */
  pick(
    part: PartName,
    { names = parts[part].names, where = () => true, taken = [] }: Wanted = {},
  ): ColumnProfile | undefined {
    if (part in this.given) return this.byName.get(this.given[part]!);
    const free = this.free.filter((p) => !taken.includes(p.name) && where(p));
    for (const name of names) {
      const hit = free.find((p) => p.key === name);
      if (hit) return hit;
    }
    return undefined;
  }

  /** A column that has the part's name and nothing in it. */
  blank(part: PartName): ColumnProfile | undefined {
    return this.all.find((p) => p.filled === 0 && parts[part].names.includes(p.key) && !isWorse(p));
  }
}

export const holdsText = (p: ColumnProfile) =>
  p.turns === 0 && p.lists <= 0.5 && !p.nested && (p.textual || p.numeric || p.boolean);

export const isText = (p: ColumnProfile) => p.textual && p.turns === 0 && p.lists <= 0.5;

export function longest(profiles: readonly ColumnProfile[]): ColumnProfile {
  return profiles.reduce((a, b) => (b.meanLength > a.meanLength ? b : a));
}

/** A few values that recur: a class rather than a text. */
export function isClassLike(p: ColumnProfile): boolean {
  return p.turns === 0 && p.values !== null && p.values.size <= Math.max(2, p.filled / 3) && p.meanLength <= 40;
}
