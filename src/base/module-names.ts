/**
 * How PEFT finds modules by name. A target name is a module's whole path, or its end after a dot
 * (`check_target_module_exists`). The keys of rank_pattern and alpha_pattern are regular expressions that may start after
 * any dot (`get_pattern_key`: `(.*\.)?(KEY)$`).
 */
import { show } from './bad-model';
import { TabtuneError } from './errors';
import { compilePython, type PythonRegex } from './python-regex';
import { PatternError } from './python-regex-parser';

/** Whether `path` equals `name` or ends with it after a dot. */
export const endsInModule = (path: string, name: string): boolean => path === name || path.endsWith(`.${name}`);

/** A key for each module of the largest models. */
const MOST_KEYS = 10_000;
/** States visited by all searches of one pattern: a second or two. A plain name counts as a few. */
export const MOST_VISITS = 50_000_000;
const PLAIN_VISITS = 5;

function refuse(message: string, details?: string): never {
  throw new TabtuneError({
    code: 'bad_recipe',
    message,
    where: 'method.rank_pattern, method.alpha_pattern',
    action: 'Name modules by the end of their paths, such as "layers.0.self_attn.q_proj".',
    details,
  });
}

/** Letters, digits and dots, which cost JavaScript's matcher nothing. A dot stands for any character. */
const LONGEST_PLAIN = 500;
const PLAIN = /^(?:[\w.-]|\\\.)*$/;

/** Keys also come from other people's files, which must not be able to freeze the page. */
class Keys {
  private readonly matchers: { key: string; matches: (path: string) => boolean }[];
  /** The key of each path that was looked up. */
  private readonly known = new Map<string, string | null>();
  private visits = 0;

  constructor(pattern: Record<string, number>) {
    const keys = Object.keys(pattern);
    if (keys.length > MOST_KEYS) {
      refuse(`There are ${keys.length} patterns of module names, more than the limit of ${MOST_KEYS}.`);
    }
    this.matchers = keys.map((key) => ({ key, matches: this.matcher(key) }));
  }

  /** The first key that matches the path. */
  of(path: string): string | null {
    let key = this.known.get(path);
    if (key === undefined) {
      key = this.matchers.find(({ matches }) => matches(path))?.key ?? null;
      this.known.set(path, key);
    }
    return key;
  }

  unmatched(paths: readonly string[]): string[] {
    const before = this.visits;
    const found = this.matchers.filter(({ matches }) => !paths.some(matches)).map(({ key }) => key);
    this.visits = before;
    return found;
  }

  private spend(visits: number): void {
    this.visits += visits;
    if (this.visits > MOST_VISITS) refuse('The patterns of module names take too long to be matched.');
  }

  private matcher(key: string): (path: string) => boolean {
    if (key.length <= LONGEST_PLAIN && PLAIN.test(key)) {
      const expression = new RegExp(`^(?:.*\\.)?(?:${key})$`);
      return (path) => {
        this.spend(PLAIN_VISITS);
        return expression.test(path);
      };
    }
    const guarded = <T>(work: () => T): T => {
      try {
        return work();
      } catch (cause) {
        if (!(cause instanceof PatternError)) throw cause;
        return refuse(`The pattern ${show(key)} cannot be used: ${cause.message}.`);
      }
    };
    let regex: PythonRegex | null = null;
    return (path) =>
      guarded(() => {
        regex ??= compilePython(`(.*\\.)?(${key})$`);
        return regex.matchesStart(path, (visits) => this.spend(visits));
      });
  }
}

const compiled = new WeakMap<Record<string, number>, Keys>();

function keysOf(pattern: Record<string, number>): Keys {
  const keys = compiled.get(pattern) ?? new Keys(pattern);
  compiled.set(pattern, keys);
  return keys;
}

/** The value that a pattern gives the module at `path`: that of the first matching key, else `fallback`. */
export function patternValue(pattern: Record<string, number>, path: string, fallback: number): number {
  const key = keysOf(pattern).of(path);
  return key === null ? fallback : pattern[key]!;
}

/** The keys that match none of the paths. */
export const unmatchedKeys = (pattern: Record<string, number>, paths: readonly string[]): string[] =>
  keysOf(pattern).unmatched(paths);
