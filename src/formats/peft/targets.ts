/**
 * Which modules PEFT gives an adapter to (`check_target_module_exists`). It reads only the tensors of those, so tensors of others
 * in the file would have no effect there: such a file is refused rather than read in another way than PEFT does.
 */
import { endsInModule, MOST_VISITS } from '../../base/module-names';
import { compilePython } from '../../base/python-regex';
import { PatternError } from '../../base/python-regex-parser';
import { fieldPlace, type Json, namesField } from './fields';
import { refuse } from './refuse';

const ACTION = 'Correct the field, or remove the tensors, so that PEFT and Tabtune read the same.';

/** Refuses paths that have tensors but are not targeted. */
export function checkTargets(config: Json, paths: readonly string[]): void {
  const targets = namesField(config, 'target_modules');
  const targeted = matcherOf(config, 'target_modules');
  const excluded = matcherOf(config, 'exclude_modules');
  const layers = layersOf(config);
  for (const path of paths) {
    if (targeted && !targeted(path)) {
      complain('target_modules', `does not name ${path}, of which the file has weights.`);
    }
    if (excluded?.(path)) complain('exclude_modules', `names ${path}, of which the file has weights.`);
    // PEFT looks at layers only with names, and takes a whole path whatever its layer.
    const layer = layers && layerOf(config, path);
    if (layers && targets && !targets.includes(path) && (layer === null || !layers.includes(layer))) {
      complain('layers_to_transform', `leaves out ${path}, of which the file has weights.`);
    }
  }
}

/** Whether a field means a module: a list of names, or an expression that matches all of a path. Null: it says nothing. */
function matcherOf(config: Json, key: string): ((path: string) => boolean) | null {
  const names = namesField(config, key);
  if (names) return names.length > 0 ? (path) => names.some((name) => endsInModule(path, name)) : null;
  const pattern = config[key];
  if (typeof pattern !== 'string' || pattern === '' || pattern.toLowerCase() === 'all-linear') return null;
  // Not all of Python's expressions can be read here, nor in reasonable time; the tensors show what it matched.
  const guarded = <T>(work: () => T): T | null => {
    try {
      return work();
    } catch (cause) {
      if (cause instanceof PatternError) return null;
      throw cause;
    }
  };
  const expression = guarded(() => compilePython(`(?:${pattern})$`));
  if (!expression) return null;
  let visits = 0;
  const spend = (count: number) => {
    visits += count;
    if (visits > MOST_VISITS)
      refuse(fieldPlace(key), `${key} is an expression that takes too long to be matched.`, ACTION);
  };
  // What cannot be told contradicts nothing: a target then means the path, an exclusion does not.
  const unknown = key === 'target_modules';
  return (path) => guarded(() => expression.matchesStart(path, spend)) ?? unknown;
}

const complain = (key: string, what: string): never =>
  refuse(fieldPlace(key), `${key} ${what} PEFT would leave them out.`, ACTION);

function layersOf({ layers_to_transform: value }: Json): number[] | null {
  if (typeof value === 'number') return [value];
  const given = Array.isArray(value) && value.length > 0 && value.every((n) => typeof n === 'number');
  return given ? value : null;
}

/** The number of a module's layer: the first after a module that layers_pattern names, or after any two modules. */
function layerOf({ layers_pattern: pattern }: Json, path: string): number | null {
  const names = typeof pattern === 'string' && pattern !== '' ? [pattern] : Array.isArray(pattern) ? pattern : [];
  const parts = path.split('.');
  const at = parts.findIndex(
    (part, i) =>
      /^\d+$/.test(part) && i < parts.length - 1 && (names.length === 0 ? i > 1 : names.includes(parts[i - 1])),
  );
  return at < 0 ? null : Number(parts[at]);
}
