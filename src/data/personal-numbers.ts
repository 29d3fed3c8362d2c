/** What tells phone numbers and IBANs from all the other numbers in a text. */

/** Letters of an IBAN by country (ISO 13616, SWIFT's registry of 2024). */
export const IBAN_LENGTHS: Readonly<Record<string, number>> = Object.fromEntries(
  `AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18
  FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24
  ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23
  ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30`
    .split(/\s+/)
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** Country codes of E.164 of one and two digits; those of three begin with what is left. */
const ONE_OR_TWO = new Set(
  `1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95
  98`.split(/\s+/),
);
const THREE =
  /^(?:21[1-8]|22\d|23\d|24\d|25[0-8]|26\d|29[0178]|35\d|37[0-8]|38[0-35-79]|42[013]|50\d|59\d|67\d|68\d|69[0-2]|85[02356]|88[0268]|96\d|97[0-79]|99[2-68])/;

/**
 * Digits with up to two signs and brackets between them. What follows must not make it another kind of number. Each step takes
 * a digit, so there is one way to match.
 */
export const PHONE_SHAPE =
  /(?<![\w.,+/:=#-]|[$€£¥] ?)(?:\+ ?|\(\+?)?\d(?:\)?[ ./\u00a0-]{0,2}\(?\d){5,22}(?![\w%€$£¥]|[.,:/-]\d)/g;

/** Words that a number behind them is a phone number. */
const CALLED =
  /\b(?:phone|mobile|cell|tel|telefon|telephone|call|calling|fax|whatsapp|sms|handy|mobil|ring|dial|reach me at|number is|nummer|téléphone|portable|móvil|teléfono|celular)[\w\s.:#)(-]{0,14}$/i;
/** Words that a number behind them is something else. */
const OTHERWISE =
  /\b(?:order|invoice|id|ident|ticket|case|ref|reference|serial|isbn|issn|article|item|sku|part|model|version|account|konto|tracking|parcel|shipment|policy|contract|customer|kunden|vertrags?|rechnungs?|bestell\w*|artikel|lotto|numbers:|sequence|order no|doi|rfc|patent|patente?)\w{0,8}[\s.:#№-]{0,4}(?:no|nr|number|nummer|num)?[\s.:#№-]{0,4}$/i;

/** The letters of the phone number at the start of a match; 0 if there is none. */
export function isPhone(match: string, text: string, at: number): number {
  const before = text.slice(Math.max(0, at - 32), at);
  const words = /[a-z]/i.test(before);
  const called = words && CALLED.test(before);
  if (words && !called && OTHERWISE.test(before)) return 0;
  const plain = !/^\(?[+0]/.test(match);
  if (plain && !called) return northAmerican(match);
  // Two numbers with a space between them are one match. The second may begin with a zero; otherwise groups at the end are left out.
  const second = match.startsWith('0') ? match.search(/(?<=\d{3}) 0[1-9]/) : -1;
  if (second > 0 && isNumber(match.slice(0, second))) return second;
  for (
    let end = match.length, tries = 0;
    end > 0 && tries < MOST_GROUPS;
    end = match.lastIndexOf(' ', end - 1), tries++
  ) {
    const shown = match.slice(0, end).replace(/[ ./\u00a0(-]+$/, '');
    if (plain ? isBare(shown) : isNumber(shown)) return shown.length;
  }
  return 0;
}

/** Groups of a number, at most; a match may hold two numbers. */
const MOST_GROUPS = 8;

function isNumber(shown: string): boolean {
  const digits = shown.replace(/\D/g, '');
  if (/^(\d)\1+$/.test(digits)) return false;
  if (/^\(?\+/.test(shown)) return isInternational(digits);
  if (/^00[1-9]/.test(shown)) return /^00\d*\D/.test(shown) && isInternational(digits.slice(2));
  return !isDate(shown) && isTrunk(shown, digits);
}

function isInternational(digits: string): boolean {
  if (digits.startsWith('1')) return /^1[2-9]\d{2}[2-9]\d{6}$/.test(digits);
  const code = [digits.slice(0, 1), digits.slice(0, 2)].find((prefix) => ONE_OR_TWO.has(prefix));
  if (code === undefined && !THREE.test(digits)) return false;
  // +20 000 000 is a difference; a number within a country is not mostly zeros.
  if (/0{6}/.test(digits)) return false;
  return digits.length >= 9 && digits.length <= 15;
}

/**
 * (212) 555-0187, 212-555-0187, 212.555.0187, 1-212-555-0187: area and exchange begin with 2 to 9. Three groups with spaces
 * only may be any numbers in a row.
 */
function northAmerican(match: string): number {
  const shape = /^(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[.-])[2-9]\d{2}[ .-]\d{4}(?!\d|[.-]\d)/;
  return shape.exec(match)?.[0].length ?? 0;
}

/** 030 1234567, 0170/1234567, 020 7946 0958, 01 23 45 67 89: a leading zero, groups, and as many digits as a number has. */
function isTrunk(shown: string, digits: string): boolean {
  const groups = groupsOf(shown);
  if (!/^\(?0[1-9]/.test(shown) || groups.length < 2 || digits.length < 9 || digits.length > 12) return false;
  const pairs = groups.every((group) => group.length === 2);
  if (pairs) {
    // Five pairs are how France writes its numbers, and how lotteries write theirs, which are sorted.
    const sorted = groups.every((group, i) => i === 0 || Number(group) > Number(groups[i - 1]));
    return groups.length === 5 && !sorted;
  }
  if (/0{5}/.test(digits) || groups.length > 5) return false;
  return groups[0]!.length >= 2 && groups[0]!.length <= 6 && digits.length - groups[0]!.length >= 5;
}

/** A number without any form, behind a word that says what it is. */
function isBare(shown: string): boolean {
  const groups = groupsOf(shown);
  const digits = groups.join('');
  if (digits.length < 7 || digits.length > 13 || groups.length > 5 || isDate(shown) || /^(\d)\1+$/.test(digits))
    return false;
  return groups.every((group, i) => group.length >= 2 || (i === 0 && group === '1'));
}

const groupsOf = (shown: string) => shown.split(/\D+/).filter((group) => group !== '');

/** 2024-01-31, 31.01.2024, 01/31/2024 12, and ranges of years. */
function isDate(shown: string): boolean {
  return (
    /^(?:19|20)\d{2}[-./ ](?:0?[1-9]|1[0-2])[-./ ](?:0?[1-9]|[12]\d|3[01])(?:\D|$)/.test(shown) ||
    /^(?:0?[1-9]|[12]\d|3[01])[-./ ](?:0?[1-9]|[12]\d|3[01])[-./ ](?:19|20)\d{2}(?:\D|$)/.test(shown) ||
    /^(?:1[5-9]|20)\d{2} ?[-/] ?(?:1[5-9]|20)\d{2}$/.test(shown)
  );
}
