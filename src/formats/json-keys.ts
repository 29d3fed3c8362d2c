/**
 * Finds a key that occurs twice in a JSON object. `JSON.parse` silently keeps the last one. In a weight file a
 * duplicate is either damage or an attempt to show one thing to a checker and another to a loader.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/**
 * The first key that occurs twice in the outermost object or in an object directly inside it, or null. `text` must
 * already have passed `JSON.parse`. Takes linear time and does not recurse.
 */
export function findDuplicateKey(text: string): string | null {
  const outer = new Set<string>();
  let inner = new Set<string>();
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === OPEN || c === 0x5b) {
      depth++;
      if (depth === 2) inner = new Set();
    } else if (c === CLOSE || c === 0x5d) {
      depth--;
    } else if (c === QUOTE) {
      const start = i;
      i++;
      while (text.charCodeAt(i) !== QUOTE) i += text.charCodeAt(i) === BACKSLASH ? 2 : 1;
      if (depth > 2) continue;
      let next = i + 1;
      while (text.charCodeAt(next) <= 0x20) next++;
      if (text.charCodeAt(next) !== COLON) continue;
      const key = JSON.parse(text.slice(start, i + 1)) as string;
      const seen = depth === 1 ? outer : inner;
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return null;
}
