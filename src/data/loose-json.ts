/**
 * One reader for values as programs print them: JSON, JSON with the usual slips (comments, trailing commas, NaN, raw line
 * breaks), Python's and numpy's prints. It says which liberties it took, so that callers can refuse or report them.
 */

import { keepSpelling } from './spellings';

/** Something that JSON does not allow and this reader understands. */
export type Liberty =
  | 'comment'
  | 'trailing_comma'
  | 'single_quotes'
  | 'python_word'
  | 'not_a_number'
  | 'raw_break'
  | 'bare_name'
  | 'python_type'
  | 'no_commas'
  | 'key_type'
  | 'escape';

export interface LooseValue {
  value: unknown;
  /** Where the value ends. */
  end: number;
  /** Each liberty taken, with the position of its first use. */
  liberties: Map<Liberty, number>;
}

/** Why and where reading stopped. No Error: files have thousands of broken lines, and each would record its stack. */
export class LooseError {
  readonly at: number;
  readonly what: string;
  /** The text ended inside the value. */
  readonly cut: boolean;
  constructor(at: number, what: string, cut = false) {
    this.at = at;
    this.what = what;
    this.cut = cut;
  }
}

/** Deeper nesting is no data that people write, and recursion must end before the stack does. */
export const MAX_DEPTH = 200;

const PYTHON_WORDS: Record<string, unknown> = { None: null, True: true, False: false };
const JSON_WORDS: Record<string, unknown> = { null: null, true: true, false: false };
const NO_NUMBERS = new Set(['NaN', 'nan', 'Infinity', 'inf', 'NaT', 'NA', 'undefined']);
/** Python's and numpy's prints of typed values: the first argument is the value. */
const WRAPPERS =
  /^(np\.|numpy\.|torch\.)?(array|tensor|list|tuple|set|frozenset|str_|float\d+|int\d+|bool_?|Timestamp)$/;
const NUMBER = /-?(?:0[xX][0-9a-fA-F]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y;
const WORD = /[\p{L}_$][\p{L}\p{N}_.$-]*/uy;
const SPACE = /[\s\uFEFF]*/y;
const COMMENT = /\/\/[^\n\r]*|\/\*[\s\S]*?\*\/|#[^\n\r]*/y;

/** Reads the value that starts at `from`. Throws LooseError. */
export function readLoose(text: string, from: number, options: { bareWords?: boolean } = {}): LooseValue {
  const reader = new Reader(text, from, options.bareWords ?? false);
  reader.space();
  const value = reader.value(0);
  return { value, end: reader.at, liberties: reader.liberties };
}

/** Skips white space and comments. */
export function skipSpace(text: string, from: number): number {
  const reader = new Reader(text, from, false);
  reader.space();
  return reader.at;
}

class Reader {
  readonly liberties = new Map<Liberty, number>();
  /** The source of the number read last, if JavaScript spells it differently. */
  private written: string | null = null;
  private readonly text: string;
  at: number;
  private readonly bareWords: boolean;

  constructor(text: string, at: number, bareWords: boolean) {
    this.text = text;
    this.at = at;
    this.bareWords = bareWords;
  }

  private take(liberty: Liberty, at: number): void {
    if (!this.liberties.has(liberty)) this.liberties.set(liberty, at);
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined || found === '') return null;
    this.at += found.length;
    return found;
  }

  space(): void {
    for (;;) {
      this.match(SPACE);
      const c = this.text.charCodeAt(this.at);
      if (c !== 47 && c !== 35) return;
      const at = this.at;
      if (this.match(COMMENT) === null) return;
      this.take('comment', at);
    }
  }

  private fail(what: string): never {
    if (this.at >= this.text.length) throw new LooseError(this.text.length, 'it ends before it is complete', true);
    throw new LooseError(this.at, what);
  }

  value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw new LooseError(this.at, `it is nested more than ${MAX_DEPTH} levels deep`);
    this.written = null;
    switch (this.text[this.at]) {
      case '"':
        return this.string('"');
      case "'":
        this.take('single_quotes', this.at);
        return this.string("'");
      case '[':
        return this.list(']', depth);
      case '(':
        this.take('python_type', this.at);
        return this.list(')', depth);
      case '{':
        return this.object(depth);
    }
    return this.number() ?? this.word(depth);
  }

  private number(): unknown {
    const start = this.at;
    const plus = this.text[this.at] === '+';
    if (plus) this.at++;
    const source = this.match(NUMBER);
    if (source === null) {
      this.at = start;
      return undefined;
    }
    // A word that begins with digits, such as a date: 2024-01-02.
    if (/[\p{L}\p{N}_-]/u.test(this.text[this.at] ?? '')) {
      this.at = start;
      if (this.bareWords) return undefined;
      this.fail(`“${this.text.slice(start, start + 12)}” is not a number`);
    }
    const value = Number(source.replaceAll('_', ''));
    if (/^-?\d+$/.test(source) && !Number.isSafeInteger(value)) return source;
    if (String(value) !== source) this.written = source;
    return value;
  }

  private word(depth: number): unknown {
    const start = this.at;
    const minus = this.text[start] === '-' ? 1 : 0;
    this.at += minus;
    const word = this.match(WORD);
    if (word !== null) {
      const next = this.text[this.at];
      if (minus === 0 && Object.hasOwn(JSON_WORDS, word)) return JSON_WORDS[word];
      if (minus === 0 && Object.hasOwn(PYTHON_WORDS, word)) {
        this.take('python_word', start);
        return PYTHON_WORDS[word];
      }
      if (NO_NUMBERS.has(word)) {
        this.take('not_a_number', start);
        return null;
      }
      if ((next === '"' || next === "'") && /^(u|b|r|br|rb|f)$/i.test(word)) {
        this.take('single_quotes', start);
        return this.string(next);
      }
      if (next === '(' && WRAPPERS.test(word)) {
        this.take('python_type', start);
        return this.wrapped(depth);
      }
      if (this.bareWords && minus === 0) return this.bare(start);
    } else if (this.bareWords && /[^\s,[\](){}"':]/.test(this.text[start] ?? '')) return this.bare(start);
    this.at = start;
    if (this.text.startsWith('...', start) || this.text[start] === '…') this.fail('it was shortened with “...”');
    const shown = this.text.slice(start, start + 12).split(/[\r\n]/)[0]!;
    this.fail(`“${shown}” is not a value`);
  }

  /** Words without quotes, up to the next comma or bracket. */
  private bare(start: number): string {
    this.take('bare_name', start);
    this.at = start;
    return this.match(/[^,[\](){}\r\n]+/y)!.trim();
  }

  /** `array([...], dtype=object)`: the first argument; the others are skipped. */
  private wrapped(depth: number): unknown {
    this.at++;
    this.space();
    if (this.text[this.at] === ')') {
      this.at++;
      return [];
    }
    const value = this.value(depth + 1);
    const written = this.written;
    this.space();
    while (this.text[this.at] === ',') {
      this.at++;
      this.space();
      if (this.text[this.at] === ')') break;
      // dtype='<U5', shape=(3,), device='cuda:0'
      if (this.match(/[a-z_]+\s*=\s*(?:[\w.<>|]+|'[^']*'|"[^"]*"|\([^)]*\))/y) === null)
        this.fail('it has more than one value');
      this.space();
    }
    if (this.text[this.at] !== ')') this.fail('a closing bracket “)” is missing');
    this.at++;
    this.written = written;
    return value;
  }

  private list(close: string, depth: number): unknown[] {
    const out: unknown[] = [];
    this.at++;
    this.space();
    while (this.text[this.at] !== close) {
      const value = this.value(depth + 1);
      if (this.written !== null) keepSpelling(out, String(out.length), this.written);
      out.push(value);
      const end = this.at;
      this.space();
      const next = this.text[this.at];
      if (next === ',') {
        this.at++;
        const comma = this.at - 1;
        this.space();
        if (this.text[this.at] === close && close === ']') this.take('trailing_comma', comma);
      } else if (next !== close) {
        // numpy prints its arrays with nothing but spaces between the values.
        if (this.at === end) this.fail('a comma is missing, or a quote inside a string is not escaped');
        if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
          this.fail('a comma is missing between two objects');
        }
        this.take('no_commas', end);
      }
    }
    this.at++;
    this.written = null;
    return out;
  }

  private object(depth: number): unknown {
    const out: Record<string, unknown> = {};
    const open = this.at;
    this.at++;
    this.space();
    let first = true;
    while (this.text[this.at] !== '}') {
      const keyAt = this.at;
      const key = this.key(depth);
      this.space();
      if (this.text[this.at] !== ':') {
        // Python's set: {'a', 'b'}.
        if (first && (this.text[this.at] === ',' || this.text[this.at] === '}') && this.text[keyAt] !== '{') {
          this.at = open;
          this.take('python_type', open);
          return this.list('}', depth);
        }
        this.fail('a colon is missing after a name, or a quote inside a string is not escaped');
      }
      this.at++;
      this.space();
      const value = this.value(depth + 1);
      if (key === '__proto__') {
        Object.defineProperty(out, key, { value, enumerable: true, writable: true, configurable: true });
      } else out[key] = value;
      if (this.written !== null) keepSpelling(out, key, this.written);
      this.space();
      const next = this.text[this.at];
      if (next === ',') {
        const comma = this.at;
        this.at++;
        this.space();
        if (this.text[this.at] === '}') this.take('trailing_comma', comma);
      } else if (next !== '}') this.fail('a comma is missing, or a quote inside a string is not escaped');
      first = false;
    }
    this.at++;
    this.written = null;
    return out;
  }

  private key(depth: number): string {
    const c = this.text[this.at];
    if (c === '"') return this.string('"');
    if (c === '{' || c === '[' || c === undefined) this.fail('a name in quotes is missing');
    // 1: "a" and a: 1 are JavaScript's and YAML's; Python's keys may be numbers and tuples.
    const at = this.at;
    if (c !== "'" && c !== '(') {
      const word = this.match(WORD);
      if (word !== null && /^[ \t]*:/.test(this.text.slice(this.at, this.at + 20))) {
        this.take('bare_name', at);
        return word;
      }
      this.at = at;
    }
    const value = this.value(depth + 1);
    if (typeof value !== 'string') this.take('key_type', at);
    return typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value);
  }

  private string(quote: string): string {
    this.at++;
    const { text } = this;
    let out = '';
    let from = this.at;
    for (;;) {
      const c = text[this.at];
      if (c === undefined) throw new LooseError(text.length, 'a string is never closed', true);
      if (c === quote) {
        out += text.slice(from, this.at++);
        return out;
      }
      if (c === '\\') {
        out += text.slice(from, this.at);
        out += this.escape();
        from = this.at;
        continue;
      }
      if (c < ' ') this.take('raw_break', this.at);
      this.at++;
    }
  }

  private escape(): string {
    const { text } = this;
    const c = text[this.at + 1];
    const hex = (digits: number) => {
      const code = text.slice(this.at + 2, this.at + 2 + digits);
      if (code.length < digits || !/^[0-9a-fA-F]+$/.test(code)) {
        throw new LooseError(this.at, `“\\${c}” is not followed by ${digits} hexadecimal digits`);
      }
      this.at += 2 + digits;
      return Number.parseInt(code, 16);
    };
    switch (c) {
      case 'u':
        return String.fromCharCode(hex(4));
      case 'x':
        this.take('escape', this.at);
        return String.fromCharCode(hex(2));
      case 'U': {
        const at = this.at;
        const code = hex(8);
        if (code > 0x10ffff) throw new LooseError(at, 'an escaped character does not exist');
        return String.fromCodePoint(code);
      }
    }
    if (c === undefined) throw new LooseError(text.length, 'a string is never closed', true);
    this.at += 2;
    if (!JSON_ESCAPES.includes(c)) this.take('escape', this.at - 2);
    const plain = ESCAPES[c];
    // Python keeps the backslash of an escape that it does not know.
    return plain ?? `\\${c}`;
  }
}

const JSON_ESCAPES = '"\\/nrtbfu';
const ESCAPES: Record<string, string> = {
  '"': '"',
  "'": "'",
  '\\': '\\',
  '/': '/',
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  '0': '\0',
  '\n': '',
};
