/** The syntax of Python's `re`, as of version 3.11; see python-regex.ts. */

/** A pattern that Python refuses, or that cannot be matched in linear time. */
export class PatternError extends Error {}

const MOST_CHARACTERS = 4000;
const MOST_NESTING = 100;
export type Test = (char: string) => boolean;
export type Assertion = 'start' | 'end' | 'line_start' | 'line_end' | 'text_end' | 'word' | 'not_word';

export type Node =
  | { kind: 'char'; test: Test }
  | { kind: 'sequence' | 'choice'; parts: Node[] }
  | { kind: 'repeat'; body: Node; min: number; max: number }
  | { kind: 'assert'; what: Assertion }
  | { kind: 'look'; body: Node; behind: number | null; negated: boolean };

interface Flags {
  i: boolean;
  m: boolean;
  s: boolean;
  a: boolean;
}

const isSpace: Test = (c) => (/^\s$/u.test(c) && c !== '\uFEFF') || c === '\x85' || (c >= '\x1c' && c <= '\x1f');
const isDigit: Test = (c) => /^\p{Nd}$/u.test(c);
export const isWord: Test = (c) => /^[\p{L}\p{N}_]$/u.test(c);
const ascii =
  (test: Test): Test =>
  (c) =>
    c < '\x80' && test(c);
const not =
  (test: Test): Test =>
  (c) =>
    !test(c);
const ignoringCase =
  (test: Test): Test =>
  (c) =>
    test(c) || test(c.toLowerCase()) || test(c.toUpperCase());

const CONTROLS: Record<string, string> = { a: '\x07', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\' };
const HEX_DIGITS: Record<string, number> = { x: 2, u: 4, U: 8 };

export class PatternParser {
  private readonly chars: string[];
  private at = 0;
  private depth = 0;
  private readonly names = new Set<string>();

  constructor(source: string) {
    this.chars = [...source];
    if (this.chars.length > MOST_CHARACTERS) {
      throw new PatternError(`it has ${this.chars.length} characters, more than ${MOST_CHARACTERS}`);
    }
  }

  parse(): Node {
    const flags: Flags = { i: false, m: false, s: false, a: false };
    // Flags of the whole pattern stand at its start.
    for (let found = this.globalFlags(); found !== null; found = this.globalFlags()) this.setFlags(flags, found);
    const node = this.choice(flags);
    if (this.at < this.chars.length) throw new PatternError('a closing parenthesis is never opened');
    return node;
  }

  private globalFlags(): string | null {
    const found = /^\(\?([aiLmsux]+)\)/.exec(this.chars.slice(this.at, this.at + 20).join(''));
    if (!found) return null;
    this.at += found[0].length;
    return found[1]!;
  }

  private setFlags(flags: Flags, letters: string, on = true): void {
    for (const letter of letters) {
      if (letter === 'x' || letter === 'L') throw new PatternError(`the flag ${letter} is not supported`);
      if (letter !== 'u') flags[letter as keyof Flags] = on;
    }
  }

  private peek(text: string): boolean {
    return [...text].every((c, i) => this.chars[this.at + i] === c);
  }

  private take(text: string): boolean {
    if (!this.peek(text)) return false;
    this.at += [...text].length;
    return true;
  }

  private choice(flags: Flags): Node {
    if (++this.depth > MOST_NESTING) throw new PatternError('its groups are nested too deeply');
    const parts = [this.sequence(flags)];
    while (this.take('|')) parts.push(this.sequence(flags));
    this.depth--;
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts };
  }

  private sequence(flags: Flags): Node {
    const parts: Node[] = [];
    while (this.at < this.chars.length && !this.peek('|') && !this.peek(')')) {
      const atom = this.atom(flags);
      if (atom) parts.push(this.repeated(atom));
    }
    return { kind: 'sequence', parts };
  }

  /** The atom with the quantifier after it, if there is one. */
  private repeated(atom: Node): Node {
    const count = this.quantifier();
    if (!count) return atom;
    if (atom.kind === 'assert') throw new PatternError('there is nothing to repeat');
    // Lazy ones match the same texts.
    if (!this.take('?') && this.take('+')) throw new PatternError('possessive repetitions are not supported');
    if (this.quantifier()) throw new PatternError('a repetition is repeated');
    return { kind: 'repeat', body: atom, min: count[0], max: count[1] };
  }

  /** Null if there is none. */
  private quantifier(): [min: number, max: number] | null {
    if (this.take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.take('?')) return [0, 1];
    const rest = this.peek('{') ? this.chars.slice(this.at, this.at + 40).join('') : '';
    // Anything else in braces is text.
    const found = /^\{(\d*)(,?)(\d*)\}/.exec(rest);
    if (found && found[0] !== '{}') {
      const [, low = '', comma, high = ''] = found;
      this.at += found[0].length;
      const min = low === '' ? 0 : Number(low);
      const max = comma === '' ? min : high === '' ? Number.POSITIVE_INFINITY : Number(high);
      if (max < min) throw new PatternError('a repetition has a minimum above its maximum');
      return [min, max];
    }
    return null;
  }

  /** Null for a comment. */
  private atom(flags: Flags): Node | null {
    const char = this.chars[this.at++]!;
    switch (char) {
      case '(':
        return this.group(flags);
      case '[':
        return { kind: 'char', test: this.set(flags) };
      case '.':
        return { kind: 'char', test: flags.s ? () => true : (c) => c !== '\n' };
      case '^':
        return { kind: 'assert', what: flags.m ? 'line_start' : 'start' };
      case '$':
        return { kind: 'assert', what: flags.m ? 'line_end' : 'end' };
      case '*':
      case '+':
      case '?':
        throw new PatternError('there is nothing to repeat');
      case '\\':
        return this.escape(flags);
      case '{': {
        this.at--;
        if (this.quantifier()) throw new PatternError('there is nothing to repeat');
        this.at++;
        return this.literal('{', flags);
      }
      default:
        return this.literal(char, flags);
    }
  }

  private literal(char: string, flags: Flags): Node {
    const same: Test = (c) => c === char;
    if (!flags.i) return { kind: 'char', test: same };
    const lower = char.toLowerCase();
    return { kind: 'char', test: (c) => same(c) || c.toLowerCase() === lower };
  }

  private group(flags: Flags): Node | null {
    const inside = { ...flags };
    if (!this.take('?')) return this.closed(inside);
    if (this.take('#')) {
      const end = this.chars.indexOf(')', this.at);
      if (end < 0) throw new PatternError('a comment is not closed');
      this.at = end + 1;
      return null;
    }
    if (this.take(':')) return this.closed(inside);
    if (this.take('=')) return { kind: 'look', body: this.closed(inside), behind: null, negated: false };
    if (this.take('!')) return { kind: 'look', body: this.closed(inside), behind: null, negated: true };
    if (this.take('<=')) return this.behind(inside, false);
    if (this.take('<!')) return this.behind(inside, true);
    if (this.take('P<')) {
      const end = this.chars.indexOf('>', this.at);
      const name = end < 0 ? '' : this.chars.slice(this.at, end).join('');
      if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)) throw new PatternError('a group has no valid name');
      if (this.names.has(name)) throw new PatternError(`two groups are named ${name}`);
      this.names.add(name);
      this.at = end + 1;
      return this.closed(inside);
    }
    const changed = /^([aimsu]*)(?:-([ims]+))?:/.exec(this.chars.slice(this.at, this.at + 20).join(''));
    if (changed && changed[0] !== ':') {
      this.at += changed[0].length;
      this.setFlags(inside, changed[1]!);
      this.setFlags(inside, changed[2] ?? '', false);
      return this.closed(inside);
    }
    const next = this.chars.slice(this.at, this.at + 2).join('');
    if (next.startsWith('P=') || next.startsWith('(') || next.startsWith('>')) {
      throw new PatternError('backreferences, conditions and atomic groups are not supported');
    }
    throw new PatternError('flags of the whole pattern must stand at its start, or a group is of an unknown kind');
  }

  private closed(flags: Flags): Node {
    const body = this.choice(flags);
    if (!this.take(')')) throw new PatternError('a parenthesis is not closed');
    return body.kind === 'assert' ? { kind: 'sequence', parts: [body] } : body;
  }

  private behind(flags: Flags, negated: boolean): Node {
    const body = this.closed(flags);
    const [min, max] = widthOf(body);
    if (min !== max) throw new PatternError('a look-behind must have a fixed width');
    return { kind: 'look', body, behind: min, negated };
  }

  private classOf(letter: string, { a }: Flags): Test | null {
    const test = { d: isDigit, s: isSpace, w: isWord }[letter.toLowerCase()];
    if (!test) return null;
    const own = a ? ascii(test) : test;
    return letter === letter.toLowerCase() ? own : not(own);
  }

  private escape(flags: Flags): Node {
    const letter = this.chars[this.at++];
    if (letter === undefined) throw new PatternError('it ends in a backslash');
    const test = this.classOf(letter, flags);
    if (test) return { kind: 'char', test };
    if (letter === 'A') return { kind: 'assert', what: 'start' };
    if (letter === 'Z' || letter === 'z') return { kind: 'assert', what: 'text_end' };
    if (letter === 'b') return { kind: 'assert', what: 'word' };
    if (letter === 'B') return { kind: 'assert', what: 'not_word' };
    if (/[1-9]/.test(letter) && !/^[0-3][0-7]{2}/.test(this.chars.slice(this.at - 1, this.at + 2).join(''))) {
      throw new PatternError('backreferences are not supported');
    }
    return this.literal(this.escapedChar(letter), flags);
  }

  /** The character that an escape stands for, inside a set or outside. */
  private escapedChar(letter: string): string {
    if (Object.hasOwn(CONTROLS, letter)) return CONTROLS[letter]!;
    const digits = HEX_DIGITS[letter];
    if (digits !== undefined) {
      const hex = this.chars.slice(this.at, this.at + digits).join('');
      if (!new RegExp(`^[0-9a-fA-F]{${digits}}$`).test(hex)) throw new PatternError(`\\${letter} is not complete`);
      this.at += digits;
      const code = Number.parseInt(hex, 16);
      if (code > 0x10ffff) throw new PatternError(`\\${letter}${hex} is not a character`);
      return String.fromCodePoint(code);
    }
    if (/[0-7]/.test(letter)) {
      const octal = /^[0-7]{1,3}/.exec(this.chars.slice(this.at - 1, this.at + 2).join(''))![0];
      this.at += octal.length - 1;
      const code = Number.parseInt(octal, 8);
      if (code > 0o377) throw new PatternError(`\\${octal} is not a character`);
      return String.fromCodePoint(code);
    }
    if (/[a-zA-Z0-9]/.test(letter)) throw new PatternError(`\\${letter} has no meaning`);
    return letter;
  }

  private set(flags: Flags): Test {
    const negated = this.take('^');
    const tests: Test[] = [];
    for (let first = true; ; first = false) {
      if (this.at >= this.chars.length) throw new PatternError('a set of characters is not closed');
      if (!first && this.take(']')) break;
      const low = this.setMember(flags);
      if (this.peek('-') && this.chars[this.at + 1] !== ']' && this.at + 1 < this.chars.length) {
        this.at++;
        const high = this.setMember(flags);
        if (typeof low !== 'string' || typeof high !== 'string') throw new PatternError('a range has no valid end');
        const [from, to] = [low.codePointAt(0)!, high.codePointAt(0)!];
        if (to < from) throw new PatternError(`the range ${low}-${high} is in the wrong order`);
        tests.push((c) => c.codePointAt(0)! >= from && c.codePointAt(0)! <= to);
      } else tests.push(typeof low === 'string' ? (c) => c === low : low);
    }
    const any: Test = (c) => tests.some((test) => test(c));
    const own = flags.i ? ignoringCase(any) : any;
    return negated ? not(own) : own;
  }

  private setMember(flags: Flags): string | Test {
    const char = this.chars[this.at++]!;
    if (char !== '\\') return char;
    const letter = this.chars[this.at++];
    if (letter === undefined) throw new PatternError('it ends in a backslash');
    if (letter === 'b') return '\b';
    return this.classOf(letter, flags) ?? this.escapedChar(letter);
  }
}

/** Characters that a node matches, at least and at most. */
function widthOf(node: Node): [number, number] {
  switch (node.kind) {
    case 'char':
      return [1, 1];
    case 'sequence':
      return node.parts.map(widthOf).reduce(([a, b], [min, max]) => [a + min, b + max], [0, 0]);
    case 'choice': {
      const widths = node.parts.map(widthOf);
      return [Math.min(...widths.map(([min]) => min)), Math.max(...widths.map(([, max]) => max))];
    }
    case 'repeat': {
      const [min, max] = widthOf(node.body);
      return [min * node.min, max === 0 ? 0 : max * node.max];
    }
    default:
      return [0, 0];
  }
}
