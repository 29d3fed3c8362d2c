/**
 * Checks that JSON is a recipe: field names, types and ranges. Every problem is reported with its path. Whether the values work
 * together is checked in validate.ts.
 */
import * as v from 'valibot';
import type { ErrorData } from '../base/errors';
import { TabtuneError } from '../base/errors';
import { parseUntrusted } from '../base/json';
import { ROW_RANGES } from '../base/row-ranges';
import { type Field, field, fieldsOf, type Lookup, type SectionName, sectionNames } from './fields';
import { rewardSchemaProblems } from './reward-schema';
import type { FieldSpec, NumberField, Variant } from './spec';
import { alternatives, list, otherNames, suggest } from './suggest';
import type { RecipeInput } from './types';

/** A problem of a recipe: `where` is its path, e.g. `training.learning_rate`. */
export type RecipeProblem = ErrorData & { code: 'bad_recipe'; where: string };

export function problem(where: string, message: string, action?: string): RecipeProblem {
  return action === undefined ? { code: 'bad_recipe', where, message } : { code: 'bad_recipe', where, message, action };
}

/** A range in words: "a whole number from 1 to 256". */
export function allowedNumber(spec: Pick<NumberField, 'min' | 'max' | 'above' | 'below'>, whole: boolean): string {
  const { min, max, above, below } = spec;
  const kind = whole ? 'a whole number' : 'a number';
  if (above || below)
    return `${kind} ${above ? 'above' : 'of at least'} ${min} and ${below ? 'below' : 'at most'} ${max}`;
  return min === max ? String(min) : `${kind} from ${min} to ${max}`;
}

const LONGEST_CODE = 50_000;

function allowed(spec: FieldSpec): string {
  switch (spec.kind) {
    case 'number':
      return allowedNumber(spec, false);
    case 'int':
      return allowedNumber(spec, true);
    case 'select':
      return alternatives(spec.options.map((option) => option.value));
    case 'bool':
      return 'true or false';
    case 'auto_bool':
      return 'auto, true or false';
    case 'text':
      return spec.default === null ? 'text or null' : 'text';
    case 'length':
      return `${spec.default === null ? 'null' : 'auto'} or ${allowedNumber(spec, true)}`;
    case 'modules':
      return spec.word === null ? 'a list of module names' : `${spec.word} or a list of module names`;
    case 'rows':
      return 'rows such as 3,7-9,120, or null';
    case 'list':
      return `a list of ${alternatives(spec.options.map((option) => option.value))}`;
    case 'numbers':
      return `${spec.default === null ? 'null or ' : ''}a list of numbers, each ${allowedNumber(spec, false)}`;
    case 'pattern':
      return `a map from ${spec.keys ?? 'module names'} to numbers, each ${allowedNumber(spec, spec.whole)}`;
    case 'columns':
      return 'a map from parts to column names, or null';
    case 'code':
      return `text of at most ${LONGEST_CODE} letters`;
    case 'lines':
      return 'a list of texts';
    case 'rewards':
      return 'a list of rewards';
    default:
      return spec satisfies never;
  }
}

function valueSchema(spec: FieldSpec): v.GenericSchema<unknown> {
  switch (spec.kind) {
    case 'number':
    case 'int': {
      const { min, max, above, below, kind } = spec;
      return v.pipe(
        v.number(),
        v.check((x) => (kind === 'number' ? Number.isFinite(x) : Number.isSafeInteger(x))),
        v.check((x) => (above ? x > min : x >= min) && (below ? x < max : x <= max)),
      );
    }
    case 'select':
      return v.picklist(spec.options.map((option) => option.value));
    case 'bool':
      return v.boolean();
    case 'auto_bool':
      return v.union([v.literal('auto'), v.boolean()]);
    case 'text': {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it rejects.
      const text = v.pipe(v.string(), v.maxLength(1000), v.regex(/^[^\u0000-\u001f\u007f]*$/));
      return spec.default === null ? v.nullable(text) : text;
    }
    case 'length':
      return v.union([
        spec.default === null ? v.null() : v.literal('auto'),
        v.pipe(v.number(), v.integer(), v.minValue(spec.min), v.maxValue(spec.max)),
      ]);
    case 'modules': {
      const names = v.array(v.pipe(v.string(), v.trim(), v.minLength(1)));
      return spec.word === null ? names : v.union([v.literal(spec.word), names]);
    }
    case 'rows':
      return v.nullable(v.pipe(v.string(), v.maxLength(1_000_000), v.regex(ROW_RANGES)));
    case 'list':
      return v.array(v.picklist(spec.options.map((option) => option.value)));
    case 'numbers': {
      const { min, max } = spec;
      const list = v.array(v.pipe(v.number(), v.finite(), v.minValue(min), v.maxValue(max)));
      return spec.default === null ? v.nullable(list) : list;
    }
    case 'pattern': {
      const { min, max, above, whole } = spec;
      const number = v.pipe(
        v.number(),
        v.check((x) => (whole ? Number.isSafeInteger(x) : Number.isFinite(x))),
        v.check((x) => (above ? x > min : x >= min) && x <= max),
      );
      return v.record(v.pipe(v.string(), v.trim(), v.minLength(1)), number);
    }
    case 'columns':
      return v.nullable(v.record(v.string(), v.string()));
    case 'code':
      return v.pipe(v.string(), v.maxLength(LONGEST_CODE));
    case 'lines':
      return v.pipe(v.array(v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(1000))), v.maxLength(1000));
    case 'rewards':
      // Looked at one by one in reward-schema.ts.
      return v.array(v.unknown());
    default:
      return spec satisfies never;
  }
}

const known = Object.fromEntries(
  (['', ...sectionNames] as const).map((section) => [
    section,
    new Map(fieldsOf(section).map(({ key, field }) => [key, field])),
  ]),
) as Record<SectionName | '', Map<string, Field>>;

const schemas = new Map<string, v.GenericSchema<unknown>>();

/** The schema of a field with its variant applied, which may change the values that it takes. */
function schemaOf(spec: Field): v.GenericSchema<unknown> {
  const { path, kind, word, min, max, above, below } = spec as Field & Partial<Variant<unknown>>;
  const values = spec.kind === 'select' || spec.kind === 'list' ? spec.options.map(({ value }) => value) : [];
  const key = JSON.stringify([path, kind, word, values, min, max, above, below]);
  const schema = schemas.get(key) ?? valueSchema(spec);
  schemas.set(key, schema);
  return schema;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value as JSON, shortened to fit into a sentence. */
function show(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    text = Array.isArray(value) ? 'a list' : 'an object'; // nested too deeply to serialise
  }
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function valueProblem(path: string, spec: FieldSpec, value: unknown): RecipeProblem {
  const action =
    spec.kind === 'select' && typeof value === 'string'
      ? suggest(
          value,
          spec.options.map((option) => option.value),
        )
      : undefined;
  return problem(path, `must be ${allowed(spec)}, not ${show(value)}.`, action && `Did you mean ${action}?`);
}

/** Problems of a value with the kind of its field. */
export const fieldProblems = (path: string, spec: FieldSpec, value: unknown): RecipeProblem[] =>
  v.is(valueSchema(spec), value) ? [] : [valueProblem(path, spec, value)];

/** Looks up a path in what may be a recipe, falling back to the default. */
export function lookupIn(input: unknown): Lookup {
  return (path) => {
    const [section, key] = path.split('.');
    const part = isObject(input) ? input[section!] : undefined;
    const value = key === undefined ? part : isObject(part) && Object.hasOwn(part, key) ? part[key] : undefined;
    return value ?? field(path, () => undefined).default;
  };
}

/** The type of a typed section. */
function typeOf(section: SectionName | '', at: Lookup): string | undefined {
  if (section !== 'method' && section !== 'objective') return undefined;
  const type = at(`${section}.type`);
  // Anything else is refused as a type.
  return typeof type === 'string' ? type : '';
}

function unknownField(section: SectionName | '', key: string, at: Lookup): RecipeProblem {
  const name = key.length > 80 ? `${key.slice(0, 77)}…` : key;
  const path = section === '' ? name : `${section}.${name}`;
  const here = [
    ...fieldsOf(section, typeOf(section, at)).map((entry) => entry.key),
    ...(section === '' ? sectionNames : []),
  ];
  const near = suggest(key, here);
  if (near) return problem(path, 'is not a known field.', `Did you mean ${near}?`);
  const elsewhere = sectionNames.find((name) => known[name].has(key));
  if (elsewhere) return problem(path, 'is not a known field.', `It belongs in ${elsewhere}.`);
  const other = Object.hasOwn(otherNames, key) ? otherNames[key] : undefined;
  if (other) return problem(path, 'is not a known field.', `Use ${other} instead.`);
  return problem(path, 'is not a known field.', `The fields are ${list(here)}.`);
}

function sectionProblems(section: SectionName | '', value: Record<string, unknown>, at: Lookup): RecipeProblem[] {
  const prefix = section === '' ? '' : `${section}.`;
  const type = typeOf(section, at);
  const wrong: RecipeProblem[] = [];
  const fields = Object.entries(value);
  // Each problem is looked at, and suggests something; a file of thousands of fields is no recipe.
  for (const [key, child] of fields.slice(0, MOST_FIELDS)) {
    // undefined means omitted: the screen may pass it, JSON cannot.
    if (child === undefined || (section === '' && (sectionNames as readonly string[]).includes(key))) continue;
    const entry = known[section].get(key);
    if (!entry) wrong.push(unknownField(section, key, at));
    else if (type !== undefined && entry.for && !entry.for.includes(type)) {
      wrong.push(problem(prefix + key, `belongs to ${list(entry.for)}, not to ${type}.`, 'Remove it.'));
    } else {
      const spec = field(entry.path, at);
      if (spec.kind === 'rewards') wrong.push(...rewardSchemaProblems(prefix + key, child, problem, fieldProblems));
      else if (!v.is(schemaOf(spec), child)) wrong.push(valueProblem(prefix + key, spec, child));
    }
  }
  if (fields.length > MOST_FIELDS) {
    wrong.push(
      problem(
        section === '' ? 'recipe' : section,
        `has ${fields.length} fields, of which only the first ${MOST_FIELDS} were checked.`,
        'Write a recipe as in the examples.',
      ),
    );
  }
  // If the type is unknown, the other fields belong to some other method, and errors about them would mislead.
  const typeProblem = wrong.find((p) => p.where === `${section}.type`);
  return typeProblem ? [typeProblem] : wrong;
}

/** No section has half as many. */
const MOST_FIELDS = 200;

/** Problems with the names, types and ranges in `value`; empty if it is a RecipeInput. */
export function schemaProblems(value: unknown): RecipeProblem[] {
  if (!isObject(value)) return [problem('recipe', `must be a JSON object, not ${show(value)}.`)];
  if (typeof value.version === 'number' && Number.isInteger(value.version) && value.version > 1) {
    return [problem('version', `is ${value.version}, but this Tabtune reads version 1.`, 'Update Tabtune.')];
  }
  const at = lookupIn(value);
  const problems = sectionProblems('', value, at);
  for (const section of sectionNames) {
    const child = value[section];
    if (child === undefined) continue;
    if (isObject(child)) problems.push(...sectionProblems(section, child, at));
    else problems.push(problem(section, `must be an object, not ${show(child)}.`));
  }
  return problems;
}

const MOST_NAMED = 20;

/** Combines problems into one error: the first in full, the others by path, and all of them in `details`. */
export function recipeError(problems: RecipeProblem[]): TabtuneError {
  const first = problems[0]!;
  const others = problems.slice(1);
  const more = others.length - MOST_NAMED;
  const names = others.slice(0, MOST_NAMED).map((p) => (p.where.length > 80 ? `${p.where.slice(0, 77)}…` : p.where));
  const also = others.length > 0 ? `Also wrong: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}.` : undefined;
  return new TabtuneError({
    ...first,
    action: [first.action, also].filter(Boolean).join(' ') || undefined,
    details: problems.map((p) => TabtuneError.fromData(p).toLine()).join('\n'),
  });
}

/** Parses a recipe file. Throws bad_recipe with every problem of its names, types and ranges. */
export function parseRecipe(text: string): RecipeInput {
  let value: unknown;
  try {
    value = parseUntrusted(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw TabtuneError.from(cause, {
      code: 'bad_recipe',
      where: 'recipe',
      message: `is not valid JSON (${cause instanceof Error ? cause.message : cause}).`,
    });
  }
  const problems = schemaProblems(value);
  if (problems.length > 0) throw recipeError(problems);
  return value as RecipeInput;
}
