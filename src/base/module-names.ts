/**
 * How PEFT finds modules by name: target names are a module's whole path or its end behind a dot
 * (`check_target_module_exists`), and the keys of rank_pattern and alpha_pattern are regular expressions that may begin
 * behind any dot (`get_pattern_key`: `(.*\.)?(KEY)$`).
 */
import { TabtuneError } from './errors';

/** Whether `path` is `name` or ends in it, behind a dot. */
export const endsInModule = (path: string, name: string): boolean => path === name || path.endsWith(`.${name}`);

const LONGEST = 200;
/** Module paths are short, so that a few quantifiers cost little whatever they are; nested ones cost exponentially. */
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
  // Keys come from strangers' files too, and must not be able to stop the page.
  if (key.length > LONGEST) refuse(`A pattern of ${key.length} characters is too long.`);
  if (/\)[*+{]/.test(key) || (key.match(/[*+{]/g) ?? []).length > MOST_QUANTIFIERS) {
    refuse(`The pattern "${key}" repeats too much to be matched safely.`);
  }
  try {
    const expression = new RegExp(`^(.*\\.)?(${key})$`);
    compiled.set(key, expression);
    return expression;
  } catch (cause) {
    return refuse(`The pattern "${key}" is not a regular expression.`, String(cause));
  }
}

/** What a pattern gives the module at `path`: the value of the first key that matches, else `fallback`. */
export function patternValue(pattern: Record<string, number>, path: string, fallback: number): number {
  for (const [key, value] of Object.entries(pattern)) if (compile(key).test(path)) return value;
  return fallback;
}

/** The keys that match none of the paths. */
export const unmatchedKeys = (pattern: Record<string, number>, paths: readonly string[]): string[] =>
  Object.keys(pattern).filter((key) => !paths.some((path) => compile(key).test(path)));
