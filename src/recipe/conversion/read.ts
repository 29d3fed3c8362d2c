/** Another trainer's config as a recipe: what is known becomes a field, and the rest is listed. */
import { field, type RecipePath } from '../fields';
import { fieldProblems, lookupIn } from '../schema';
import type { FieldSpec } from '../spec';
import type { RecipeInput } from '../types';
import { asNumber, commaSeparated } from './entries';
import { reasonFor } from './reasons';
import { commonRows, type TypedSection, typesIn } from './registry';
import { type Config, type ConfigReader, type Entry, type TrainerId, trainerNames, Unreadable } from './types';

/** A setting that became a field. */
export interface Taken {
  /** In the config, dotted. */
  field: string;
  value: unknown;
  path: RecipePath;
  /** The field's value in the recipe. */
  as: unknown;
}

/** A setting that did not, and why: a sentence. */
export interface Left {
  field: string;
  value: unknown;
  why: string;
}

/** A field that the config leaves to its trainer, whose default is another than here. */
export interface Assumed {
  path: RecipePath;
  as: unknown;
}

export interface ImportedConfig {
  trainer: TrainerId;
  /** `Axolotl`, … */
  from: string;
  input: RecipeInput;
  taken: Taken[];
  assumed: Assumed[];
  left: Left[];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What switches nothing on: nothing is lost with it. */
const isOff = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === '' ||
  (Array.isArray(value) && value.length === 0) ||
  (isObject(value) && Object.values(value).every(isOff));

function lookup(config: Config, key: string): unknown {
  let value: unknown = config;
  for (const part of key.split('.')) value = isObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  return value ?? undefined;
}

/** YAML from another program may have numbers and flags as text. */
function coerced(spec: FieldSpec, value: unknown): unknown {
  switch (spec.kind) {
    case 'number':
    case 'int':
    case 'length':
      return asNumber(value) ?? value;
    case 'bool':
    case 'auto_bool':
      return value === 'true' ? true : value === 'false' ? false : value;
    case 'modules':
    case 'list':
      return value === ('word' in spec ? spec.word : undefined) ? value : commaSeparated(value);
    case 'pattern':
      return isObject(value)
        ? Object.fromEntries(Object.entries(value).map(([name, number]) => [name, asNumber(number) ?? number]))
        : value;
    default:
      return value;
  }
}

class Reading {
  readonly input: Record<string, Record<string, unknown> | string | number> = { version: 1 };
  readonly taken: Taken[] = [];
  readonly assumed: Assumed[] = [];
  readonly left = new Map<string, Left>();
  /** Keys that say the types; they are taken by them. */
  private readonly marks = new Map<string, RecipePath>();

  constructor(
    private readonly trainer: TrainerId,
    private readonly config: Config,
  ) {}

  /** The type that claims the config. */
  type(section: TypedSection, hint: string): void {
    const touched = new Set<string>();
    const at: ConfigReader = (key) => {
      touched.add(key);
      return lookup(this.config, key);
    };
    const found = typesIn(this.trainer, section).find(({ how }) => how.is(at, hint));
    if (!found) return;
    this.input[section] = { type: found.type };
    const keys = Object.keys(found.how.marks({ type: found.type }, MARKS_ONLY));
    for (const key of keys) if (lookup(this.config, key) !== undefined) this.marks.set(key, `${section}.type`);
    for (const [key, entry] of Object.entries(found.how.fields)) this.entry(`${section}.${key}` as RecipePath, entry);
    for (const [path, value] of Object.entries(found.how.absent ?? {})) this.overrides.set(path, value);
  }

  /** Values that a type's own trainer takes for other fields. */
  private readonly overrides = new Map<string, unknown>();

  entry(path: RecipePath, entry: Entry | undefined): void {
    if (!entry?.read) return;
    const touched: string[] = [];
    const at: ConfigReader = (key) => {
      if (!touched.includes(key)) touched.push(key);
      return lookup(this.config, key);
    };
    const present = () => touched.filter((key) => lookup(this.config, key) !== undefined);
    try {
      const raw = entry.read(at);
      if (raw === undefined) this.assume(path, entry);
      else this.take(path, raw, present());
    } catch (cause) {
      if (!(cause instanceof Unreadable)) throw cause;
      for (const key of present()) this.leave(key, cause.message);
    }
  }

  private take(path: RecipePath, raw: unknown, keys: string[]): void {
    const spec = field(path, lookupIn(this.input));
    const value = coerced(spec, raw);
    const [problem] = fieldProblems(path, spec, value);
    if (problem) {
      for (const key of keys) this.leave(key, `here it ${problem.message}`);
      return;
    }
    this.put(path, value);
    for (const key of keys) this.taken.push({ field: key, value: lookup(this.config, key), path, as: value });
  }

  private assume(path: RecipePath, entry: Entry): void {
    const absent = this.overrides.has(path) ? this.overrides.get(path) : entry.absent;
    if (absent === undefined) return;
    const value = structuredClone(absent);
    const { default: ours } = field(path, lookupIn(this.input));
    if (JSON.stringify(ours) === JSON.stringify(value)) return;
    this.put(path, value);
    this.assumed.push({ path, as: value });
  }

  private put(path: RecipePath, value: unknown): void {
    const [section, key] = path.split('.') as [string, string | undefined];
    if (key === undefined) this.input[section] = value as string;
    else this.input[section] = { ...(this.input[section] as object | undefined), [key]: value };
  }

  private leave(key: string, why: string): void {
    if (!this.left.has(key)) this.left.set(key, { field: key, value: lookup(this.config, key), why: sentence(why) });
  }

  /** Settings that no field has asked for. */
  finish(): ImportedConfig {
    const used = new Set(this.taken.map(({ field }) => field));
    for (const [key, path] of this.marks) {
      if (used.has(key)) continue;
      const [section, name] = path.split('.') as [TypedSection, string];
      const as = (this.input[section] as Record<string, unknown>)[name];
      this.taken.unshift({ field: key, value: lookup(this.config, key), path, as });
      used.add(key);
    }
    for (const key of used) this.left.delete(key);
    const visit = (config: Config, prefix: string) => {
      for (const [name, value] of Object.entries(config)) {
        const key = prefix + name;
        if (used.has(key) || this.left.has(key) || isOff(value)) continue;
        const inside = [...used, ...this.left.keys()].some((other) => other.startsWith(`${key}.`));
        if (inside && isObject(value)) visit(value, `${key}.`);
        else this.leave(key, reasonFor(key));
      }
    };
    visit(this.config, '');
    return {
      trainer: this.trainer,
      from: trainerNames[this.trainer],
      input: this.input as unknown as RecipeInput,
      taken: this.taken,
      assumed: this.assumed,
      left: [...this.left.values()],
    };
  }
}

/** Marks are asked for their keys alone. */
const MARKS_ONLY = { recipe: { model: { quantization: 'none' } }, facts: {}, warmupInSteps: false } as never;

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** `hint` says more about a config that does not name its trainer, as its file's name may. */
export function readConfig(trainer: TrainerId, config: Config, hint = ''): ImportedConfig {
  const reading = new Reading(trainer, config);
  reading.type('method', hint);
  reading.type('objective', hint);
  for (const [path, row] of commonRows) reading.entry(path, row[trainer]);
  return reading.finish();
}
