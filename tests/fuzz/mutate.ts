/**
 * What a fuzzer does to a valid file. Of JSON, the structure is changed: types swapped, keys lost, doubled or renamed, lists
 * repeated, values nested absurdly deep, numbers that no field expects. Of everything, the bytes: cut, flipped, moved, filled.
 */
import type { Draw } from './random';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const utf8 = (text: string) => new TextEncoder().encode(text);
const NUMBERS = [0, -1, 1, 2, 0.5, 1e308, -1e308, 2 ** 31, 2 ** 32, 2 ** 53, 1e-320, 255, 65_536, 4_294_967_295, 1e15];
/** JSON's grammar allows numbers that no double holds. */
const ODD_NUMBERS = ['1e999', '-0', '123456789012345678901234567890', '1E400', '-1e999'];
const TEXTS = [
  '',
  ' ',
  '\u0000',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'NaN',
  '../../etc/passwd',
  '\ud800',
  '{{ x }}',
  '(a+)+$',
  '%s%n',
  'é'.repeat(300),
  'x'.repeat(5000),
  '\u202e',
  '-1',
  '[',
  '\\',
];

const deep = (depth: number, list: boolean): Json => {
  let value: Json = 1;
  for (let i = 0; i < depth; i++) value = list ? [value] : { a: value };
  return value;
};

function strangeValue(draw: Draw): Json {
  switch (draw.below(9)) {
    case 0:
      return null;
    case 1:
      return draw.chance(0.5);
    case 2:
    case 3:
      return draw.pick(NUMBERS);
    case 4:
      return draw.pick(TEXTS);
    case 5:
      return [];
    case 6:
      return {};
    case 7:
      return Array.from({ length: 1 + draw.below(20) }, () => draw.pick([...NUMBERS, ...TEXTS, null, true]));
    default:
      return deep(draw.pick([2, 20, 150]), draw.chance(0.5));
  }
}

interface Place {
  parent: Json[] | { [key: string]: Json };
  key: string | number;
}

/** Some of the places of a value: a random walk, because a tokenizer has a hundred thousand. */
function randomPlace(root: Json, draw: Draw): Place | null {
  let place: Place | null = null;
  let value = root;
  for (;;) {
    if (typeof value !== 'object' || value === null) return place;
    const keys: (string | number)[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
    if (keys.length === 0) return place;
    const key = draw.pick(keys);
    place = { parent: value, key };
    if (draw.chance(0.25)) return place;
    value = (value as Record<string | number, Json>)[key]!;
  }
}

function changeStructure(root: Json, draw: Draw): Json {
  const place = randomPlace(root, draw);
  if (!place) return strangeValue(draw);
  const parent = place.parent as Record<string | number, Json>;
  const { key } = place;
  const value = parent[key]!;
  switch (draw.below(8)) {
    case 0:
      if (Array.isArray(place.parent)) place.parent.splice(Number(key), 1);
      else delete parent[key];
      break;
    case 1:
      parent[key] = [value];
      break;
    case 2:
      parent[key] = { [draw.pick(TEXTS) || 'a']: value };
      break;
    case 3:
      parent[key] = typeof value === 'string' ? value + draw.pick(TEXTS) : String(JSON.stringify(value)).slice(0, 500);
      break;
    case 4:
      if (Array.isArray(value)) parent[key] = value.flatMap((item) => [item, item]).slice(0, 10_000);
      else parent[key] = strangeValue(draw);
      break;
    case 5:
      if (!Array.isArray(place.parent)) {
        delete parent[key];
        parent[draw.pick([String(key).toUpperCase(), `${key} `, draw.pick(TEXTS), `${key}s`])] = value;
      } else parent[key] = strangeValue(draw);
      break;
    case 6: {
      // The values of two places are swapped.
      const other = randomPlace(root, draw)!;
      const there = other.parent as Record<string | number, Json>;
      const [a, b] = [structuredClone(value), structuredClone(there[other.key]!)];
      parent[key] = b;
      there[other.key] = a;
      break;
    }
    default:
      parent[key] = strangeValue(draw);
  }
  return root;
}

/** Changes that only the text of JSON can hold. */
function changeText(text: string, draw: Draw): string {
  const at = draw.below(text.length + 1);
  switch (draw.below(6)) {
    case 0: {
      // A key twice.
      const brace = text.indexOf('{', at);
      return brace < 0 ? text : `${text.slice(0, brace + 1)}"type":1,"type":2,${text.slice(brace + 1)}`;
    }
    case 1:
      return text.replace(/-?\d+(\.\d+)?/g, (n) => (draw.chance(0.2) ? draw.pick(ODD_NUMBERS) : n));
    case 2:
      return text.slice(0, at);
    case 3: {
      const depth = draw.pick([50, 5000, 200_000]);
      const open = draw.pick(['[', '{"a":']);
      return (
        text.slice(0, at) +
        open.repeat(depth) +
        (draw.chance(0.5) ? `1${(open === '[' ? ']' : '}').repeat(depth)}` : '') +
        text.slice(at)
      );
    }
    case 4:
      return text.slice(0, at) + draw.pick([...TEXTS, '"', '}', ']', ',', ':', '\n', '\ufeff']) + text.slice(at);
    default:
      return `${draw.pick(['\ufeff', '\n', ' ', '//x\n', '[', ''])}${text}${draw.pick(['', '\n', text.slice(0, 2000), ']', '\u0000'])}`;
  }
}

/** Bytes of any format. */
export function changeBytes(bytes: Uint8Array, draw: Draw, header = bytes.length): Uint8Array {
  // Most faults lie where a format says what follows.
  const span = draw.chance(0.8) ? Math.min(header, bytes.length) : bytes.length;
  const at = draw.below(span + 1);
  const copy = bytes.slice();
  switch (draw.below(8)) {
    case 0:
      return copy.subarray(0, at);
    case 1:
      for (let i = draw.below(8); i >= 0; i--) copy[draw.below(span)]! ^= 1 << draw.below(8);
      return copy;
    case 2: {
      const length = Math.min(draw.pick([1, 2, 4, 8, 64]), bytes.length - at);
      copy.fill(draw.pick([0, 255, 127, 128, 32]), at, at + length);
      return copy;
    }
    case 3: {
      // A number of the header becomes another.
      const view = new DataView(copy.buffer);
      const value = draw.pick([0, 1, 0x7fffffff, 0xffffffff, 0x80000000, bytes.length, 1e6]);
      if (at + 8 <= copy.length) {
        if (draw.chance(0.5)) view.setUint32(at, value, true);
        else view.setBigUint64(at, draw.pick([BigInt(value), 2n ** 63n, 2n ** 64n - 1n, 2n ** 53n]), true);
      }
      return copy;
    }
    case 4: {
      const length = draw.below(Math.min(200, bytes.length) + 1);
      return joined(copy.subarray(0, at), copy.subarray(Math.min(copy.length, at + length)));
    }
    case 5: {
      const from = draw.below(bytes.length + 1);
      return joined(copy.subarray(0, at), copy.slice(from, from + draw.below(500)), copy.subarray(at));
    }
    case 6:
      return joined(copy.subarray(0, at), utf8(draw.pick(TEXTS)), copy.subarray(at));
    default:
      return joined(copy, copy.subarray(0, draw.below(Math.min(1000, copy.length) + 1)));
  }
}

function joined(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** JSON, mostly changed in its structure. */
export function changeJson(bytes: Uint8Array, draw: Draw): Uint8Array {
  const kind = draw.next();
  if (kind < 0.1) return changeBytes(bytes, draw);
  const text = new TextDecoder().decode(bytes);
  if (kind < 0.3) return utf8(changeText(text, draw));
  let value = JSON.parse(text) as Json;
  for (let i = draw.below(3); i >= 0; i--) value = changeStructure(value, draw);
  return utf8(JSON.stringify(value));
}

/** JSON Lines: one line as JSON, or the whole as text. */
export function changeLines(bytes: Uint8Array, draw: Draw): Uint8Array {
  if (draw.chance(0.3)) return changeBytes(bytes, draw);
  const lines = new TextDecoder().decode(bytes).trimEnd().split('\n');
  const at = draw.below(lines.length);
  lines[at] = new TextDecoder().decode(changeJson(utf8(lines[at]!), draw));
  return utf8(lines.join(draw.pick(['\n', '\n', '\r\n', '\r', '\n\n'])));
}

const CELLS = [
  '"',
  '""',
  ',',
  '\t',
  ';',
  '\n',
  '\r',
  "'",
  '\\',
  ' ',
  '"\n"',
  '=1+1',
  '#N/A',
  'NaN',
  '{"a":',
  '[',
  '\u0000',
];

/** Tables and prose: cells, quotes and line ends. */
export function changeTable(bytes: Uint8Array, draw: Draw): Uint8Array {
  if (draw.chance(0.4)) return changeBytes(bytes, draw);
  let text = new TextDecoder().decode(bytes);
  for (let i = draw.below(4); i >= 0; i--) {
    const at = draw.below(text.length + 1);
    const what = draw.pick([...CELLS, ...TEXTS, '"'.repeat(99), ','.repeat(2000), '\n'.repeat(999)]);
    text = text.slice(0, at) + what + text.slice(at + draw.below(12));
  }
  return utf8(text);
}
