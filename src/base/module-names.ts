/**
 * How PEFT finds modules by name. A target name is a module's whole path, or its end after a dot
 * (`check_target_module_exists`). The keys of rank_pattern and alpha_pattern are regular expressions that may start after
 * any dot (`get_pattern_key`: `(.*\.)?(KEY)$`).
 */
import { TabtuneError } from './errors';

/** Whether `path` equals `name` or ends with it after a dot. */
export const endsInModule = (path: string, name: string): boolean => path === name || path.endsWith(`.${name}`);

const LONGEST = 200;
/** Module paths are short, so a few quantifiers are cheap in any arrangement; nested ones take exponential time. */
const MOST_QUANTIFIERS = 3;
const compiled = new Map<string, RegExp>();

function compile(key: string): RegExp {
  const known = compiled.get(key);
  if (known) return known;
  const refuse = (message: string, details?: string): never => {
    throw new TabtuneError({
      code: 'bad_recipe',
      message,
      where: 'method.rank_pattern, method.alpha_pattern',
      action: 'Name modules by the end of their paths, such as "layers.0.self_attn.q_proj".',
      details,
    });
  };
  // Keys also come from other people's files, which must not be able to freeze the page.
  if (key.length > LONGEST) refuse(`The pattern has ${key.length} characters, more than the limit of ${LONGEST}.`);
  if (/\)[*+{]/.test(key) || (key.match(/[*+{]/g) ?? []).length > MOST_QUANTIFIERS) {
    refuse(`The pattern "${key}" has too many repetitions to be matched safely.`);
  }
  try {
    const expression = new RegExp(`^(.*\\.)?(${key})$`);
    compiled.set(key, expression);
    return expression;
  } catch (cause) {
    return refuse(`The pattern "${key}" is not a valid regular expression.`, String(cause));
  }
}

/** The value that a pattern gives the module at `path`: that of the first matching key, else `fallback`. */
export function patternValue(pattern: Record<string, number>, path: string, fallback: number): number {
  for (const [key, value] of Object.entries(pattern)) if (compile(key).test(path)) return value;
  return fallback;
}

/** The keys that match none of the paths. */
export const unmatchedKeys = (pattern: Record<string, number>, paths: readonly string[]): string[] =>
  Object.keys(pattern).filter((key) => !paths.some((path) => compile(key).test(path)));
