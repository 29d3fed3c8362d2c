/**
 * Lists and dictionaries written out in a cell: JSON, or what Python and numpy print (`['a', 'b']`, `{'role': 'user'}`,
 * `[1. 0. 1.]`). Learning such a print as prose is never right, so what starts like one and cannot be read is a result
 * of its own. Ordinary text in brackets ("[Music] …", "{name} …", "[1] Smith") is no literal.
 */
import { parseJsonText } from './json-text';
import { LooseError, readLoose } from './loose-json';

export type Literal =
  /** An array or object. Whole numbers beyond 2^53 are strings of digits; NaN is null. `written` says who printed it. */
  | { kind: 'value'; value: unknown[] | Record<string, unknown>; written: 'json' | 'python' }
  | { kind: 'none' }
  /** It starts like a list or dictionary and cannot be read. `what` goes on after “…, because ”; `at` is 0-based. */
  | { kind: 'broken'; what: string; at: number };

export interface LiteralOptions {
  /** Also reads `[sport, news]`, as labels are sometimes written. Not for texts, where it is a stage direction. */
  bareWords?: boolean;
}

const NONE: Literal = { kind: 'none' };
/** An opening that prose does not have: a bracket and then a quote, a further bracket with a quote, or a number list. */
const OPENING =
  /^(?:[([{]\s*){1,9}(?:[ubrf]?['"]|-?\d+\.?\d*\s*[,\s\]):]|(?:True|False|None|nan)\s*[,\s\]]|(?:array|list|tuple|set)\()/;
const WRAPPED = /^(?:(?:np|numpy|torch)\.)?(?:array|tensor|list|set|tuple|frozenset)\(\s*[[({]/;
/** Openings with a named value: no sentence begins like this, whatever follows it. */
const NAMED = /^(?:[[(]\s*){0,9}\{\s*(?:[ubrf]?'[^'\n]*'|[ubrf]?"[^"\n]*")\s*:/;
/** No sentence begins with so many brackets. */
const DEEP = /^[[({]{10}/;
/** The whole text is brackets and quotes at both ends. */
const CLOSED = /[\])}]\s*$/;

export function readLiteral(source: string, { bareWords = false }: LiteralOptions = {}): Literal {
  // Nearly all cells are decided by their first character.
  const text = source.trimStart();
  const first = text[0];
  if (first !== '[' && first !== '{' && first !== '(' && !WRAPPED.test(text)) return NONE;
  const shift = source.length - text.length;
  if (first === '[' || first === '{') {
    const json = tryJson(text);
    if (json !== undefined) return { kind: 'value', value: json, written: 'json' };
  }
  const named = NAMED.test(text);
  const opening = named || OPENING.test(text) || WRAPPED.test(text) || DEEP.test(text);
  const closed = CLOSED.test(text);
  const bare = bareWords && first === '[' && closed;
  if (!opening && !bare && !/^[[{(]\s*[\])}]\s*$/.test(text)) return NONE;
  try {
    const { value, end, liberties } = readLoose(text, 0, { bareWords: bare });
    const rest = text.slice(end).trim();
    if (rest === '' && typeof value === 'object' && value !== null) {
      // "('quoted')" and "(1)" are brackets around one value, as sentences have them.
      if (first === '(' && (value as unknown[]).length < 2 && !/,\s*\)\s*$/.test(text)) return NONE;
      if (liberties.has('comment')) return named ? broken(0, 'it contains a comment') : NONE;
      return { kind: 'value', value: value as unknown[], written: 'python' };
    }
    // "[1] Smith …", '["Yes"] she said'
    return named ? broken(end, `there is more text after its end: “${rest.slice(0, 20)}”`) : NONE;
  } catch (error) {
    if (!(error instanceof LooseError)) throw error;
    if (first === '(' && !named) return NONE;
    // A quote or number after one bracket, and then words: prose, unless the brackets close or the text was cut off.
    return named || closed || (error.cut && looksCut(text)) ? broken(error.at, error.what) : NONE;
  }

  function broken(at: number, what: string): Literal {
    return { kind: 'broken', at: at + shift, what };
  }
}

/** At least one whole element and its comma: "['a', 'b', 'c". A text that opens with a bracket and a quote may be prose. */
function looksCut(text: string): boolean {
  return (
    /^[[({]+\s*(?:[ubrf]?'[^']*'|[ubrf]?"[^"]*"|-?[\d.]+)\s*,\s*['"\d{[(-]/.test(text) || /^[[(]\s*[{[]/.test(text)
  );
}

function tryJson(text: string): unknown[] | Record<string, unknown> | undefined {
  try {
    const value = parseJsonText(text);
    return typeof value === 'object' && value !== null ? (value as unknown[]) : undefined;
  } catch {
    return undefined;
  }
}
