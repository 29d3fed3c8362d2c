/**
 * Explains what is wrong with invalid JSON, where, and what to do. Engines report this differently (V8 omits the
 * position from some messages, others from all), so the text is scanned again for the error.
 */
import { deeperThan, MOST_DEPTH } from '../base/json';
import { excerpt } from './problems';

export interface JsonErrorPlace {
  /** Both 1-based. */
  line: number;
  column: number;
  /** Some of the text around the error, on one line. */
  near: string;
  /** Continues a sentence, e.g. "it ends before it is complete". */
  what: string;
  action: string;
}

export function explainJsonError(text: string): JsonErrorPlace {
  if (deeperThan(text, MOST_DEPTH)) {
    return {
      ...{ line: 1, column: 1, near: '' },
      what: `it is nested more than ${MOST_DEPTH} levels deep`,
      action: 'Write each example as one flat object.',
    };
  }
  const { position, inside } = findJsonError(text);
  let line = 1;
  let start = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < position; at = text.indexOf('\n', at + 1)) {
    line++;
    start = at + 1;
  }
  return {
    line,
    column: position - start + 1,
    near: excerpt(text.slice(Math.max(0, position - 20), position + 20), 40),
    ...hintFor(text, position, inside),
  };
}

/** What was being read at the error. */
type Inside = 'string' | 'escape' | 'value' | 'key' | 'colon' | 'comma' | 'end';

const WHITESPACE = /[ \t\n\r]*/y;
const LITERAL = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these inside a string
const STRING_PART = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;

/** The offset of the first character that is invalid there, or the length of the text if it is cut off. */
function findJsonError(text: string): { position: number; inside: Inside } {
  let i = 0;
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = i;
    const match = pattern.exec(text);
    if (match) i += match[0].length;
    return match !== null;
  };
  const open: ('{' | '[')[] = [];
  let expect: 'value' | 'first-value' | 'key' | 'first-key' | 'colon' | 'comma' | 'end' = 'value';
  const closed = () => {
    open.pop();
    expect = open.length > 0 ? 'comma' : 'end';
  };
  for (;;) {
    skip(WHITESPACE);
    const c = text[i];
    if (c === undefined) return { position: i, inside: 'end' };
    switch (expect) {
      case 'end':
        return { position: i, inside: 'end' };
      case 'colon':
        if (c !== ':') return { position: i, inside: 'colon' };
        i++;
        expect = 'value';
        break;
      case 'comma':
        if (c === ',') {
          i++;
          expect = open.at(-1) === '{' ? 'key' : 'value';
        } else if (c === (open.at(-1) === '{' ? '}' : ']')) {
          i++;
          closed();
        } else return { position: i, inside: 'comma' };
        break;
      case 'first-key':
      case 'key':
        if (c === '}' && expect === 'first-key') {
          i++;
          closed();
          break;
        }
        if (c !== '"') return { position: i, inside: 'key' };
        {
          const bad = string();
          if (bad) return { position: i, inside: bad };
        }
        expect = 'colon';
        break;
      case 'first-value':
      case 'value':
        if (c === ']' && expect === 'first-value') {
          i++;
          closed();
        } else if (c === '{' || c === '[') {
          i++;
          open.push(c);
          expect = c === '{' ? 'first-key' : 'first-value';
        } else {
          if (c === '"') {
            const bad = string();
            if (bad) return { position: i, inside: bad };
          } else if (!skip(LITERAL)) return { position: i, inside: 'value' };
          expect = open.length > 0 ? 'comma' : 'end';
        }
        break;
    }
  }

  /** Reads a string from its opening quote; null if it is valid. */
  function string(): 'string' | 'escape' | null {
    i++;
    for (;;) {
      skip(STRING_PART);
      if (text[i] === '"') {
        i++;
        return null;
      }
      if (text[i] !== '\\') return 'string';
      if (skip(ESCAPE)) continue;
      if (i + 1 < text.length) return 'escape';
      i++;
      return 'string';
    }
  }
}

function hintFor(text: string, position: number, inside: Inside): { what: string; action: string } {
  const char = text[position];
  const after = text.slice(position, position + 12);
  if (char === undefined) {
    return inside === 'string'
      ? {
          what: 'it ends before it is complete: a text is not closed, or contains a raw line break',
          action:
            'Write line breaks as \\n, e.g. by writing the file with json.dumps. If its end is missing, download it again.',
        }
      : { what: 'it ends before it is complete', action: 'Its end seems to be missing. Copy or download it again.' };
  }
  if (inside === 'string') {
    return {
      what: 'a string contains a raw line break or tab',
      action: 'Write them as \\n and \\t, e.g. by writing the file with json.dumps.',
    };
  }
  if (inside === 'escape') {
    return {
      what: 'a backslash is followed by a character that JSON does not allow there',
      action: 'Write a backslash as \\\\.',
    };
  }
  if ((char === '}' || char === ']') && text.slice(0, position).trimEnd().endsWith(',')) {
    return { what: 'there is a comma after the last value', action: `Remove the comma before “${char}”.` };
  }
  if (/[“”„‟«»″]/.test(char)) {
    return {
      what: `it has typographic quotes (${char}), as word processors write them`,
      action: 'JSON needs straight double quotes ("). Replace them in a plain text editor.',
    };
  }
  if (char === "'") {
    return {
      what: 'it uses single quotes, as Python’s print does',
      action: 'JSON needs double quotes. Write the file with json.dumps, not with print or str.',
    };
  }
  const word = /^-?(None|True|False|NaN|nan|Infinity|inf|undefined)\b/.exec(after)?.[0];
  if (word) {
    return {
      what: `“${word}” is not a JSON value`,
      action: 'Use null, true or false, e.g. by writing the file with json.dumps (and allow_nan=False).',
    };
  }
  if (char === '/' || char === '#') {
    return { what: 'it has a comment, which JSON does not allow', action: 'Remove the comment.' };
  }
  if (inside === 'comma') {
    return {
      what: 'a comma is missing, or a quote inside a string is not escaped',
      action: 'Put commas between values, and write quotes inside strings as \\".',
    };
  }
  if (inside === 'end') {
    return { what: `there is extra text after its end: “${excerpt(after, 12)}”`, action: 'Write one object per line.' };
  }
  if (inside === 'key') {
    return {
      what: `a name in double quotes is missing before “${excerpt(after, 12)}”`,
      action: 'Put the name in double quotes.',
    };
  }
  return {
    what: `“${excerpt(after, 12)}” does not belong there`,
    action: 'Check the quotes, commas and brackets around it.',
  };
}
