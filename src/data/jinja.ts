/**
 * Makes the Jinja library behave like transformers' Jinja where they differ (see
 * tests/unit/data/real-templates.test.ts), and limits it: templates are untrusted programs, and one that would run
 * forever or fill the memory is stopped with an error. What cannot be stopped from inside ends with the worker.
 */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';

export type Program = ReturnType<typeof parse>;
type Value = ReturnType<Interpreter['evaluate']>;
type Node = Parameters<Interpreter['evaluate']>[0];

/** The limit of Python's sandbox. */
const MAX_RANGE = 100_000;
/** The longest intermediate string; conversations have less than a million characters. */
const MAX_TEXT = 2 ** 24;
/** Rendering normally takes milliseconds; a message more costs real templates a tenth of this on a busy machine. */
const MAX_MILLISECONDS = 1000;
const MILLISECONDS_A_MESSAGE = 2;

/** Thrown when a template is stopped before it has finished. */
export class RunawayTemplate extends Error {}

/** Throws a SyntaxError or similar if the source is not Jinja. */
export function parseTemplate(source: string): Program {
  return parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
}

/** Throws the template's own message if it rejects the conversation, or RunawayTemplate if it is stopped. */
export function runTemplate(program: Program, variables: Record<string, unknown> & { messages: unknown[] }): string {
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
    const patience = MAX_MILLISECONDS + MILLISECONDS_A_MESSAGE * variables.messages.length;
    return String(new TransformersInterpreter(environment, patience).run(program).value);
  } catch (cause) {
    // Stack overflow, or a string longer than possible.
    if (cause instanceof RangeError) throw new RunawayTemplate('It is nested too deeply, or produces too much text.');
    throw cause;
  }
}

function boundedRange(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= MAX_RANGE)) throw new RunawayTemplate(`It counts beyond ${MAX_RANGE}.`);
  return Array.from({ length }, (_, i) => start + i * step);
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** Formats dates like Python, in English regardless of the browser's language. */
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

/** What Python's str.strip removes. JavaScript's trim also removes U+FEFF, but not U+0085 and the separators. */
function isSpace(letter: string): boolean {
  return /\p{White_Space}/u.test(letter) || (letter >= '\x1C' && letter <= '\x1F');
}

/** Strips `letters`, or white space if null. */
function strip(text: string, letters: string | null, left: boolean, right: boolean): string {
  const set = letters === null ? null : new Set(letters);
  const goes = (letter: string) => (set ? set.has(letter) : isSpace(letter));
  let start = 0;
  let end = text.length;
  while (left && start < end) {
    const letter = String.fromCodePoint(text.codePointAt(start)!);
    if (!goes(letter)) break;
    start += letter.length;
  }
  while (right && end > start) {
    const letter = lastLetter(text, end);
    if (!goes(letter)) break;
    end -= letter.length;
  }
  return text.slice(start, end);
}

/** The character that ends at `end`, which may be two UTF-16 units. */
function lastLetter(text: string, end: number): string {
  const pair = end > 1 ? text.slice(end - 2, end) : '';
  return /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(pair) ? pair : text[end - 1]!;
}

const STRIPS: Record<string, [left: boolean, right: boolean]> = {
  strip: [true, true],
  lstrip: [true, false],
  rstrip: [false, true],
};

/** The parts of syntax nodes used here; the library does not export their types. */
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
  private readonly end: number;

  constructor(
    environment: Environment,
    private readonly patience: number,
  ) {
    super(environment);
    this.end = performance.now() + patience;
  }

  override evaluate(statement: Node, environment: Environment): Value {
    // Checked at every step, because a single step may create a list of a hundred thousand items.
    if (performance.now() > this.end) {
      throw new RunawayTemplate(`It did not finish within ${Math.round(this.patience / 1000)} s.`);
    }
    const value = this.asPython(statement as Syntax | undefined, environment) ?? super.evaluate(statement, environment);
    if (typeof value.value === 'string' && value.value.length > MAX_TEXT) {
      throw new RunawayTemplate('It produces too much text.');
    }
    return value;
  }

  /** Python's value where it differs from the library's; otherwise null. */
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

  /** The library's strip() ignores its argument, so Qwen3's lstrip('\n') would remove an answer's indentation. */
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
    // In the library, items without the attribute fail every test, even `undefined`, so Mistral's check of the role
    // order would do nothing.
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

/** A new value of the same class, which the library does not export. */
function like<V extends Value>(value: V, content: V['value']): V {
  return new (value.constructor as new (content: V['value']) => V)(content);
}

/** Python's ==: a string never equals a boolean, and `none` differs from undefined. */
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
