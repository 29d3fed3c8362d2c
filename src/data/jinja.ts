/**
 * The Jinja library made to do what transformers' Jinja does where it does otherwise (found by
 * tests/unit/data/real-templates.test.ts), and bounded: templates are strangers' programs, and one that would run for
 * ever or fill the memory is stopped with a sentence. What cannot be stopped from inside ends with the worker.
 */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';

export type Program = ReturnType<typeof parse>;
type Value = ReturnType<Interpreter['evaluate']>;
type Node = Parameters<Interpreter['evaluate']>[0];

/** Python's sandbox allows as many. */
const MAX_RANGE = 100_000;
/** The largest text that may come about on the way: conversations have less than a million letters. */
const MAX_TEXT = 2 ** 24;
/** A rendering takes milliseconds. */
const MAX_MILLISECONDS = 1000;

/** A template that was stopped: it fails for any conversation, or as good as any. */
export class RunawayTemplate extends Error {}

/** Throws a SyntaxError or the like when the source is not Jinja. */
export function parseTemplate(source: string): Program {
  return parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
}

/** Throws with the template's own words when it refuses, RunawayTemplate when it is stopped. */
export function runTemplate(program: Program, variables: Record<string, unknown>): string {
  const environment = new Environment();
  const globals = {
    ...{ true: true, True: true, false: false, False: false, none: null, None: null },
    raise_exception(message: string) {
      throw new Error(message);
    },
    range: boundedRange,
    strftime_now: (format: string) => strftime(new Date(), format),
  };
  for (const [name, value] of Object.entries({ ...globals, ...variables })) environment.set(name, value);
  try {
    return String(new TransformersInterpreter(environment).run(program).value);
  } catch (cause) {
    // The stack's end, or the length that no string can have.
    if (cause instanceof RangeError) throw new RunawayTemplate('It is nested too deeply, or makes a text without end.');
    throw cause;
  }
}

function boundedRange(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= MAX_RANGE)) throw new RunawayTemplate(`It counts further than ${MAX_RANGE}.`);
  return Array.from({ length }, (_, i) => start + i * step);
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** As Python writes dates, in English wherever the browser stands. */
function strftime(date: Date, format: string): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const month = MONTHS[date.getMonth()]!;
  const day = DAYS[date.getDay()]!;
  const codes: Record<string, string> = {
    ...{ Y: String(date.getFullYear()), y: two(date.getFullYear() % 100), m: two(date.getMonth() + 1) },
    ...{ B: month, b: month.slice(0, 3), A: day, a: day.slice(0, 3), d: two(date.getDate()) },
    ...{ H: two(date.getHours()), M: two(date.getMinutes()), S: two(date.getSeconds()), '%': '%' },
  };
  return format.replace(/%(.)/g, (written, code: string) => codes[code] ?? written);
}

/** What Python's str.strip takes away; JavaScript's trim takes U+FEFF too, and leaves U+0085 and separators. */
function isSpace(letter: string): boolean {
  return /\p{White_Space}/u.test(letter) || (letter >= '\x1C' && letter <= '\x1F');
}

/** `letters` is null for white space. */
function strip(text: string, letters: string | null, left: boolean, right: boolean): string {
  const set = letters === null ? null : new Set(letters);
  const goes = (letter: string) => (set ? set.has(letter) : isSpace(letter));
  const parts = [...text];
  let start = 0;
  let end = parts.length;
  while (left && start < end && goes(parts[start]!)) start++;
  while (right && end > start && goes(parts[end - 1]!)) end--;
  return parts.slice(start, end).join('');
}

const STRIPS: Record<string, [left: boolean, right: boolean]> = {
  strip: [true, true],
  lstrip: [true, false],
  rstrip: [false, true],
};

/** The parts of syntax nodes that are looked at here; the library does not export their types. */
interface Syntax {
  type: string;
  value?: string;
  operator?: { value: string };
  left?: Node;
  right?: Node;
  operand?: Node;
  filter?: Syntax;
  callee?: Syntax;
  object?: Node;
  property?: Syntax;
  computed?: boolean;
  args?: Syntax[];
}

class TransformersInterpreter extends Interpreter {
  private readonly end = performance.now() + MAX_MILLISECONDS;

  override evaluate(statement: Node, environment: Environment): Value {
    // At every step: one may make a list of a hundred thousand.
    if (performance.now() > this.end) throw new RunawayTemplate('It does not come to an end.');
    const value = this.asPython(statement as Syntax | undefined, environment) ?? super.evaluate(statement, environment);
    if (typeof value.value === 'string' && value.value.length > MAX_TEXT) {
      throw new RunawayTemplate('It makes a text without end.');
    }
    return value;
  }

  /** The value where Python's is another than the library's; null everywhere else. */
  private asPython(node: Syntax | undefined, environment: Environment): Value | null {
    if (node?.type === 'BinaryExpression' && (node.operator?.value === '==' || node.operator?.value === '!=')) {
      const left = this.evaluate(node.left, environment);
      const same = equal(left, this.evaluate(node.right, environment));
      return like(left.__bool__(), same === (node.operator.value === '=='));
    }
    if (node?.type === 'FilterExpression') return this.filter(node, environment);
    if (node?.type === 'CallExpression' && node.callee?.type === 'MemberExpression')
      return this.strip(node, environment);
    return null;
  }

  /** The library's strip() knows no argument: Qwen3's lstrip('\n') would take the indentation off an answer. */
  private strip({ callee, args = [] }: Syntax, environment: Environment): Value | null {
    const sides = callee?.computed ? undefined : STRIPS[callee?.property?.value ?? ''];
    if (!sides || args.length > 1) return null;
    const object = this.evaluate(callee?.object, environment);
    if (typeof object.value !== 'string') return null;
    const given = args[0] ? this.evaluate(args[0] as Node, environment).value : null;
    return like(object, strip(object.value, typeof given === 'string' ? given : null, ...sides));
  }

  private filter(node: Syntax, environment: Environment): Value | null {
    if (node.filter?.type === 'Identifier' && node.filter.value === 'trim') {
      const operand = this.evaluate(node.operand, environment);
      return typeof operand.value === 'string' ? like(operand, strip(operand.value, null, true, true)) : null;
    }
    const name = node.filter?.callee?.value;
    if (name !== 'selectattr' && name !== 'rejectattr') return null;
    // The library leaves items without the attribute to fail any test, `undefined` too: Mistral's order of roles
    // would go unchecked.
    const operand = this.evaluate(node.operand, environment);
    const [attribute, testName, wanted] = (node.filter?.args ?? []).map((a) => this.evaluate(a as Node, environment));
    const test = testName ? environment.tests.get(String(testName.value)) : (value: Value) => value.__bool__().value;
    if (!Array.isArray(operand.value) || !attribute || !test) return null;
    const missing = new Environment().lookupVariable('missing');
    const kept = operand.value.filter((item) => {
      const found = item.value instanceof Map ? item.value.get(String(attribute.value)) : undefined;
      return (wanted ? test(found ?? missing, wanted) : test(found ?? missing)) === (name === 'selectattr');
    });
    return like(operand, kept);
  }
}

/** Another value of the same class, which the library does not export. */
function like<V extends Value>(value: V, content: V['value']): V {
  return new (value.constructor as new (content: V['value']) => V)(content);
}

/** Python's ==: no text equals a truth value, and `none` is not what was never set. */
function equal(a: Value, b: Value): boolean {
  const [x, y] = [a.value, b.value];
  const isNumber = (v: unknown) => typeof v === 'number' || typeof v === 'boolean';
  if (isNumber(x) && isNumber(y)) return Number(x) === Number(y);
  if (Array.isArray(x) && Array.isArray(y)) return x.length === y.length && x.every((item, i) => equal(item, y[i]!));
  if (x instanceof Map && y instanceof Map) {
    return x.size === y.size && [...x].every(([key, item]) => y.has(key) && equal(item, y.get(key)!));
  }
  return x === y && a.type === b.type;
}
