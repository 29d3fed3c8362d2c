/**
 * JSON from strangers. JavaScript parses any nesting, but whatever walks through the result afterwards (JSON.stringify, a copy to
 * another thread, our own code) runs out of stack, so what is nested absurdly deep is refused before it is parsed.
 */

/** Real configs, tokenizers and datasets stay below 20. */
export const MOST_DEPTH = 100;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Whether a text opens more brackets than `limit`, nested or not. Ordinary lines open few, and finding that out is quick. */
function opensMore(text: string, limit: number): boolean {
  let count = 0;
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) if (++count > limit) return true;
  }
  return false;
}

/** Whether objects and lists are nested more than `limit` deep. Takes linear time and does not recurse. */
export function deeperThan(text: string, limit: number): boolean {
  if (!opensMore(text, limit)) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      i++;
      while (i < text.length && text.charCodeAt(i) !== QUOTE) i += text.charCodeAt(i) === BACKSLASH ? 2 : 1;
    } else if (c === 0x7b || c === 0x5b) {
      if (++depth > limit) return true;
    } else if (c === 0x7d || c === 0x5d) depth--;
  }
  return false;
}

/** Like JSON.parse, but throws a SyntaxError also for what is nested more than a hundred deep. */
export function parseUntrusted(text: string): unknown {
  if (deeperThan(text, MOST_DEPTH)) throw new SyntaxError(`it is nested more than ${MOST_DEPTH} levels deep`);
  return JSON.parse(text);
}

/** Text of a file that must be UTF-8. Throws a SyntaxError where it is not. */
export function utf8Text(bytes: Uint8Array, options: TextDecoderOptions = {}): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ...options }).decode(bytes);
  } catch {
    throw new SyntaxError('it is not UTF-8 text');
  }
}
