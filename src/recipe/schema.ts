/**
 * Is this JSON a recipe? Types, ranges and field names; every problem is reported, each with its path. Whether the
 * values can work together is validate.ts's question.
 */
import * as v from 'valibot';
import type { ErrorData } from '../base/errors';
import { TabtuneError } from '../base/errors';
import { type FieldSpec, fieldsOf, type NumberField, type SectionName, sectionNames } from './fields';
import { alternatives, otherNames, suggest } from './suggest';
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
  if (above || below) return `${kind} ${above ? 'above' : 'from'} ${min} and ${below ? 'below' : 'at most'} ${max}`;
  return min === max ? String(min) : `${kind} from ${min} to ${max}`;
}

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
      return `auto or ${allowedNumber(spec, true)}`;
    case 'modules':
      return 'all-linear or a list of module names';
    case 'columns':
      return 'a map from parts to column names, or null';
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
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
      const text = v.pipe(v.string(), v.maxLength(1000), v.regex(/^[^\u0000-\u001f\u007f]*$/));
      return spec.default === null ? v.nullable(text) : text;
    }
    case 'length':
      return v.union([v.literal('auto'), v.pipe(v.number(), v.integer(), v.minValue(spec.min), v.maxValue(spec.max))]);
    case 'modules':
      return v.union([v.literal('all-linear'), v.array(v.pipe(v.string(), v.trim(), v.minLength(1)))]);
    case 'columns':
      return v.nullable(v.record(v.string(), v.string()));
    default:
      return spec satisfies never;
  }
}

const schemas = Object.fromEntries(
  (['', ...sectionNames] as const).map((section) => [
    section,
    new Map(fieldsOf(section).map(({ key, field }) => [key, { spec: field as FieldSpec, schema: valueSchema(field) }])),
  ]),
) as Record<SectionName | '', Map<string, { spec: FieldSpec; schema: v.GenericSchema<unknown> }>>;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value as JSON, short enough for a sentence. */
function show(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    text = Array.isArray(value) ? 'a list' : 'an object'; // nested too deeply to write out
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

function unknownField(section: SectionName | '', key: string): RecipeProblem {
  const path = section === '' ? key : `${section}.${key}`;
  const here = [...schemas[section].keys(), ...(section === '' ? sectionNames : [])];
  const near = suggest(key, here);
  if (near) return problem(path, 'unknown field.', `Did you mean ${near}?`);
  const elsewhere = sectionNames.find((name) => schemas[name].has(key));
  if (elsewhere) return problem(path, 'unknown field.', `It belongs in ${elsewhere}.`);
  const other = Object.hasOwn(otherNames, key) ? otherNames[key] : undefined;
  if (other) return problem(path, 'unknown field.', `Here it is called ${other}.`);
  return problem(path, 'unknown field.', `Known here: ${here.join(', ')}.`);
}

function sectionProblems(section: SectionName | '', value: Record<string, unknown>): RecipeProblem[] {
  const known = schemas[section];
  const prefix = section === '' ? '' : `${section}.`;
  const wrong: RecipeProblem[] = [];
  for (const [key, child] of Object.entries(value)) {
    // undefined is an omitted field: the screen may hand one over, JSON cannot.
    if (child === undefined || (section === '' && (sectionNames as readonly string[]).includes(key))) continue;
    const entry = known.get(key);
    if (!entry) wrong.push(unknownField(section, key));
    else if (!v.is(entry.schema, child)) wrong.push(valueProblem(prefix + key, entry.spec, child));
  }
  // With an unknown type the other fields are another method's: judging them would only mislead.
  const typeProblem = wrong.find((p) => p.where === `${section}.type`);
  return typeProblem ? [typeProblem] : wrong;
}

/** What is wrong with the types, ranges and names of `value`; empty when it is a RecipeInput. */
export function schemaProblems(value: unknown): RecipeProblem[] {
  if (!isObject(value)) return [problem('recipe', `must be a JSON object, not ${show(value)}.`)];
  if (typeof value.version === 'number' && Number.isInteger(value.version) && value.version > 1) {
    return [problem('version', `is ${value.version}; this Tabtune reads version 1.`, 'Use a newer Tabtune.')];
  }
  const problems = sectionProblems('', value);
  for (const section of sectionNames) {
    const child = value[section];
    if (child === undefined) continue;
    if (isObject(child)) problems.push(...sectionProblems(section, child));
    else problems.push(problem(section, `must be an object, not ${show(child)}.`));
  }
  return problems;
}

/** Several problems as the one error that is thrown: the first in full, the others by name, all of them in `details`. */
export function recipeError(problems: RecipeProblem[]): TabtuneError {
  const first = problems[0]!;
  const others = problems.slice(1);
  const also = others.length > 0 ? `Also wrong: ${others.map((p) => p.where).join(', ')}.` : undefined;
  return new TabtuneError({
    ...first,
    action: [first.action, also].filter(Boolean).join(' ') || undefined,
    details: problems.map((p) => TabtuneError.fromData(p).toLine()).join('\n'),
  });
}

/** Reads a recipe file. Throws bad_recipe with every problem of its types, ranges and names. */
export function parseRecipe(text: string): RecipeInput {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
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
