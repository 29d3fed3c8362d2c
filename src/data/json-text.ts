/** JSON.parse with numbers as they are written, and a limit to nesting. */
import { LooseError, MAX_DEPTH, readLoose } from './loose-json';

/** Numbers that JSON.parse would change, at least to look at: long ones, trailing zeros, exponents. */
const CHANGED_NUMBER = /[:[,\s]-?(?:\d{16,}|\d+\.\d*0(?![\d])|\d+\.\d{15,}|\d+(?:\.\d+)?[eE][+-]?\d|-?0(?=[\s,\]}]))/;

/**
 * JSON.parse, except that whole numbers beyond 2^53 come back as text with all their digits, and other numbers that
 * JavaScript would spell differently keep their spelling. Throws as JSON.parse does.
 */
export function parseJsonText(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null && isDeep(text)) {
    throw new LooseError(0, `it is nested more than ${MAX_DEPTH} levels deep`);
  }
  if (typeof value !== 'object' || value === null || !CHANGED_NUMBER.test(text)) return value;
  try {
    return readLoose(text, 0).value;
  } catch {
    return value;
  }
}

/** Whether valid JSON is nested too deeply. Read from the text, because walking the value would itself need the stack. */
function isDeep(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 34) {
      do {
        i = text.indexOf('"', i + 1);
        if (i === -1) return false;
      } while (isEscaped(text, i));
    } else if (c === 91 || c === 123) {
      if (++depth > MAX_DEPTH) return true;
    } else if (c === 93 || c === 125) depth--;
  }
  return false;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text.charCodeAt(at - 1 - slashes) === 92) slashes++;
  return slashes % 2 === 1;
}
