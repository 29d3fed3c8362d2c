/**
 * Personal data and secrets in texts: mail addresses, phone numbers, cards, IBANs, IP addresses, keys and tokens of well-known
 * formats. A false alarm costs trust and an editing press destroys text, so whatever has a checksum, a country or a
 * fixed length is checked for it. Every pattern has a fixed first letter or a bounded length: time is linear in the text.
 */
import type { PersonalKind } from '../base/personal-kinds';
import { IBAN_LENGTHS, isPhone, PHONE_SHAPE } from './personal-numbers';

/** Half-open, in UTF-16 units. */
export interface PersonalSpot {
  kind: PersonalKind;
  start: number;
  end: number;
}

export const placeholders: Record<PersonalKind, string> = {
  email: '[EMAIL]',
  phone: '[PHONE]',
  secret: '[API_KEY]',
  private_key: '[PRIVATE_KEY]',
  card: '[CARD]',
  iban: '[IBAN]',
  ip: '[IP_ADDRESS]',
};

interface Finder {
  kind: PersonalKind;
  /** Cheap: whether the pattern can match at all. */
  may(text: string): boolean;
  pattern: RegExp;
  /** Where the spot ends within the match, 0 if it is none. */
  check(match: RegExpExecArray, text: string): number;
}

const whole = (match: RegExpExecArray) => match[0].length;
const has =
  (...parts: string[]) =>
  (text: string) =>
    parts.some((part) => text.includes(part));
const DIGITS = /\d/;

/** In this order: what an earlier one has found, a later one does not look at. */
const finders: Finder[] = [
  {
    kind: 'private_key',
    may: has('PRIVATE KEY'),
    // A block that is cut off ends with its text.
    pattern: /-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----/g,
    check(match, text) {
      const end = /-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----/g;
      end.lastIndex = match.index;
      const found = end.exec(text);
      return (found ? found.index + found[0].length : text.length) - match.index;
    },
  },
  {
    kind: 'secret',
    may: has('eyJ'),
    pattern: /(?<![\w-])eyJ[\w-]{8,4096}\.eyJ[\w-]{8,8192}\.[\w-]{0,2048}/g,
    check: (match) => (isJwtHeader(match[0].slice(0, match[0].indexOf('.'))) ? whole(match) : 0),
  },
  {
    kind: 'secret',
    may: has(
      'sk-',
      'sk_',
      'rk_',
      'ghp_',
      'gho_',
      'ghu_',
      'ghs_',
      'ghr_',
      'github_pat_',
      'glpat-',
      'xox',
      'hf_',
      'npm_',
      'pypi-',
      'SG.',
      'AIza',
      'AKIA',
      'ASIA',
      'dop_v1',
    ),
    pattern: new RegExp(
      `(?<![A-Za-z0-9_])(?:${[
        'sk-(?:proj-|ant-|svcacct-|or-|admin-)?[\\w-]{20,250}',
        '[sr]k_(?:live|test)_[A-Za-z0-9]{16,120}',
        'gh[pousr]_[A-Za-z0-9]{36,255}',
        'github_pat_[A-Za-z0-9_]{50,255}',
        'glpat-[\\w-]{20,64}',
        'xox[abeoprs]-[A-Za-z0-9-]{10,250}',
        'hf_[A-Za-z0-9]{30,64}',
        'npm_[A-Za-z0-9]{36}',
        'pypi-[\\w-]{50,250}',
        'SG\\.[\\w-]{16,32}\\.[\\w-]{16,64}',
        'AIza[\\w-]{35}',
        '(?:AKIA|ASIA)[A-Z0-9]{16}',
        'dop_v1_[a-f0-9]{64}',
      ].join('|')})(?![A-Za-z0-9])`,
      'g',
    ),
    check: (match) => (looksRandom(match[0]) ? whole(match) : 0),
  },
  {
    kind: 'email',
    may: has('@'),
    pattern:
      /(?<![\w.+%-])[A-Za-z0-9][\w.+%-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,6}[A-Za-z]{2,24}(?![\w@-])/g,
    check: (match) => (isAddress(match[0]) ? whole(match) : 0),
  },
  {
    kind: 'iban',
    may: (text) => DIGITS.test(text),
    pattern: /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}/g,
    check: ibanLength,
  },
  {
    kind: 'card',
    may: (text) => DIGITS.test(text),
    pattern:
      /(?<![\w.,-])(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,4}(?:\1\d{1,3})?|\d{4}([ -])\d{6}\2\d{4,5})(?![\w-]|[.,]\d)/g,
    check: (match) => (isCard(match[0].replace(/\D/g, '')) ? whole(match) : 0),
  },
  {
    kind: 'ip',
    may: (text) => DIGITS.test(text),
    pattern: /(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)/g,
    check: (match, text) =>
      isAddressOfAPerson(match[0], text.slice(Math.max(0, match.index - 12), match.index)) ? whole(match) : 0,
  },
  {
    kind: 'phone',
    may: (text) => DIGITS.test(text),
    pattern: PHONE_SHAPE,
    check: (match, text) => isPhone(match[0], text, match.index),
  },
];

/** In the order of the text, without overlap. */
export function personalSpots(text: string): PersonalSpot[] {
  let spots: PersonalSpot[] = [];
  for (const { kind, may, pattern, check } of finders) {
    if (!may(text)) continue;
    const found: PersonalSpot[] = [];
    let taken = 0;
    pattern.lastIndex = 0;
    for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
      const start = match.index;
      const length = check(match, text);
      // What is refused may hide the beginning of something else.
      pattern.lastIndex = start + (length === 0 ? firstGroup(match[0]) : length);
      if (length === 0) continue;
      while (taken < spots.length && spots[taken]!.end <= start) taken++;
      if (taken < spots.length && spots[taken]!.start < start + length) continue;
      found.push({ kind, start, end: start + length });
    }
    if (found.length > 0) spots = [...spots, ...found].sort((a, b) => a.start - b.start);
  }
  return spots;
}

/** The text with a placeholder in each place of one of the kinds; the same text if there is none. */
export function withoutPersonal(text: string, kinds: readonly PersonalKind[]): string {
  const spots = personalSpots(text).filter(({ kind }) => kinds.includes(kind));
  if (spots.length === 0) return text;
  let result = '';
  let at = 0;
  for (const { kind, start, end } of spots) {
    result += text.slice(at, start) + placeholders[kind];
    at = end;
  }
  return result + text.slice(at);
}

/** Enough of it to be recognised by who knows it: "j…@e….com", "…4242", "ghp_…". */
export function maskedSpot(text: string, { kind, start, end }: PersonalSpot): string {
  const found = text.slice(start, end);
  switch (kind) {
    case 'email': {
      const [name = '', host = ''] = found.split('@');
      return `${name.slice(0, 1)}…@${host.slice(0, 1)}…${host.slice(host.lastIndexOf('.'))}`;
    }
    case 'secret':
      return `${/^[A-Za-z]{2,10}[-_.]|^[A-Za-z]{4}/.exec(found)?.[0] ?? ''}…`;
    case 'private_key':
      return '-----BEGIN … PRIVATE KEY-----';
    case 'iban':
      return `${found.slice(0, 4)} … ${found.slice(-2)}`;
    case 'ip':
      return `${found.slice(0, found.indexOf('.'))}.….….…`;
    default:
      return `…${found.replace(/\D/g, '').slice(-2)}`;
  }
}

const firstGroup = (match: string) => /^[+(]?[A-Za-z0-9]+/.exec(match)?.[0].length ?? 1;

/** "sk-learn-style-guide-for-beginners" has no digit; "sk-aaaaaaaaaaaaaaaaaaaa1" is a stand-in. */
function looksRandom(key: string): boolean {
  const body = key.replace(
    /^(?:github_pat_|pypi-|[A-Za-z]{2,6}[-_.](?:proj-|ant-|svcacct-|or-|admin-|live_|test_)?)/,
    '',
  );
  return /\d/.test(body) && /[A-Za-z]/.test(body) && new Set(body).size >= 8;
}

function isJwtHeader(part: string): boolean {
  try {
    const json: unknown = JSON.parse(atob(part.replace(/-/g, '+').replace(/_/g, '/')));
    return typeof json === 'object' && json !== null && ('alg' in json || 'typ' in json);
  } catch {
    return false;
  }
}

/** Names of files and of stand-ins are no addresses: "icon@2x.png", "user@example.com". */
function isAddress(address: string): boolean {
  const at = address.indexOf('@');
  const name = address.slice(0, at);
  const host = address.slice(at + 1).toLowerCase();
  if (/\.\.|\.$/.test(name)) return false;
  if (/\.(?:png|jpe?g|gif|svg|webp|js|ts|css|html?|json|md|py|local|invalid|test|example|localhost)$/.test(host))
    return false;
  return !/^(?:.+\.)?example\.(?:com|org|net)$/.test(host);
}

/** The letters of an IBAN at the start of the match, by its country's length and its check digits; 0 if it is none. */
function ibanLength(match: RegExpExecArray): number {
  const [shown] = match;
  const wanted = IBAN_LENGTHS[shown.slice(0, 2)];
  if (wanted === undefined) return 0;
  let letters = '';
  let end = 0;
  while (end < shown.length && letters.length < wanted) {
    if (shown[end] !== ' ') letters += shown[end];
    end++;
  }
  const next = match.input[match.index + end];
  if (letters.length < wanted || (next !== undefined && /[A-Za-z0-9]/.test(next))) return 0;
  let rest = 0;
  for (const letter of letters.slice(4) + letters.slice(0, 4)) {
    const value = Number.parseInt(letter, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1 ? end : 0;
}

/** Prefix and lengths of the networks that issue cards, and Luhn's check digit. */
function isCard(digits: string): boolean {
  const networks: [RegExp, number[]][] = [
    [/^4/, [13, 16, 19]],
    [/^(?:5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720))/, [16]],
    [/^3[47]/, [15]],
    [/^(?:6011|65|64[4-9]|62|35(?:2[89]|[3-8]))/, [16, 17, 18, 19]],
    [/^(?:30[0-5]|36|38)/, [14]],
  ];
  if (!networks.some(([prefix, lengths]) => prefix.test(digits) && lengths.includes(digits.length))) return false;
  // 4000000000000002 is a round number.
  if (/0{9}/.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const value = i % 2 === 1 ? digit * 2 : digit;
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}

/** Not a version, not a section, and not an address that every network has. */
function isAddressOfAPerson(address: string, before: string): boolean {
  const parts = address.split('.').map(Number);
  const [a, b] = parts as [number, number];
  if (parts.some((part) => part > 255) || /(?:^|\.)0\d/.test(address)) return false;
  if (parts.every((part) => part < 20) || a === 0 || a >= 224) return false;
  if (a === 127 || a === 10 || (a === 192 && b === 168) || (a === 172 && b >= 16 && b < 32)) return false;
  return !/(?:\bv|version|release|build|firmware|section|chapter|§)[\s:.]*$/i.test(before);
}
