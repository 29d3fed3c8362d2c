/** The flags of `npm run inspect`: the recipe's own fields under their own names, read and checked as in a recipe. */
import { checkRecipe } from '../recipe/defaults';
import { type Field, fieldsOf } from '../recipe/fields';
import { recipeError } from '../recipe/schema';
import type { DatasetSection, ObjectiveSection, TrainingSection } from '../recipe/types';

/** A field of the recipe as a flag: `--max_length 512` sets `dataset.max_length`. */
export interface Flag {
  name: string;
  field: Field;
}

export interface Settings {
  dataset: DatasetSection;
  objective: ObjectiveSection;
  seed: TrainingSection['seed'];
}

/** What is read is the command's own argument, alone; base text is not looked at. */
const notFlags = new Set<string>(['dataset.source', 'dataset.mix', 'dataset.base_text']);

/** Every field that decides how a file is read, what is learned of it and what is held out: a new one needs no line here. */
export const flags: readonly Flag[] = [
  ...fieldsOf('dataset').filter(({ field }) => !notFlags.has(field.path)),
  ...fieldsOf('objective'),
  ...fieldsOf('training').filter(({ key }) => key === 'seed'),
].map(({ key, field }) => ({ name: field.path === 'objective.type' ? 'objective' : key, field }));

/**
 * The recipe's sections for a file, with `given` (flag -> text, as written on a command line) and defaults for the rest. Throws
 * bad_recipe, as the same recipe does.
 */
export function settingsOf(fileName: string, given: Readonly<Record<string, string>>): Settings {
  const sections: Record<string, Record<string, unknown>> = { dataset: { source: `file:${fileName}` } };
  for (const { name, field } of flags) {
    const text = given[name];
    if (text === undefined) continue;
    const [section, key] = field.path.split('.') as [string, string];
    sections[section] = { ...sections[section], [key]: meantBy(field, text) };
  }
  const { recipe, problems } = checkRecipe({ version: 1, ...sections });
  // Which method and model suit them is a question about a run.
  const own = problems.filter(({ where }) => !recipe || /^(dataset|objective|training\.seed)\b/.test(where ?? ''));
  if (!recipe || own.length > 0) throw recipeError(own);
  return { dataset: recipe.dataset, objective: recipe.objective, seed: recipe.training.seed };
}

/** What the text of a flag stands for. Whether it is allowed, the recipe's schema decides. */
function meantBy(field: Field, text: string): unknown {
  if (field.kind === 'text' || field.kind === 'select') return text === 'null' && field.default === null ? null : text;
  if (field.kind === 'columns' && !/^\s*(\{|null\s*$)/.test(text)) return pairsOf(text);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** `prompt=question,completion=answer`. Names with a comma or an equals sign need JSON. */
function pairsOf(text: string): Record<string, string> {
  const pairs = text.split(',').map((pair) => {
    const at = pair.includes('=') ? pair.indexOf('=') : pair.length;
    return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
  });
  return Object.fromEntries(pairs);
}
